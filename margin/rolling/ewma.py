"""Exponentially weighted correlation of many pairs over long histories."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.rolling.pearson import THREADED_FROM, RollingCorrelation, chosen_pairs

LEAST = 20  # observations before the first figure


def ewma_correlation(
    values: np.ndarray, halflife: float, pairs: Sequence[tuple[int, int]] | None = None, least: int = LEAST
) -> RollingCorrelation:
    """values[p, t] : correlation of pairs[p] up to row t, mean zero, weights 0.5^(age / halflife), newest heaviest.

    values : (n, k) floats, NaN where missing. A row without both values is passed over and ages nothing; it has no
    figure itself, and neither have the first `least` - 1 common rows, nor rows before both columns have moved.
    Row t equals `ewma_covariance(values[: t + 1], ., halflife)`: products only grow older and nothing is taken out, so
    later rows change nothing, bit for bit.
    Source: RiskMetrics Technical Document (1996), section 5.3.
    """
    data = np.asarray(values, dtype=float)
    if data.ndim != 2:
        raise InputError("values", data.shape, "must have rows and columns")
    if isinstance(halflife, bool) or not isinstance(halflife, int | float) or not 0 < halflife < 1e6:
        raise InputError("halflife", halflife, "must be above 0 and below a million observations")
    chosen = chosen_pairs(pairs, data.shape[1])
    out = np.empty((len(chosen), len(data)))
    if chosen and len(data):
        columns, wanted = np.ascontiguousarray(data.T), np.array(chosen, dtype=np.int64)
        _fill(columns, wanted, 0.5 ** (1.0 / halflife), least, out)
    return RollingCorrelation(chosen, out, least, least)


def ewma_volatility(returns: np.ndarray, halflife: float) -> np.ndarray:
    """(n,) volatility per step up to each row, mean zero, the same weights. returns : (n,) without NaN."""
    squares = pd.Series(np.asarray(returns, dtype=float) ** 2)
    found: np.ndarray = np.sqrt(squares.ewm(halflife=halflife).mean().to_numpy())
    return found


def _fill(columns: np.ndarray, pairs: np.ndarray, decay: float, least: int, out: np.ndarray) -> None:
    try:
        from margin.rolling.ewma_kernel import correlate_ewma
    except ImportError:
        _plain(columns, pairs, decay, least, out)
    else:
        if out.size < THREADED_FROM:
            correlate_ewma(columns, pairs, decay, least, 0, len(pairs), out)
            return
        middle = len(pairs) // 2
        with ThreadPoolExecutor(1) as other:
            first = other.submit(correlate_ewma, columns, pairs, decay, least, 0, middle, out)
            correlate_ewma(columns, pairs, decay, least, middle, len(pairs), out)
            first.result()


def _plain(columns: np.ndarray, pairs: np.ndarray, decay: float, least: int, out: np.ndarray) -> None:
    out[:] = np.nan
    for line, (i, j) in zip(out, pairs, strict=True):
        held = np.flatnonzero(np.isfinite(columns[i]) & np.isfinite(columns[j]))
        x, y = columns[i][held], columns[j][held]
        products = pd.DataFrame(np.column_stack((x * x, y * y, x * y)))
        xx, yy, xy = products.ewm(alpha=1.0 - decay).mean().to_numpy().T
        fine = (xx > 0) & (yy > 0) & (np.arange(1, len(held) + 1) >= least)
        scale = np.where(fine, np.sqrt(xx) * np.sqrt(yy), 1.0)
        line[held] = np.where(fine, np.clip(xy / scale, -1.0, 1.0), np.nan)
