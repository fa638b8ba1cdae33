"""Learn: cross-margining in eight interactive steps, for a classroom or for oneself."""

from ui.learn.page import page
from ui.shell.page import show

PAGE = {
    "title": "Learn",
    "icon": ":material/school:",
    "section": "Learn",
    "order": 110,
    "question": "Cross-margining in eight steps",
}

show(__file__, page)
