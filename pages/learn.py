"""Learn: cross-margining in six interactive steps, for a classroom or for oneself."""

from ui import learn

learn.page()
