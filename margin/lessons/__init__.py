"""Floor 4: the closed forms and histories behind the Learn page."""

__all__ = ["closed_forms", "history"]
