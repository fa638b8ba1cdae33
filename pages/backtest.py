"""Backtest: would the lower margin have been enough?"""

from ui.backtest.page import page
from ui.shell.page import show

PAGE = {
    "title": "Backtest",
    "icon": ":material/history:",
    "section": "Risk",
    "order": 60,
    "judged": True,
    "question": "Would the lower margin have been enough?",
}

show(__file__, page, needs_figures=True)
