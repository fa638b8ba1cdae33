"""Floor 3: the Correlations page, in the order it is read."""

__all__ = ["choice", "history", "own_book", "page"]
