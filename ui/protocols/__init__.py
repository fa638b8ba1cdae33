"""Floor 3: the Protocols page, in the order it is read."""

__all__ = ["contagion", "double_count", "events", "fund", "page", "sharing", "wallets"]
