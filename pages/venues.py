"""Venues: which venue asks least for this book?"""

from ui.shell.page import show
from ui.venues.page import page

PAGE = {
    "title": "Venues",
    "icon": ":material/storefront:",
    "section": "Venues",
    "order": 80,
    "judged": True,
    "question": "Which venue asks least for this book?",
}

show(__file__, page, needs_figures=True)
