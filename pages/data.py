"""Data: where the prices come from, how fresh they are, what was cleaned; refresh, upload, download."""

from ui.data.page import page
from ui.shell.page import show

PAGE = {
    "title": "Data",
    "icon": ":material/database:",
    "section": "Data",
    "order": 120,
    "question": "Where do the prices come from?",
}

show(__file__, page)
