"""Floor 3: the Audit page, in the order it is read."""

__all__ = ["accounts", "books", "page", "views"]
