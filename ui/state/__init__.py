"""Floor 0: the visitor's book, prices, answers and links; no drawing."""

__all__ = ["book", "compute", "longwork", "presets", "prices", "rows", "session", "share"]
