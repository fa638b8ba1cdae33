"""Floor 3: the Hedge page."""

__all__ = ["page"]
