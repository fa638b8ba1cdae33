"""Floor 3: the Backtest page, in the order it is read."""

__all__ = ["page"]
