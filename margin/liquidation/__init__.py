"""Floor 5: where an account is closed, and what follows in a market of accounts."""

__all__ = ["account", "adl", "adl_comparison", "moves", "population"]
