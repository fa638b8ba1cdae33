"""Rolling correlation without numba, every window on its own: some fifty times slower than the kernels."""

import numpy as np

CHUNK = 2_000_000  # cells of windows held at a time


def correlate_plain(columns: np.ndarray, pairs: np.ndarray, window: int, min_periods: int, out: np.ndarray) -> None:
    """Fill out[p, t]: Pearson on the rows of each window where both columns have a value, `min_periods` or more.

    columns : (k, n) with NaN where missing. Two passes over each window: the mean first, then the centred products.
    """
    n = columns.shape[1]
    step = max(CHUNK // window, 1)
    padding = np.full(window - 1, np.nan)
    for p, (i, j) in enumerate(pairs):
        x, y = np.concatenate((padding, columns[i])), np.concatenate((padding, columns[j]))
        for start in range(0, n, step):
            stop = min(start + step, n)
            out[p, start:stop] = _windows(
                x[start : stop + window - 1], y[start : stop + window - 1], window, min_periods
            )


def _windows(x: np.ndarray, y: np.ndarray, window: int, min_periods: int) -> np.ndarray:
    held = np.isfinite(x) & np.isfinite(y)
    both = np.lib.stride_tricks.sliding_window_view(held, window)
    count = both.sum(axis=1)
    centred, varies = [], count >= max(min_periods, 2)
    for values in (x, y):
        windows = np.lib.stride_tricks.sliding_window_view(np.where(held, values, np.nan), window)
        low = np.where(both, windows, np.inf).min(axis=1)
        high = np.where(both, windows, -np.inf).max(axis=1)
        varies &= high > low
        shift = np.where(np.isfinite(low), low, 0.0)[:, None]
        shifted = np.where(both, windows - shift, 0.0)
        centred.append(np.where(both, shifted - (shifted.sum(axis=1) / np.maximum(count, 1))[:, None], 0.0))
    cross, squares_x, squares_y = (
        np.einsum("tw,tw->t", a, b) for a, b in ((centred[0], centred[1]), (centred[0],) * 2, (centred[1],) * 2)
    )
    varies &= (squares_x > 0) & (squares_y > 0)
    scale = np.where(varies, np.sqrt(squares_x) * np.sqrt(squares_y), 1.0)
    return np.where(varies, np.clip(cross / scale, -1.0, 1.0), np.nan)
