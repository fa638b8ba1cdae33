"""Floor 2: how pairs and whole matrices move through time."""

__all__ = [
    "bands",
    "frames",
    "lead_lag",
    "market_index",
    "market_mode",
    "matrix",
    "order",
    "paths",
    "persistence",
    "regimes",
    "summary",
    "worst_days",
]
