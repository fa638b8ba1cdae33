"""Stress: what breaks this book?"""

from ui.shell import entrance
from ui.stress import page as stress

entrance.through_app("pages/stress.py")
stress.page()
