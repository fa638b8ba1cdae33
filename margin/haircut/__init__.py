"""Floor 2: what collateral counts for, by asset and size."""

__all__ = ["allocation", "basket", "history", "liquidity", "model", "published", "settings", "tails", "tiers"]
