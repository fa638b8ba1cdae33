"""The square-root law of market impact: how far a price moves against an order of a given size.

    impact = Y x daily volatility x root(USD traded / USD the market trades a day), never more than all of the price

Y is of order one. Source: Toth et al. (2011), "Anomalous price impact and the critical nature of liquidity in financial
markets". Definitions: docs/haircuts.md.
"""

import numpy as np
from numpy.typing import ArrayLike

from margin.core.errors import InputError

__all__ = ["closing_cost", "square_root_impact", "square_root_move"]


def square_root_move(size_usd: ArrayLike, volume: ArrayLike, daily_vol: ArrayLike, factor: float = 1.0) -> np.ndarray:
    """The law without its bound: Y x daily volatility x root(|size| / daily volume), arrays of any shapes that fit.

    size_usd : USD traded, either sign; volume : USD traded a day, above 0; daily_vol : a day, fraction
    Raises InputError for a volume that is not above zero: no move follows from a market without trades.
    """
    traded = np.asarray(volume, dtype=float)
    if not (traded > 0).all():
        raise InputError("volume", float(np.nanmin(traded)), "must be above 0 USD a day", "Give the traded volume.")
    moved: np.ndarray = factor * np.asarray(daily_vol, dtype=float) * np.sqrt(np.abs(size_usd) / traded)
    return moved


def square_root_impact(size_usd: ArrayLike, volume: ArrayLike, daily_vol: ArrayLike, factor: float = 1.0) -> np.ndarray:
    """Fraction of value lost to an order's own pressure, at most 1: nobody loses more than what is sold."""
    found: np.ndarray = np.minimum(square_root_move(size_usd, volume, daily_vol, factor), 1.0)
    return found


def closing_cost(size_usd: float, volume: float, daily_vol: float, factor: float = 1.0) -> float:
    """USD that closing `size_usd` costs: |size| x impact, at most |size|."""
    return float(abs(size_usd) * square_root_impact(size_usd, volume, daily_vol, factor))
