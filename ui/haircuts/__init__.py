"""Floor 3: the Haircuts page, in the order it is read."""

__all__ = ["collateral", "history", "page"]
