"""Rolling correlation of many pairs over long histories: fast, and exact to the last digits.

For windows of W rows the history is cut into blocks of W. A window that ends inside a block is the end of the block
before plus the beginning of its own, so its sums are one suffix sum plus one prefix sum, and nothing is ever subtracted
from a running total: one bad tick spoils the windows that hold it and no other. Values are centred first, by one that
all the block's windows hold: price levels and returns + 1e6 lose no digits either, and later rows change nothing, bit
for bit.
Source of the block scheme: van Herk (1992), Gil and Werman (1993), there for running maxima.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from margin.core.errors import InputError

STRETCH = 1_200  # rows worked on at a time
THREADED_FROM = 200_000  # results; below that a second thread costs more than it saves


@dataclass(frozen=True, eq=False)
class RollingCorrelation:
    """values[p, t] : correlation of pairs[p] over the window that ends at row t; NaN where there is none.

    A window has none when fewer than `min_periods` of its rows have both values, or when either column does not vary on
    them; `why_missing` tells which.
    """

    pairs: tuple[tuple[int, int], ...]
    values: np.ndarray
    window: int
    min_periods: int

    def matrix(self, row: int, columns: int) -> np.ndarray:
        """(columns, columns) correlations at one row, 1 on the diagonal."""
        out = np.full((columns, columns), np.nan)
        np.fill_diagonal(out, 1.0)
        for (i, j), rho in zip(self.pairs, self.values[:, row], strict=True):
            out[i, j] = out[j, i] = rho
        return out


def rolling_correlation(
    values: np.ndarray,
    window: int,
    pairs: Sequence[tuple[int, int]] | None = None,
    min_periods: int | None = None,
) -> RollingCorrelation:
    """Pearson correlation over `window` rows for all pairs of columns, or for the chosen ones.

    values      : (n, k) floats, NaN where missing (late listings, gaps, delisted assets)
    min_periods : rows of the window that must have both values; the whole window unless given
    The same as pandas' rolling(window, min_periods).corr(), 25 times faster or more; error below 1e-12
    (docs/correlation.md). Without numba the same figures come slowly, from NumPy.
    """
    data = np.asarray(values, dtype=float)
    if data.ndim != 2:
        raise InputError("values", data.shape, "must have rows and columns")
    if isinstance(window, bool) or not isinstance(window, int) or window < 3:
        raise InputError("window", window, "must be a whole number of at least 3")
    least = window if min_periods is None else min_periods
    if isinstance(least, bool) or not isinstance(least, int) or not 2 <= least <= window:
        raise InputError("min_periods", min_periods, f"must be a whole number from 2 to the window, {window}")
    k = data.shape[1]
    chosen = chosen_pairs(pairs, k)
    out = np.empty((len(chosen), len(data)))
    if len(data) < least or not chosen:
        out[:] = np.nan
    else:
        _fill(np.ascontiguousarray(data.T), window, least, np.array(chosen, dtype=np.int64).reshape(-1, 2), out)
    return RollingCorrelation(chosen, out, window, least)


def chosen_pairs(pairs: Sequence[tuple[int, int]] | None, k: int) -> tuple[tuple[int, int], ...]:
    """The pairs of k columns that are asked for, by default all. Raises InputError for a column that is not there."""
    chosen = tuple(combinations(range(k), 2)) if pairs is None else tuple((int(i), int(j)) for i, j in pairs)
    for i, j in chosen:
        if not (0 <= i < k and 0 <= j < k):
            raise InputError("pairs", (i, j), f"names a column that is not among the {k}")
    return chosen


def why_missing(x: np.ndarray, y: np.ndarray, window: int, min_periods: int, row: int) -> str:
    """Why the window of two columns that ends at `row` has no correlation; '' when it has one."""
    start = max(row - window + 1, 0)
    x, y = x[start : row + 1], y[start : row + 1]
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < min_periods:
        return f"only {both.sum()} of the {min_periods} returns it needs"
    still = [name for name, v in (("first", x[both]), ("second", y[both])) if (v == v[0]).all()]
    return f"the {' and the '.join(still)} does not move in the window" if still else ""


def _fill(columns: np.ndarray, window: int, least: int, pairs: np.ndarray, out: np.ndarray) -> None:
    """Stretch by stretch of history, so that what the pairs share stays in the cache; long ones on two threads."""
    try:
        from margin.rolling import pearson_kernels as rolling_kernels
    except ImportError:
        from margin.rolling.pearson_plain import correlate_plain

        correlate_plain(columns, pairs, window, least, out)
        return
    blocks = columns.shape[1] // window + 1  # block b holds the windows that end at rows b W - 1 to (b + 1) W - 2

    def fill(begin: int, end: int) -> None:
        stretch = max(STRETCH // window, 1)
        for start in range(max(begin, 1), end, stretch):
            stop = min(start + stretch, end)
            shared = rolling_kernels.prepare(columns, window, start, stop)
            rolling_kernels.correlate(*shared, pairs, window, start, out)
        if least < window:
            from margin.rolling.pearson_partial import correlate_partial

            correlate_partial(columns, pairs, window, least, begin, end, out)

    out[:, : window - 1] = np.nan
    if out.size < THREADED_FROM or blocks < 3:
        fill(0, blocks)
        return
    middle = (blocks + 1) // 2
    with ThreadPoolExecutor(1) as other:
        first = other.submit(fill, 0, middle)
        fill(middle, blocks)
        first.result()
