"""The compiled loops behind margin/rolling.py. Importing this module imports numba."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

PIVOT_SAMPLES = 9


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """njit without the interpreter's lock, the compiled code kept on disk where there is a directory for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)


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


@_compile
def prepare(columns: np.ndarray, window: int, begin: int, end: int) -> tuple[np.ndarray, ...]:
    """What the pairs share, per column, for the blocks begin..end - 1 of `window` rows each.

    columns : (k, n). Returns suffix, prefix, means, scales, each (k, end - begin, window):
    suffix : the block before, prefix : the block, both minus the blocks' pivot, 0 where missing
    means, scales : of the window that ends at each row: root(W) x mean and 1 / root(sum of centred squares), the latter
    NaN where the window has a value missing or does not vary
    """
    k, n = columns.shape
    blocks = end - begin
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
        for row in range(max((begin - 1) * window, 0), begin * window):
            if not np.isfinite(column[row]):
                last_missing = row
            elif row > 0 and column[row] != column[row - 1]:
                last_change = row
        for b in range(blocks):
            first = (begin + b) * window
            pivot = _pivot(column, max(first - window, 0), min(first + window, n), sample)
            held_sum[window] = held_squares[window] = 0.0
            for t in range(window - 1, -1, -1):
                x = column[first - window + t] if first > 0 else np.nan
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
                oldest = row - window + 1
                if oldest < 0 or last_missing >= oldest or last_change <= oldest:
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
    begin: int,
    out: np.ndarray,
) -> None:
    """Fill out[p, t] in place for the blocks that `prepare` began at. Four pairs run side by side: no sum waits."""
    rows, blocks, count = out.shape[1], suffix.shape[1], pairs.shape[0]
    products = np.empty((4, window))  # of the window that ends at each row of the block
    for start in range(0, count, 4):
        p0, p1 = start, min(start + 1, count - 1)
        p2, p3 = min(start + 2, count - 1), min(start + 3, count - 1)
        i0, i1, i2, i3 = pairs[p0, 0], pairs[p1, 0], pairs[p2, 0], pairs[p3, 0]
        j0, j1, j2, j3 = pairs[p0, 1], pairs[p1, 1], pairs[p2, 1], pairs[p3, 1]
        for b in range(blocks):
            first = (begin + b) * window
            a0 = a1 = a2 = a3 = 0.0
            for t in range(window - 1, -1, -1):
                products[0, t], products[1, t], products[2, t], products[3, t] = a0, a1, a2, a3
                a0 += suffix[i0, b, t] * suffix[j0, b, t]
                a1 += suffix[i1, b, t] * suffix[j1, b, t]
                a2 += suffix[i2, b, t] * suffix[j2, b, t]
                a3 += suffix[i3, b, t] * suffix[j3, b, t]
            a0 = a1 = a2 = a3 = 0.0
            for t in range(window):
                a0 += prefix[i0, b, t] * prefix[j0, b, t]
                a1 += prefix[i1, b, t] * prefix[j1, b, t]
                a2 += prefix[i2, b, t] * prefix[j2, b, t]
                a3 += prefix[i3, b, t] * prefix[j3, b, t]
                products[0, t] += a0
                products[1, t] += a1
                products[2, t] += a2
                products[3, t] += a3
            used = min(window, rows - first)
            for q in range(min(4, count - start)):
                i, j = pairs[start + q, 0], pairs[start + q, 1]
                line, product = out[start + q, first : first + used], products[q]
                mean_i, mean_j, scale_i, scale_j = means[i, b], means[j, b], scales[i, b], scales[j, b]
                for t in range(used):
                    rho = (product[t] - mean_i[t] * mean_j[t]) * (scale_i[t] * scale_j[t])
                    line[t] = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho  # NaN stays NaN
