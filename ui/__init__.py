"""Blocks and pages of the dashboard; a folder per page, and what pages share."""

__all__ = [
    "backtest",
    "blocks",
    "charts",
    "correlations",
    "data",
    "haircuts",
    "learn",
    "liquidation",
    "portfolio",
    "shell",
    "state",
    "stress",
    "venues",
]
