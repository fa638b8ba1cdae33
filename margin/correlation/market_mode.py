"""How much of the market moves as one, through time: average correlation and the first eigenvalue's share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.market import Market
from margin.correlation.paths import AllPairs, all_pairs


@dataclass(frozen=True, eq=False)
class MarketMode:
    """One figure per date, (n,) each; NaN where fewer than two assets can be compared.

    average : mean correlation over the pairs that have one
    share   : largest eigenvalue of the correlation matrix / number of assets in it, 1/k..1
    implied : (k x share - 1) / (k - 1): the equal correlation that has this eigenvalue, comparable when k changes
    assets  : how many are in the eigenvalue's matrix (those with a correlation to all the others in it)
    """

    dates: np.ndarray
    average: np.ndarray
    share: np.ndarray
    implied: np.ndarray
    assets: np.ndarray


def market_mode(
    market: Market, assets: Sequence[str], window: int = 60, horizon: int = 1, as_of: Any = None, step: int = 1
) -> MarketMode:
    """Average correlation and first-eigenvalue share on every `step`-th date, counted back from the last.

    Pair-by-pair matrices need not be positive semi-definite; the largest eigenvalue is the one that is least affected.
    """
    pairs = all_pairs(market, assets, window, horizon, as_of)
    rows = np.arange(len(pairs.dates) - 1, -1, -max(int(step), 1))[::-1]
    key = ("mode", pairs.assets, window, horizon, str(pairs.dates[-1]), len(rows))
    found: MarketMode = market.remember(key, lambda: _mode(pairs, rows))
    return found


def _mode(pairs: AllPairs, rows: np.ndarray) -> MarketMode:
    values = pairs.values[:, rows]
    known = np.isfinite(values)
    count = known.sum(axis=0)
    average = np.divide(
        np.where(known, values, 0.0).sum(axis=0), count, out=np.full(len(rows), np.nan), where=count > 0
    )
    share, size = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=int)
    first, second = np.triu_indices(len(pairs.assets), 1)
    patterns, which = np.unique(known.T, axis=0, return_inverse=True)  # dates with the same pairs are solved together
    for p, pattern in enumerate(patterns):
        members = _complete(pattern, first, second, len(pairs.assets))
        if len(members) < 2:
            continue
        at = np.flatnonzero(which.ravel() == p)
        full = np.zeros((len(at), len(pairs.assets), len(pairs.assets)))
        full[:, first, second] = full[:, second, first] = np.where(pattern, values[:, at].T, 0.0)
        matrices = full[:, members][:, :, members] + np.eye(len(members))
        share[at] = np.linalg.eigvalsh(matrices)[:, -1] / len(members)
        size[at] = len(members)
    implied = np.divide(share * size - 1.0, size - 1.0, out=np.full(len(rows), np.nan), where=size > 1)
    return MarketMode(pairs.dates[rows], average, share, implied, size)


def _complete(pattern: np.ndarray, first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """Assets that all have a correlation with one another: those with the fewest are left out one by one."""
    has = np.zeros((k, k), dtype=bool)
    has[first, second] = has[second, first] = pattern
    np.fill_diagonal(has, True)
    members = np.arange(k)
    while len(members) and not has[np.ix_(members, members)].all():
        members = np.delete(members, int(np.argmin(has[np.ix_(members, members)].sum(axis=1))))
    return members
