"""Scenario sets: which returns could happen over the next horizon, from data up to as-of only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from margin.risk.history import History
from margin.risk.tail import tail_mass

__all__ = ["Scenarios", "filtered", "historical", "in_window", "not_below_zero", "worst_window"]

FEW = 256  # largest losses, which nearly always decide where the worst window is


@dataclass(frozen=True)
class Scenarios:
    """Returns (n, k) over the horizon, equally likely; `dates` when they happened, None when simulated."""

    returns: np.ndarray
    dates: np.ndarray | None
    notes: tuple[str, ...] = ()


def historical(past: History, lookback: int) -> Scenarios:
    """The last `lookback` returns as they were."""
    return Scenarios(past.horizon.values[-lookback:], past.horizon.dates[-lookback:])


def filtered(past: History, lookback: int) -> Scenarios:
    """Past returns divided by the volatility known before each, times today's.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
    securities"; with RiskMetrics' EWMA in place of GARCH.
    """
    ends = np.searchsorted(past.daily_dates, past.horizon.dates)
    before = past.vol_path[np.maximum(ends - past.horizon.horizon + 1, 0)]
    ratio = np.divide(past.daily_vol, before, out=np.ones_like(before), where=before > 0)
    returns, notes = not_below_zero((past.horizon.values * ratio)[-lookback:])
    return Scenarios(returns, past.horizon.dates[-lookback:], notes)


def in_window(
    past: History,
    lookback: int,
    book_losses: np.ndarray,
    level: float,
    window_of: Callable[[np.ndarray, int, float], int],
) -> Scenarios:
    """The `lookback` successive returns that begin where `window_of` (losses, length, level) says.

    book_losses : (n,) USD, the book's loss under every return of the whole history
    """
    n = len(book_losses)
    if n <= lookback:
        note = f"Only {n} returns of common history: the stressed window is all of it."
        return Scenarios(past.horizon.values, past.horizon.dates, (note,))
    start = window_of(book_losses, lookback, level)
    window = slice(start, start + lookback)
    return Scenarios(past.horizon.values[window], past.horizon.dates[window])


def worst_window(losses: np.ndarray, length: int, level: float) -> int:
    """Start of the window of `length` successive losses with the largest ES; of equal ones the newest. Exact.

    losses : (n,) USD, n >= length
    Losses are dealt from the largest down to the windows that hold them, until no window that is still short of its
    tail could overtake the best full one; a few dozen losses decide, where sorting every window would cost 10 ms.
    """
    mass, _ = tail_mass(length, level)
    last = len(losses) - length
    dealt, room = np.zeros(last + 1), np.full(last + 1, mass)
    for step, i in enumerate(_from_the_largest(losses)):
        holds = slice(max(0, i - length + 1), min(i, last) + 1)
        taken = np.minimum(room[holds], 1.0)
        dealt[holds] += taken * losses[i]
        room[holds] -= taken
        if step % 8 == 7:
            full = room <= 0
            if full.any() and dealt[full].max() > (dealt + room * losses[i])[~full].max(initial=-np.inf):
                break
    full = room <= 0
    return int(np.flatnonzero(full & (dealt == dealt[full].max()))[-1])


def _from_the_largest(losses: np.ndarray) -> Iterator[int]:
    """Places of the losses from the largest down, of equal ones the first first; the small ones are sorted if asked."""
    if len(losses) > FEW:
        least = np.partition(losses, len(losses) - FEW)[len(losses) - FEW]
        large = np.flatnonzero(losses >= least)
        yield from large[np.argsort(-losses[large], kind="stable")].tolist()
        small = np.flatnonzero(losses < least)
        yield from small[np.argsort(-losses[small], kind="stable")].tolist()
        return
    yield from np.argsort(-losses, kind="stable").tolist()


def not_below_zero(returns: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns of at least -100%, for no price falls below zero, and a note when some had to be stopped there."""
    below = int((returns < -1.0).any(axis=1).sum())
    if not below:
        return returns, ()
    note = f"{below} of {len(returns)} scenarios would take a price below zero; it stops at zero there."
    return np.maximum(returns, -1.0), (note,)
