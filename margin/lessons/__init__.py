"""Floor 4: the closed forms and histories behind the Learn page."""
