"""Floor 5: where an account is closed under its margin model, and what follows in a market of accounts."""

__all__ = ["account", "adl", "adl_comparison", "closing", "moves", "nearest", "population", "standing"]
