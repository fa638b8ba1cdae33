"""What `Portfolio` is read and written by; found by `margin.core.providers` under this file's name."""

from typing import Any

from margin.core.portfolio import Portfolio
from margin.formats.portfolio import portfolio_from_csv, portfolio_to_csv
from margin.formats.read import read_whole as read

__all__ = ["portfolio_from_csv", "portfolio_to_csv", "positions_from_ccxt", "read"]


def positions_from_ccxt(items: "list[Any]") -> "tuple[Any, ...]":
    """Positions from ccxt `fetch_positions()` structures; closed ones are left out. Raises InputError naming the entry.

    Source: ccxt manual, "Position Structure".
    """
    return read(items).positions if items else Portfolio().positions
