"""Liquidation: where, and what happens next?"""

from ui.liquidation.page import page
from ui.shell.page import show

PAGE = {
    "title": "Liquidation",
    "icon": ":material/water_drop:",
    "section": "Risk",
    "order": 50,
    "judged": True,
    "question": "Where, and what happens next?",
}

show(__file__, page, needs_figures=True)
