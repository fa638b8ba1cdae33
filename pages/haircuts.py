"""Haircuts: what is the collateral worth, and why?"""

from ui.haircuts import page as haircuts
from ui.shell import entrance

entrance.through_app("pages/haircuts.py")
haircuts.page()
