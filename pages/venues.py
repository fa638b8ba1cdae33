"""Venues: which venue asks least for this book?"""

from ui import entrance, venues

entrance.through_app("pages/venues.py")
venues.page()
