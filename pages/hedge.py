"""Hedge: which trade frees most margin per dollar?"""

from ui.hedge.page import page
from ui.shell.page import show

PAGE = {
    "title": "Hedge",
    "icon": ":material/balance:",
    "section": "Risk",
    "order": 57,
    "judged": True,
    "question": "Which trade frees most margin per dollar?",
}

show(__file__, page, needs_figures=True)
