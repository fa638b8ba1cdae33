"""Learn: cross-margining in six interactive steps, for a classroom or for oneself."""

from ui import entrance, learn

entrance.through_app("pages/learn.py")
learn.page()
