"""Correlations: how stable is the hedge, and what would the book need if it were not?"""

from ui.correlations.page import page
from ui.shell.page import show

PAGE = {
    "title": "Correlations",
    "icon": ":material/grid_on:",
    "section": "Risk",
    "order": 20,
    "question": "How stable is the hedge?",
}

show(__file__, page)
