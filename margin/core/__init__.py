"""Floor 0: errors, checks, instruments, positions, accounts, portfolio, market, settings, options."""

__all__ = [
    "account",
    "checks",
    "daily",
    "errors",
    "impact",
    "instruments",
    "market",
    "options",
    "portfolio",
    "position",
    "providers",
    "settings",
    "spacing",
    "venue_says",
]
