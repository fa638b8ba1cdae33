"""Floor 3: from a list of assets to a labelled price set; whom to ask, in which order, what to keep."""

__all__ = ["fetch", "hours", "live", "live_tiers", "parts", "series", "service", "sets", "sources", "yahoo"]
