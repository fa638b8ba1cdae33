"""Floor 3: the Forecast page."""

__all__ = ["judged", "page", "trust"]
