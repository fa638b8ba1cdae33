"""Floor 3: the Data page, in the order it is read."""

__all__ = ["panels"]
