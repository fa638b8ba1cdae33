"""Portfolio: build a book, see what it needs under every margin method, and what cross-margining frees."""

from ui.portfolio.page import page
from ui.shell.page import show

PAGE = {
    "title": "Portfolio",
    "icon": ":material/wallet:",
    "section": "Portfolio",
    "order": 10,
    "question": "How much does cross-margining free?",
}

show(__file__, page)
