"""The compiled loops behind margin/rolling/pearson.py. Importing this module imports numba."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """njit without the interpreter's lock, the compiled code kept on disk where there is a directory for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function: no locator available": nowhere to write
        return njit(nogil=True)(function)


def compiled_lanes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same with NumPy's division (NaN and inf, no exception): a loop without a way out runs in vector lanes."""
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)


@compiled
def prepare(columns: np.ndarray, window: int, begin: int, end: int) -> tuple[np.ndarray, ...]:
    """What the pairs share, per column, for blocks begin..end - 1; block b's windows end at rows b W - 1 + t, t < W.

    columns : (k, n). Returns suffix, prefix, means, scales, each (k, end - begin, W):
    suffix : the block before, prefix : its own rows, both minus the last value before the block, 0 where missing
    means, scales : of the window at t: root(W) x mean and 1 / root(sum of centred squares), the latter NaN where the
    window has a value missing or does not vary

    The value subtracted belongs to every window of the block, so it lies within the window's range: squares about it
    are at most W + 1 times the squares about the mean, and nothing later than a window has a say in it.
    """
    k, n = columns.shape
    blocks = end - begin
    suffix = np.zeros((k, blocks, window))
    prefix = np.zeros((k, blocks, window))
    means = np.zeros((k, blocks, window))
    scales = np.full((k, blocks, window), np.nan)
    root = np.sqrt(window)
    held_sum, held_squares = np.empty(window), np.empty(window)
    for c in range(k):
        column = columns[c]
        last_missing, last_change = -1, 0
        for row in range((begin - 1) * window, begin * window):
            if not np.isfinite(column[row]):
                last_missing = row
            elif row > 0 and column[row] != column[row - 1]:
                last_change = row
        for b in range(blocks):
            first = (begin + b) * window
            pivot = column[first - 1]
            if not np.isfinite(pivot):
                pivot = 0.0  # then no window of this block is complete
            total = squares = 0.0
            for t in range(window - 1, -1, -1):
                x = column[first - window + t]
                x = x - pivot if np.isfinite(x) else 0.0
                suffix[c, b, t] = x
                total += x
                squares += x * x
                held_sum[t] = total
                held_squares[t] = squares
            total = squares = 0.0
            for t in range(min(window, n - first + 1)):
                oldest = first - window + t
                if last_missing < oldest and last_change > oldest:
                    mean = (held_sum[t] + total) / root
                    spread = held_squares[t] + squares - mean * mean
                    means[c, b, t] = mean
                    if spread > 0.0:
                        scales[c, b, t] = 1.0 / np.sqrt(spread)
                row = first + t
                if row == n:
                    break
                raw = column[row]
                if not np.isfinite(raw):
                    last_missing = row
                    continue
                if raw != column[row - 1]:
                    last_change = row
                x = raw - pivot
                prefix[c, b, t] = x
                total += x
                squares += x * x
    return suffix, prefix, means, scales


@compiled
def correlate(
    suffix: np.ndarray,
    prefix: np.ndarray,
    means: np.ndarray,
    scales: np.ndarray,
    pairs: np.ndarray,
    window: int,
    begin: int,
    out: np.ndarray,
) -> None:
    """Fill out[p, t] in place for the blocks that `prepare` began at. Four pairs run side by side: no sum waits."""
    rows, blocks, count = out.shape[1], suffix.shape[1], pairs.shape[0]
    products = np.empty((4, window))  # of the window at each t of the block
    for start in range(0, count, 4):
        p0, p1 = start, min(start + 1, count - 1)
        p2, p3 = min(start + 2, count - 1), min(start + 3, count - 1)
        i0, i1, i2, i3 = pairs[p0, 0], pairs[p1, 0], pairs[p2, 0], pairs[p3, 0]
        j0, j1, j2, j3 = pairs[p0, 1], pairs[p1, 1], pairs[p2, 1], pairs[p3, 1]
        for b in range(blocks):
            end = (begin + b) * window - 1
            a0 = a1 = a2 = a3 = 0.0
            for t in range(window - 1, -1, -1):
                a0 += suffix[i0, b, t] * suffix[j0, b, t]
                a1 += suffix[i1, b, t] * suffix[j1, b, t]
                a2 += suffix[i2, b, t] * suffix[j2, b, t]
                a3 += suffix[i3, b, t] * suffix[j3, b, t]
                products[0, t], products[1, t], products[2, t], products[3, t] = a0, a1, a2, a3
            a0 = a1 = a2 = a3 = 0.0
            for t in range(window):
                products[0, t] += a0
                products[1, t] += a1
                products[2, t] += a2
                products[3, t] += a3
                a0 += prefix[i0, b, t] * prefix[j0, b, t]
                a1 += prefix[i1, b, t] * prefix[j1, b, t]
                a2 += prefix[i2, b, t] * prefix[j2, b, t]
                a3 += prefix[i3, b, t] * prefix[j3, b, t]
            used = min(window, rows - end)
            for q in range(min(4, count - start)):
                i, j = pairs[start + q, 0], pairs[start + q, 1]
                line, product = out[start + q, end : end + used], products[q]
                mean_i, mean_j, scale_i, scale_j = means[i, b], means[j, b], scales[i, b], scales[j, b]
                for t in range(used):
                    rho = (product[t] - mean_i[t] * mean_j[t]) * (scale_i[t] * scale_j[t])
                    line[t] = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho  # NaN stays NaN
