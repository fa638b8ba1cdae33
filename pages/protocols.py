"""Protocols: what does one collateral for two protocols free, and what spreads?"""

from ui.protocols.page import page
from ui.shell.page import show

PAGE = {
    "title": "Protocols",
    "icon": ":material/hub:",
    "section": "Venues",
    "order": 90,
    "question": "One collateral, two protocols: what is freed, and what spreads?",
}

show(__file__, page)
