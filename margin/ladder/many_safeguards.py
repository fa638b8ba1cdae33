"""The safeguards of many rows at once: the amounts of `safeguard_lines` (margin/ladder/safeguards.py) as arrays.

Each step is defined there and in docs/models.md; here are no words. tests/models/test_laws.py holds both to 1e-9.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin.core.settings import Settings
from margin.ladder.safeguards import LONG_RUN, closing_costs
from margin.risk.extremes import Extremes
from margin.risk.scenarios import FEW, worst_window
from margin.risk.tail import tail_mass

__all__ = ["Pooled", "safeguarded", "worst_windows"]

LEAST_ROWS = 200  # below, the loop of `worst_window` is as quick as loading the compiled one


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooled:
    """What the safeguards ask of r rows of one book.

    isolated, pooled, basis, coins : (r,) USD; basis : the charge of all offsets, coins : of it what coins held add
    losses : (n, r) USD under the whole history; net : (r, k) USD in each price series, of the assets named
    daily_vol, recent_vol, volumes : (k,), as a measured book has them; tail : the measure, (n, r) -> (r,)
    """

    isolated: np.ndarray
    pooled: np.ndarray
    basis: np.ndarray
    coins: np.ndarray
    losses: np.ndarray
    net: np.ndarray
    assets: tuple[str, ...]
    daily_vol: np.ndarray
    recent_vol: np.ndarray
    volumes: np.ndarray
    correlations: Extremes | None
    settings: Settings
    tail: Callable[[np.ndarray], np.ndarray]

    def worst_stretch(self) -> np.ndarray:
        """(r,) USD margin in each row's worst window of `lookback` returns."""
        length = min(self.settings.lookback, len(self.losses))
        starts = worst_windows(self.losses, length, self.settings.level)
        return self.tail(self.losses[starts + np.arange(length)[:, None], np.arange(self.losses.shape[1])])


def safeguarded(book: Pooled) -> np.ndarray:
    """(r,) USD asked with safeguards."""
    s = book.settings.safeguards
    asked, room = book.pooled.copy(), np.maximum(book.isolated - book.pooled, 0.0)
    if s.offset_cap:
        np.maximum(asked, book.isolated - s.offset_cap_share * (book.isolated - book.pooled), out=asked)
    stressed = s.stressed or s.procyclicality == "stress"
    worst = book.worst_stretch() if stressed else np.zeros(len(asked))
    if s.stressed:
        np.maximum(asked, s.stress_weight * worst, out=asked)
    if s.correlation_break:
        rise = s.correlation_weight * book.pooled * (_break_ratios(book) - 1.0)
        asked += np.maximum(np.minimum(rise, room), 0.0)
    if s.basis:
        asked += book.basis
    if s.liquidity:
        asked += _liquidity(book)
    if s.procyclicality == "buffer":
        asked += s.buffer_share * asked
    elif s.procyclicality == "stress":
        asked += np.maximum(s.stress_share * (worst - asked), 0.0)
    elif s.procyclicality != "off":
        np.maximum(asked, book.tail(book.losses[-LONG_RUN:]), out=asked)
    if s.cap_at_isolated:
        most = np.maximum(book.isolated, book.pooled) + (book.coins if s.basis else 0.0)
        np.minimum(asked, most, out=asked)
    return asked


def _break_ratios(book: Pooled) -> np.ndarray:
    """(r,) `margin.risk.extremes.break_ratio` of each row."""
    seen, dollars = book.correlations, book.net * book.recent_vol
    if seen is None or dollars.shape[1] < 2:
        return np.ones(len(dollars))
    high, low = np.maximum(seen.high, seen.now), np.minimum(seen.low, seen.now)
    products = dollars[:, :, None] * dollars[:, None, :]
    current = np.sum(products * seen.now, axis=(1, 2))
    broken = np.sum(np.where(products > 0, products * high, products * low), axis=(1, 2))
    gross = np.abs(dollars).sum(axis=1)
    least = np.maximum(current, (0.01 * gross) ** 2)
    risen = np.sqrt(np.divide(np.maximum(broken, 0.0), least, out=np.ones_like(least), where=least > 0))
    ratios: np.ndarray = np.where((broken > current) & (gross > 0), risen, 1.0)
    return ratios


def _liquidity(book: Pooled) -> np.ndarray:
    """(r,) USD that closing each asset costs, as far as its traded volume is known."""
    factor = book.settings.safeguards.impact_factor
    return closing_costs(book.assets, book.net, book.volumes, book.daily_vol, factor)[0]


def worst_windows(losses: np.ndarray, length: int, level: float) -> np.ndarray:
    """(r,) `worst_window` of each column of losses (n, r), many at once compiled."""
    rows = np.ascontiguousarray(losses.T)
    out = np.full(len(rows), -1)
    if len(rows) >= LEAST_ROWS and rows.shape[1] > FEW:
        from margin.ladder.window_kernel import deal

        mass, _ = tail_mass(length, level)
        least = np.partition(rows, rows.shape[1] - FEW, axis=1)[:, rows.shape[1] - FEW]
        deal(rows, least, length, mass, out)
    for r in np.flatnonzero(out < 0).tolist():
        out[r] = worst_window(rows[r], length, level)
    return out
