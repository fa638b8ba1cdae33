"""Floor 4: what breaks a book; events, own shocks, breaks of correlation, reverse stress."""

__all__ = ["correlation_breaks", "correlation_what_if", "reverse", "shocks"]
