"""Venues: which venue asks least for this book?"""

from ui.shell import entrance
from ui.venues import page as venues

entrance.through_app("pages/venues.py")
venues.page()
