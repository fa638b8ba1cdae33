"""The Backtest page, in the order it is read."""
