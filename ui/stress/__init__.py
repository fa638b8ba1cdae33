"""Floor 4: the Stress page, in the order it is read."""

__all__ = ["page"]
