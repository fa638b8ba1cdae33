"""What a book is worth as one underlying's price moves: today, on any day, and when its last option has expired.

Profit is since the entry where a position has one, else since as-of; coins owned or posted of the underlying count from
their price at as-of. Implied volatility and the other prices stay; an option that has expired by the day is worth its
intrinsic value at the price itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin.core import options
from margin.core.errors import InputError
from margin.ladder.compare import Comparison
from margin.risk.exposures import Exposure

__all__ = ["Payoff", "last_expiry_days", "payoff", "underlyings"]

POINTS = 201


@dataclass(frozen=True, kw_only=True)
class Payoff:
    """prices : (n,) USD of the underlying, rising; spot: at as-of; days: (d,) after as-of

    profit : (d, n) USD, a row per day; break_even: prices at which the last day's profit changes sign
    """

    underlying: str
    spot: float
    prices: np.ndarray
    days: tuple[float, ...]
    profit: np.ndarray
    break_even: tuple[float, ...]


def underlyings(result: Comparison) -> tuple[str, ...]:
    """Underlyings of the book whose payoff can be drawn, those with options first."""
    exposures = [e for e in result.book.exposures if e.column is not None]
    with_options = [e.instrument.base for e in exposures if e.instrument.is_option]
    return tuple(dict.fromkeys([*with_options, *(e.instrument.base for e in exposures)]))


def last_expiry_days(result: Comparison, underlying: str) -> float:
    """Days from as-of to the expiry of the last option of the underlying; 0 where it has none."""
    years = [e.years or 0.0 for e in _of(result, underlying) if e.instrument.is_option]
    return max(years, default=0.0) * options.DAYS_PER_YEAR


def payoff(result: Comparison, underlying: str, days: Sequence[float], prices: np.ndarray | None = None) -> Payoff:
    """Profit of the underlying's positions and coins at `days` after as-of.

    prices : USD, above 0; default half to one and a half times today's, wide enough for every strike
    Raises InputError where the book holds nothing of the underlying, or a day is below 0.
    """
    held = _of(result, underlying)
    if not held:
        raise InputError("underlying", underlying, "is not in the book", f"One of {', '.join(underlyings(result))}.")
    if any(day < 0 for day in days) or not days:
        raise InputError("days", list(days), "must be one or more numbers from 0 on")
    spot = held[0].spot
    grid = _grid(spot, held) if prices is None else np.asarray(prices, dtype=float)
    if np.any(grid <= 0):
        raise InputError("prices", float(grid.min()), "must be above 0")
    coins = sum(line.quantity for line in result.account.collateral if line.asset == underlying)
    rows = [sum((_profit(e, grid, day) for e in held), coins * (grid - spot)) for day in days]
    profit = np.array(rows, dtype=float)
    return Payoff(
        underlying=underlying,
        spot=spot,
        prices=grid,
        days=tuple(days),
        profit=profit,
        break_even=_crossings(grid, profit[-1]),
    )


def _of(result: Comparison, underlying: str) -> list[Exposure]:
    return [e for e in result.book.exposures if e.column is not None and e.instrument.base == underlying]


def _grid(spot: float, held: Sequence[Exposure]) -> np.ndarray:
    strikes = [e.instrument.strike for e in held if e.instrument.strike is not None]
    low, high = min(0.5 * spot, *(0.8 * k for k in strikes), spot), max(1.5 * spot, *(1.2 * k for k in strikes), spot)
    grid: np.ndarray = np.unique(np.concatenate([np.linspace(low, high, POINTS), strikes, [spot]]))
    return grid


def _profit(exposure: Exposure, prices: np.ndarray, days: float) -> np.ndarray:
    position, instrument = exposure.position, exposure.instrument
    entry = position.entry_price
    if instrument.is_option:
        assert instrument.strike is not None and instrument.option_type is not None and exposure.implied_vol is not None
        years = max((exposure.years or 0.0) - days / options.DAYS_PER_YEAR, 0.0)
        value = options.black76(prices, instrument.strike, years, exposure.implied_vol, instrument.option_type)
        return np.asarray(position.quantity * (value - (exposure.price if entry is None else entry)), dtype=float)
    if instrument.is_inverse:
        moved = prices / (exposure.spot if entry is None else entry) - 1.0
        return np.asarray(position.quantity * moved, dtype=float)
    return np.asarray(position.quantity * (prices - (exposure.spot if entry is None else entry)), dtype=float)


def _crossings(prices: np.ndarray, profit: np.ndarray) -> tuple[float, ...]:
    """Where the line through the points is 0 and changes sign."""
    out = []
    for i in np.flatnonzero(np.sign(profit[:-1]) * np.sign(profit[1:]) < 0):
        share = profit[i] / (profit[i] - profit[i + 1])
        out.append(float(prices[i] + share * (prices[i + 1] - prices[i])))
    out += [float(p) for p, before, here, after in zip(prices[1:-1], profit, profit[1:], profit[2:], strict=False)
            if here == 0 and before * after < 0]  # fmt: skip
    return tuple(sorted(out))
