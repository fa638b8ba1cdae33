"""The compiled loops behind margin/rolling.py. Importing this module imports numba."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

PIVOT_SAMPLES = 9


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """njit, with the compiled code kept on disk where there is a directory to keep it in."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:
        return njit(function)


@njit(inline="always")
def _pivot(column: np.ndarray, start: int, stop: int, sample: np.ndarray) -> float:
    """Median of a few values spread over the rows: near the middle, blind to a few bad ticks. 0 when none is there."""
    count = 0
    step = max((stop - start) // len(sample), 1)
    for row in range(start, stop, step):
        x = column[row]
        if np.isfinite(x) and count < len(sample):
            at = count
            while at > 0 and sample[at - 1] > x:
                sample[at] = sample[at - 1]
                at -= 1
            sample[at] = x
            count += 1
    return sample[count // 2] if count else 0.0


@njit(inline="always")
def _rho(product: float, means: np.ndarray, scales: np.ndarray, i: int, j: int, b: int, t: int) -> float:
    rho = (product - means[i, b, t] * means[j, b, t]) * (scales[i, b, t] * scales[j, b, t])
    return 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho  # NaN stays NaN


@_compile
def prepare(columns: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What the pairs share, per column and block of `window` rows.

    columns : (k, n). Returns suffix, prefix, means, scales, each (k, blocks, window):
    suffix : the block before, prefix : the block, both minus the blocks' pivot, 0 where missing
    means, scales : of the window that ends at each row: root(W) x mean and 1 / root(sum of centred squares), the latter
    NaN where the window has a value missing or does not vary
    """
    k, n = columns.shape
    blocks = -(-n // window)
    suffix = np.zeros((k, blocks, window))
    prefix = np.zeros((k, blocks, window))
    means = np.zeros((k, blocks, window))
    scales = np.full((k, blocks, window), np.nan)
    root = np.sqrt(window)
    sample = np.empty(PIVOT_SAMPLES)
    held_sum, held_squares = np.empty(window + 1), np.empty(window + 1)
    for c in range(k):
        column = columns[c]
        last_missing, last_change = -1, 0
        for b in range(blocks):
            first = b * window
            pivot = _pivot(column, max(first - window, 0), min(first + window, n), sample)
            held_sum[window] = held_squares[window] = 0.0
            for t in range(window - 1, -1, -1):
                x = column[first - window + t] if b > 0 else np.nan
                x = x - pivot if np.isfinite(x) else 0.0
                suffix[c, b, t] = x
                held_sum[t] = held_sum[t + 1] + x
                held_squares[t] = held_squares[t + 1] + x * x
            total = squares = 0.0
            for t in range(min(window, n - first)):
                row = first + t
                raw = column[row]
                if not np.isfinite(raw):
                    last_missing = row
                elif row > 0 and raw != column[row - 1]:
                    last_change = row
                x = raw - pivot if np.isfinite(raw) else 0.0
                prefix[c, b, t] = x
                total += x
                squares += x * x
                begin = row - window + 1
                if begin < 0 or last_missing >= begin or last_change <= begin:
                    continue
                mean = (held_sum[t + 1] + total) / root
                spread = held_squares[t + 1] + squares - mean * mean
                means[c, b, t] = mean
                if spread > 0.0:
                    scales[c, b, t] = 1.0 / np.sqrt(spread)
    return suffix, prefix, means, scales


@_compile
def correlate(
    suffix: np.ndarray,
    prefix: np.ndarray,
    means: np.ndarray,
    scales: np.ndarray,
    pairs: np.ndarray,
    window: int,
    out: np.ndarray,
) -> None:
    """Fill out[p, t] in place. Four pairs run side by side, so that one sum need not wait for another."""
    rows, blocks, count = out.shape[1], suffix.shape[1], pairs.shape[0]
    held = np.zeros((window + 1, 4))
    begun = np.empty(4)
    for start in range(0, count, 4):
        p0, p1 = start, min(start + 1, count - 1)
        p2, p3 = min(start + 2, count - 1), min(start + 3, count - 1)
        i0, i1, i2, i3 = pairs[p0, 0], pairs[p1, 0], pairs[p2, 0], pairs[p3, 0]
        j0, j1, j2, j3 = pairs[p0, 1], pairs[p1, 1], pairs[p2, 1], pairs[p3, 1]
        for b in range(blocks):
            for t in range(window - 1, -1, -1):
                held[t, 0] = held[t + 1, 0] + suffix[i0, b, t] * suffix[j0, b, t]
                held[t, 1] = held[t + 1, 1] + suffix[i1, b, t] * suffix[j1, b, t]
                held[t, 2] = held[t + 1, 2] + suffix[i2, b, t] * suffix[j2, b, t]
                held[t, 3] = held[t + 1, 3] + suffix[i3, b, t] * suffix[j3, b, t]
            begun[:] = 0.0
            first = b * window
            for t in range(min(window, rows - first)):
                begun[0] += prefix[i0, b, t] * prefix[j0, b, t]
                begun[1] += prefix[i1, b, t] * prefix[j1, b, t]
                begun[2] += prefix[i2, b, t] * prefix[j2, b, t]
                begun[3] += prefix[i3, b, t] * prefix[j3, b, t]
                row, u = first + t, t + 1
                out[p0, row] = _rho(held[u, 0] + begun[0], means, scales, i0, j0, b, t)
                out[p1, row] = _rho(held[u, 1] + begun[1], means, scales, i1, j1, b, t)
                out[p2, row] = _rho(held[u, 2] + begun[2], means, scales, i2, j2, b, t)
                out[p3, row] = _rho(held[u, 3] + begun[3], means, scales, i3, j3, b, t)
