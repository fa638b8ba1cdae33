"""Where a cascade of liquidations stops: how much is closed at each fall, what that costs, and the shock that tips it.

A fall x closes the positions whose liquidation lies within it, Q(x) USD; selling them moves the price further. The fall
that results is the smallest x with x = shock + impact(Q(x)). Definitions: docs/protocols.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.impact import square_root_move


@dataclass(frozen=True, kw_only=True, eq=False)
class Ladder:
    """falls (m,) ascending, fractions; closed (m,) USD of notional liquidated by then, not falling."""

    falls: np.ndarray
    closed: np.ndarray

    def up_to(self, fall: float) -> float:
        """USD closed by a fall, in a straight line between the rows; nothing before the first."""
        return float(np.interp(fall, self.falls, self.closed, left=0.0))


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """shock and total are falls (fractions); closed USD; amplification = total / shock, None without a shock."""

    shock: float
    total: float
    closed: float

    @property
    def amplification(self) -> float | None:
        """Total loss for each dollar of the first; None without a first loss."""
        return self.total / self.shock if self.shock > 0 else None


Impact = Callable[[np.ndarray], np.ndarray]


def liquidation_ladder(falls: np.ndarray, notionals: np.ndarray, rows: int = 400) -> Ladder:
    """The cumulative curve of a population: at which fall each position is closed, and its USD.

    falls : (n,) fractions above 0, inf where never; notionals (n,) USD. `rows` steps from 0 to a fall of 1.
    """
    falls, notionals = np.asarray(falls, dtype=float), np.asarray(notionals, dtype=float)
    if falls.shape != notionals.shape or falls.ndim != 1:
        raise InputError("notionals", notionals.shape, f"must be {falls.shape}, one per position")
    if np.isnan(falls).any() or not np.isfinite(notionals).all() or (notionals < 0).any():
        raise InputError("notionals", "a value", "must be finite USD, 0 or more, and falls must not be missing")
    edges = np.linspace(0.0, 1.0, rows + 1)
    reached = falls <= 1.0
    at = np.ceil(np.maximum(falls[reached], 0.0) * rows - 1e-9).astype(int)  # a position is closed at its own row
    counted = np.bincount(at, notionals[reached], minlength=rows + 1)
    return Ladder(falls=edges, closed=np.cumsum(counted))


def square_root_impact(daily_vol: float, daily_volume: float, factor: float = 1.0) -> Impact:
    """USD sold -> fall: factor x daily volatility x root(sold / USD traded a day)."""
    if not daily_volume > 0:
        raise InputError("daily_volume", daily_volume, "must be above 0 USD")
    return lambda sold: square_root_move(np.maximum(sold, 0.0), daily_volume, daily_vol, factor)


def linear_impact(per_usd: float) -> Impact:
    """USD sold -> fall: the same fraction for every dollar."""
    return lambda sold: per_usd * np.maximum(sold, 0.0)


def cascade(ladder: Ladder, impact: Impact, shock: float) -> Cascade:
    """The smallest fall at which selling stops. Nothing falls by more than all of its price."""
    if not 0.0 <= shock <= 1.0:
        raise InputError("shock", shock, "must be a fall from 0 to 1")
    needed = ladder.falls - impact(ladder.closed)  # the shock that ends at this fall
    start = ladder.up_to(shock)
    if shock + float(impact(np.array([start]))[0]) <= shock:
        return Cascade(shock=shock, total=shock, closed=start)
    at = np.flatnonzero((ladder.falls >= shock) & (needed >= shock))
    if not len(at):
        return Cascade(shock=shock, total=1.0, closed=float(ladder.closed[-1]))
    i = int(at[0])
    total = float(ladder.falls[i])
    if i and ladder.falls[i - 1] < total:
        low = max(float(ladder.falls[i - 1]), shock)
        total = _crossing(ladder, impact, shock, low, total)
    return Cascade(shock=shock, total=total, closed=ladder.up_to(total))


def _crossing(ladder: Ladder, impact: Impact, shock: float, low: float, high: float) -> float:
    """Bisection for x - impact(Q(x)) = shock between a fall that is too small and one that is enough."""
    for _ in range(80):
        middle = 0.5 * (low + high)
        enough = middle - float(impact(np.array([ladder.up_to(middle)]))[0]) >= shock
        low, high = (low, middle) if enough else (middle, high)
    return high


def reproduction(ladder: Ladder, impact: Impact) -> np.ndarray:
    """(m - 1,) R0 between the rows: fall that one more unit of fall brings about; 1 or more feeds on itself."""
    added = np.diff(impact(ladder.closed))
    return added / np.diff(ladder.falls)


def critical_shock(ladder: Ladder, impact: Impact, jump: float = 0.01) -> tuple[float, float] | None:
    """(shock, fall it ends at) of the smallest shock whose fall jumps by `jump` or more at once; None where none does.

    The shock that ends at fall x is x - impact(Q(x)). Where that goes down again, falls in between are never ends: the
    cascade runs through them.
    """
    needed = ladder.falls - impact(ladder.closed)
    highest = np.maximum.accumulate(needed)
    i = 0
    while i < len(needed):
        if needed[i] >= highest[i]:
            beyond = np.flatnonzero(needed[i + 1 :] > highest[i])
            end = i + 1 + int(beyond[0]) if len(beyond) else len(needed) - 1
            if ladder.falls[end] - ladder.falls[i] >= jump + (ladder.falls[1] - ladder.falls[0]):
                ends = float(ladder.falls[end]) if len(beyond) else 1.0
                return max(float(highest[i]), 0.0), ends
            i = max(end, i + 1)
        else:
            i += 1
    return None
