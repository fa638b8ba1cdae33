"""Floor 7: `python -m margin`, a file a command."""

__all__ = ["backtest", "compare", "correlation", "haircuts", "main", "portfolio", "text", "venue"]
