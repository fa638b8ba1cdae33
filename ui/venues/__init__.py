"""Floor 3: the Venues page, in the order it is read."""

__all__ = ["detail", "page"]
