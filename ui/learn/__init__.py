"""Floor 3: the Learn page, in the order it is read."""

__all__ = ["history", "page", "pairs", "shared", "steps", "view"]
