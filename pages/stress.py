"""Stress: what breaks this book?"""

from ui.shell.page import show
from ui.stress.page import page

PAGE = {
    "title": "Stress",
    "icon": ":material/bolt:",
    "section": "Risk",
    "order": 40,
    "judged": True,
    "question": "What breaks this book?",
}

show(__file__, page, needs_figures=True)
