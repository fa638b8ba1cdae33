"""Venues: which venue needs least money for the same safety?"""

from ui.shell.page import show
from ui.venues.page import page

PAGE = {
    "title": "Venues",
    "icon": ":material/storefront:",
    "section": "Venues",
    "order": 80,
    "judged": True,
    "question": "Which venue asks least for the same safety?",
}

show(__file__, page, needs_figures=True)
