"""Audit: is a whole venue sound?"""

from ui.audit.page import page
from ui.shell.page import show

PAGE = {
    "title": "Audit",
    "icon": ":material/fact_check:",
    "section": "Venues",
    "order": 95,
    "question": "Is a whole venue sound?",
}

show(__file__, page)
