"""Floor 4: collateral that serves two protocols at once, and what spreads through a network of debts and holdings."""

__all__ = [
    "branching", "clearing", "debtrank", "events", "fire_sales", "funds", "network", "paid", "paths", "population",
    "seizure", "sharing", "terms", "wallet",
]  # fmt: skip
