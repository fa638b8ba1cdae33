"""Haircuts: what is the collateral worth, and why?"""

from ui.haircuts.page import page
from ui.shell.page import show

PAGE = {
    "title": "Haircuts",
    "icon": ":material/content_cut:",
    "section": "Risk",
    "order": 30,
    "question": "What is the collateral worth, and why?",
}

show(__file__, page)
