"""Ranks with ties, along windows: what Spearman's correlation is made of."""

import numpy as np

CELLS = 4_000_000  # comparisons held at a time


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks 1..n along the last axis, tied values sharing their mean rank. values : (..., n) without NaN."""
    below = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    level = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    found: np.ndarray = below + (level + 1) / 2.0
    return found


def rolling_spearman(x: np.ndarray, y: np.ndarray, window: int) -> np.ndarray:
    """(n,) Spearman correlation of the last `window` rows; NaN before there are so many, or where one does not vary.

    x, y : (n,) without NaN. Pearson correlation of the ranks within each window, ties at their mean rank.
    Source: Spearman (1904).
    """
    out = np.full(len(x), np.nan)
    if len(x) < window:
        return out
    pairs = [np.lib.stride_tricks.sliding_window_view(v, window) for v in (x, y)]
    step = max(CELLS // window**2, 1)
    middle = (window + 1) / 2.0
    for start in range(0, len(pairs[0]), step):
        a, b = (average_ranks(v[start : start + step]) - middle for v in pairs)
        scale = np.sqrt((a * a).sum(axis=1)) * np.sqrt((b * b).sum(axis=1))
        fine = scale > 0
        rho = np.divide((a * b).sum(axis=1), scale, out=np.full(len(a), np.nan), where=fine)
        out[window - 1 + start : window - 1 + start + len(a)] = np.clip(rho, -1.0, 1.0)
    return out
