"""Floor 3: the Portfolio page, in the order it is read."""

__all__ = ["explanations", "headline", "live", "report", "settings_panel", "tables", "toolbar"]
