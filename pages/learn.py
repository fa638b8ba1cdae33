"""Learn: cross-margining in six interactive steps, for a classroom or for oneself."""

from ui.learn import page as learn
from ui.shell import entrance

entrance.through_app("pages/learn.py")
learn.page()
