"""Stress: what breaks this book?"""

from ui import entrance, stress

entrance.through_app("pages/stress.py")
stress.page()
