"""Floor 3: the Liquidation page, in the order it is read."""

__all__ = ["market", "page"]
