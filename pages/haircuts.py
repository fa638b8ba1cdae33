"""Haircuts: what is the collateral worth, and why?"""

from ui import entrance, haircuts

entrance.through_app("pages/haircuts.py")
haircuts.page()
