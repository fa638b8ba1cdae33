"""Floor 1: what is wrong with candles, and what is done about it."""

__all__ = ["checks", "clean"]
