"""Forecast: how likely is a margin call?"""

from ui.forecast.page import page
from ui.shell.page import show

PAGE = {
    "title": "Forecast",
    "icon": ":material/query_stats:",
    "section": "Risk",
    "order": 55,
    "judged": True,
    "question": "How likely is a margin call?",
}

show(__file__, page, needs_figures=True)
