"""What `Portfolio` is read and written by; found by `margin.core.providers` under this file's name."""

from margin.formats.portfolio import portfolio_from_csv, portfolio_to_csv, positions_from_ccxt
from margin.formats.portfolio_json import read

__all__ = ["portfolio_from_csv", "portfolio_to_csv", "positions_from_ccxt", "read"]
