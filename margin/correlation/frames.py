"""Some correlation matrices through time, for a heatmap that is played; never one for every date."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from margin.core.errors import InputError, did_you_mean
from margin.core.market import Market
from margin.correlation.matrix import correlation_matrix
from margin.correlation.order import hierarchical_order
from margin.correlation.paths import PATH_METHODS, all_pairs, carried, rolling_pairs
from margin.correlation.regimes import regime_matrices

FRAME_METHODS = (*PATH_METHODS, "ledoit-wolf", "worst-days")
MOST_FRAMES = 240


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixFrames:
    """assets (k) in an order that puts those that move together side by side; dates (m,); matrices (m, k, k).

    A pair without a figure on a date is NaN there.
    """

    assets: tuple[str, ...]
    dates: np.ndarray
    matrices: np.ndarray
    method: str
    window: int
    horizon: int


def matrix_frames(
    market: Market,
    assets: Sequence[str],
    method: str = "rolling",
    window: int = 60,
    horizon: int = 1,
    frames: int = 36,
    as_of: Any = None,
) -> MatrixFrames:
    """Matrices on `frames` dates spread evenly from the first on which any pair has a figure to the last by as-of.

    method : rolling, spearman: the last `window` returns of each pair; ewma: `window` is the half-life in returns;
             ledoit-wolf: shrunk, on common dates; worst-days: the market's worst 5% of days up to each date
             (`window` and `horizon` play no part there)
    Raises InputError for an unknown asset or method, and when no pair ever has a figure.
    """
    if method not in FRAME_METHODS:
        hint = did_you_mean(str(method), FRAME_METHODS) or f"One of {', '.join(FRAME_METHODS)}."
        raise InputError("method", method, "is not a method", hint)
    if not 1 <= frames <= MOST_FRAMES:
        raise InputError("frames", frames, f"must be from 1 to {MOST_FRAMES}")
    names = tuple(assets)
    rolling = all_pairs(market, names, window, horizon, as_of)
    key = ("frames", names, method, window, horizon, frames, rolling.dates[-1])
    found: MatrixFrames = market.remember(
        key, lambda: _frames(market, names, method, window, horizon, frames, rolling.dates)
    )
    return found


def _frames(
    market: Market, names: tuple[str, ...], method: str, window: int, horizon: int, frames: int, known: np.ndarray
) -> MatrixFrames:
    def at(dates: np.ndarray) -> np.ndarray:
        if method in ("rolling", "ewma"):
            return _from_paths(market, names, method, window, horizon, dates)
        return np.stack([_on(market, names, method, window, horizon, date) for date in dates])

    first = _first_row(market, names, window, horizon, known)
    rows = np.unique(np.linspace(first, len(known) - 1, frames).round().astype(int))
    matrices = at(known[rows])
    has = np.isfinite(matrices[:, *np.triu_indices(len(names), 1)]).any(axis=1)
    if not has.any():
        raise InputError("window", window, "no pair has so many returns in common", "Use a shorter window.")
    rows, matrices = rows[has], matrices[has]
    order = hierarchical_order(matrices[-1])
    ordered = matrices[:, order][:, :, order]
    return MatrixFrames(
        assets=tuple(names[i] for i in order),
        dates=known[rows],
        matrices=ordered,
        method=method,
        window=window,
        horizon=horizon,
    )


def _first_row(market: Market, names: tuple[str, ...], window: int, horizon: int, known: np.ndarray) -> int:
    found = np.isfinite(all_pairs(market, names, window, horizon, str(known[-1])).values).any(axis=0)
    return int(np.argmax(found)) if found.any() else 0


def _from_paths(
    market: Market, names: tuple[str, ...], method: str, window: int, horizon: int, dates: np.ndarray
) -> np.ndarray:
    k = len(names)
    out = np.full((len(dates), k, k), np.nan)
    for i, j in combinations(range(k), 2):
        try:
            (path,) = rolling_pairs(
                market, [(names[i], names[j])], window, horizon, str(dates[-1]), method, corr_halflife=float(window)
            )
        except InputError:
            continue  # no common dates: the pair stays without a figure
        out[:, i, j] = out[:, j, i] = carried(dates, path.dates, path.values)
    return _with_diagonal(out)


def _on(
    market: Market, names: tuple[str, ...], method: str, window: int, horizon: int, date: np.datetime64
) -> np.ndarray:
    nothing = np.full((len(names), len(names)), np.nan)
    try:
        if method == "worst-days":
            found: np.ndarray = _with_diagonal(regime_matrices(market, names, str(date)).worst[None])[0]
            return found
        return correlation_matrix(market, names, window, method, str(date), horizon).array()
    except InputError:
        return nothing  # too little history by then


def _with_diagonal(matrices: np.ndarray) -> np.ndarray:
    """1 on the diagonal of every asset that has a figure, NaN elsewhere on it."""
    k = matrices.shape[-1]
    out = matrices.copy()
    out[:, np.arange(k), np.arange(k)] = np.nan
    known = np.isfinite(out).any(axis=1)
    out[:, np.arange(k), np.arange(k)] = np.where(known, 1.0, np.nan)
    return out
