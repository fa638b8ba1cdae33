"""How far the correlation of every pair has ever gone: its extremes over all windows of 60 returns so far.

One definition for the safeguard, the backtest and the pages: *worst correlation so far* looks at every window that ends
on or before as-of, and at the correlation over the lookback that is measured now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["CORRELATION_WINDOW", "Extremes", "break_ratio", "correlations", "extremes", "running_extremes"]

CORRELATION_WINDOW = 60
ADDED = ((1, 1), (2, 1), (3, 2), (5, 5), (10, 10), (20, 20), (40, 20))  # the fewest additions that make 60 of 1
ROUNDING = 1e-13  # of a window's sum of squares: below it the asset stood still and only rounding varies


@dataclass(frozen=True)
class Extremes:
    """Each (k, k): every pair's lowest and highest correlation over 60-return windows so far, and the present one."""

    low: np.ndarray
    high: np.ndarray
    now: np.ndarray


def extremes(returns: np.ndarray, lookback: int) -> Extremes | None:
    """Of all windows of `returns` (n, k), and now over the last `lookback` of them; None below 60 returns."""
    if len(returns) < CORRELATION_WINDOW:
        return None
    low, high = np.ones((2, returns.shape[1], returns.shape[1]))
    for i, seen in _windows(returns):
        low[i, i + 1 :] = low[i + 1 :, i] = np.maximum(seen.min(axis=1), -1.0)
        high[i, i + 1 :] = high[i + 1 :, i] = np.minimum(seen.max(axis=1), 1.0)
    return Extremes(low, high, correlations(returns[-lookback:]))


def running_extremes(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (n - 59, k, k): what had been seen when window i ended, on row i + 59; none below 60 rows."""
    n, k = returns.shape
    low, high = np.ones((2, max(n - CORRELATION_WINDOW + 1, 0), k, k))
    if not len(low):
        return low, high
    for i, seen in _windows(returns):
        np.clip(seen, -1.0, 1.0, out=seen)
        low[:, i, i + 1 :] = low[:, i + 1 :, i] = np.minimum.accumulate(seen, axis=1).T
        high[:, i, i + 1 :] = high[:, i + 1 :, i] = np.maximum.accumulate(seen, axis=1).T
    return low, high


def break_ratio(dollars: np.ndarray, seen: Extremes) -> float:
    """root(variance with each pair at the correlation that hurts this book most / variance now), at least 1.

    dollars : (k,) USD standard deviation per asset, signed. The extremes are each pair's own, so together they are a
    bound, not a matrix that was ever seen.
    """
    if len(dollars) < 2:
        return 1.0
    products = np.outer(dollars, dollars)
    worst = np.where(products > 0, np.maximum(seen.high, seen.now), np.minimum(seen.low, seen.now))
    current, broken = float(np.sum(products * seen.now)), float(np.sum(products * worst))
    gross = float(np.abs(dollars).sum())
    if gross <= 0:
        return 1.0
    # A perfectly hedged book has no volatility to multiply; the break is then measured against 1% of its gross.
    return float(np.sqrt(max(broken, 0.0) / max(current, (0.01 * gross) ** 2))) if broken > current else 1.0


def correlations(returns: np.ndarray) -> np.ndarray:
    """(n, k) -> (k, k) Pearson; 0 where an asset does not vary, 1 on the diagonal."""
    centred = returns - returns.mean(axis=0)
    cov = centred.T @ centred
    vols = np.sqrt(np.diag(cov))
    scale = np.outer(vols, vols)
    corr = np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0)
    np.fill_diagonal(corr, 1.0)
    found: np.ndarray = corr
    return found


def _windows(returns: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(i, correlations (k - 1 - i, n - 59) of asset i with every later one in every window); 0 where one stands still.

    One asset at a time and in the same memory, so that what is worked on stays in the cache: an answer holds until the
    next one is asked for.
    """
    w, lines = CORRELATION_WINDOW, np.ascontiguousarray(returns.T)
    products, *room = np.empty((4, *lines.shape))
    mean, squares = _sums(lines, room) / np.sqrt(w), _sums(np.multiply(lines, lines, out=products), room)
    spread = squares - mean * mean
    moves = spread > ROUNDING * squares
    scale = np.divide(1.0, np.sqrt(np.where(moves, spread, 1.0)), out=np.zeros_like(spread), where=moves)
    for i in range(len(lines) - 1):
        out = _sums(np.multiply(lines[i], lines[i + 1 :], out=products[i + 1 :]), room)
        out -= mean[i] * mean[i + 1 :]
        out *= scale[i + 1 :]
        out *= scale[i]
        yield i, out


def _sums(lines: np.ndarray, room: Sequence[np.ndarray]) -> np.ndarray:
    """(m, n) -> (m, n - 59) sums over 60 successive columns, from sums over 2, 3, 5, 10, 20 and 40 of them.

    Nothing is subtracted from a running total: a bad tick stays in the windows that hold it, later rows change nothing.
    room : three arrays of at least (m, n) to work in; the answer lies in the first
    """
    m, n = lines.shape
    sums = {1: lines}
    for turn, (first, second) in enumerate(ADDED):  # no sum is asked for again three turns later
        width = first + second
        sums[width] = np.add(
            sums[first][:, : n - width + 1],
            sums[second][:, first : first + n - width + 1],
            out=room[turn % 3][:m, : n - width + 1],
        )
    return sums[CORRELATION_WINDOW]
