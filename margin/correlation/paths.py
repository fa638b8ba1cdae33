"""Correlation through time on real calendars: each pair on the dates both its assets have a close.

A coin meets a stock on the stock's days, so the weekend's move of the coin is part of its return to Monday; a return
across a pause of more than four calendar days is dropped (margin/core/market.py). Windows count such common returns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from margin.core.checks import parse_date, whole_number
from margin.core.errors import InputError
from margin.core.market import MAX_STALE_DAYS, Market, Returns
from margin.correlation.bands import SPEARMAN, effective_observations, fisher_band, overlap_inflation, tail_inflation
from margin.rolling.ewma import ewma_correlation, ewma_volatility
from margin.rolling.pearson import rolling_correlation, why_missing
from margin.rolling.spearman import rolling_spearman

PATH_METHODS = ("rolling", "ewma", "spearman")
MAX_WINDOW = 100_000


@dataclass(frozen=True, eq=False, kw_only=True)
class PairPath:
    """Correlation of one pair through time.

    dates        : (n,) datetime64, ends of the common returns; values (n,) in -1..1, NaN where there is none yet
    returns      : (n, 2) the common returns themselves, over `horizon` steps
    observations : (n,) how many independent observations a value rests on (of equal weight, not overlapping)
    volatilities : (n, 2) per step, EWMA method only, else None
    window       : common returns (rolling, spearman) or the correlation's half-life in them (ewma)
    """

    pair: tuple[str, str]
    dates: np.ndarray
    values: np.ndarray
    returns: np.ndarray
    observations: np.ndarray
    window: float
    horizon: int
    method: str
    volatilities: np.ndarray | None = None

    def band(self, level: float = 0.95, fat_tails: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each (n,): Fisher's band, wider for ranks, for overlap and, if wished, for fat tails."""
        inflation = SPEARMAN if self.method == "spearman" else 1.0
        if fat_tails and self.method != "spearman":  # ranks have no tails
            inflation *= self.tail_inflation
        return fisher_band(self.values, self.observations, level, inflation)

    @cached_property
    def tail_inflation(self) -> float:
        """Variance of the estimate beside normal data's, from the kurtosis of all the pair's returns up to as-of."""
        return tail_inflation(self.returns, round(self.window))

    @property
    def latest(self) -> float | None:
        """The newest value; None when the newest window has none (`reason` says why)."""
        return float(self.values[-1]) if np.isfinite(self.values[-1]) else None

    @property
    def reason(self) -> str:
        """Why there is no newest value; '' when there is one."""
        if self.latest is not None:
            return ""
        needed = int(min(self.window, MAX_WINDOW)) if self.method != "ewma" else len(self.values)
        x, y = self.returns.T
        said = why_missing(x, y, needed, needed, len(self.values) - 1)
        return said or "too few returns, or one of the two has not moved"


def rolling_pairs(
    market: Market,
    pairs: Sequence[tuple[str, str]],
    window: int = 60,
    horizon: int = 1,
    as_of: Any = None,
    method: str = "rolling",
    vol_halflife: float = 30.0,
    corr_halflife: float = 90.0,
) -> tuple[PairPath, ...]:
    """One path for each pair, up to as-of.

    method : rolling (Pearson) or spearman over `window` common returns; ewma with its two half-lives in returns
    Raises InputError for an unknown asset or method, and for a pair with fewer than two common returns.
    """
    if method not in PATH_METHODS:
        raise InputError("method", method, "is not a method", f"One of {', '.join(PATH_METHODS)}.")
    window = whole_number(window, "window", 3, MAX_WINDOW)
    return tuple(
        _path(market.returns(pair, as_of, horizon), window, method, vol_halflife, corr_halflife) for pair in pairs
    )


def _path(found: Returns, window: int, method: str, vol_halflife: float, corr_halflife: float) -> PairPath:
    x, y = found.values.T
    overlap = overlap_inflation(found.horizon)
    pair, volatilities, width = (found.assets[0], found.assets[1]), None, float(window)
    if method == "ewma":
        values = ewma_correlation(found.values, corr_halflife, [(0, 1)]).values[0]
        volatilities = np.column_stack([ewma_volatility(v, vol_halflife) for v in (x, y)])
        counts = effective_observations(np.arange(1, len(x) + 1), corr_halflife) / overlap
        width = corr_halflife
    else:
        ranks, both = method == "spearman", [(0, 1)]
        values = rolling_spearman(x, y, window) if ranks else rolling_correlation(found.values, window, both).values[0]
        counts = np.full(len(x), window / overlap)
    return PairPath(
        pair=pair,
        dates=found.dates,
        values=values,
        returns=found.values,
        observations=counts,
        window=width,
        horizon=found.horizon,
        method=method,
        volatilities=volatilities,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class AllPairs:
    """Correlation of all pairs of `assets` on every date of the market.

    values : (n_pairs, n_dates); a pair's newest figure that is at most four days old (a stock's over the weekend), else
    NaN. Never held as dates x assets x assets.
    """

    assets: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    dates: np.ndarray
    values: np.ndarray
    window: int
    horizon: int

    def line(self, a: str, b: str) -> np.ndarray:
        """(n_dates,) of one pair, in either order."""
        for pair in ((a, b), (b, a)):
            if pair in self.pairs:
                found: np.ndarray = self.values[self.pairs.index(pair)]
                return found
        raise InputError("pair", f"{a}/{b}", "is not among the pairs")

    def matrix(self, date: Any) -> np.ndarray:
        """(k, k) as of a date (the last row not after it); NaN where a pair has no figure then.

        The diagonal is 1, NaN for an asset without any figure.
        """
        row = int(np.searchsorted(self.dates, parse_date(date).to_datetime64(), side="right")) - 1
        if row < 0:
            raise InputError("date", str(date), "is before the first one", f"From {str(self.dates[0])[:10]} on.")
        return self.matrix_at_row(row)

    def matrix_at_row(self, row: int) -> np.ndarray:
        """(k, k) at one row of `dates`."""
        k = len(self.assets)
        out = np.full((k, k), np.nan)
        first, second = np.triu_indices(k, 1)
        out[first, second] = out[second, first] = self.values[:, row]
        known = np.flatnonzero(np.isfinite(out).any(axis=0))
        out[known, known] = 1.0
        return out


def all_pairs(market: Market, assets: Sequence[str], window: int = 60, horizon: int = 1, as_of: Any = None) -> AllPairs:
    """Rolling correlation of all pairs, each on its own common dates; kept by the market, so asking again is free.

    Raises InputError for an unknown asset. A pair with too little common history has NaN, not an error.
    """
    names = tuple(assets)
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError("assets", ", ".join(names), "must be two or more different ones")
    window = whole_number(window, "window", 3, MAX_WINDOW)
    market.columns(names)
    day = None if as_of is None else parse_date(as_of)
    found: AllPairs = market.remember(
        ("all pairs", names, window, horizon, day), lambda: _all(market, names, window, horizon, day)
    )
    return found


def _all(market: Market, names: tuple[str, ...], window: int, horizon: int, as_of: pd.Timestamp | None) -> AllPairs:
    upto = len(market.dates) if as_of is None else int(np.searchsorted(market.dates, as_of.to_datetime64(), "right"))
    dates = market.dates[:upto]
    pairs = tuple(combinations(names, 2))
    values = np.full((len(pairs), upto), np.nan)
    for line, pair in zip(values, pairs, strict=True):
        try:
            found = market.returns(pair, as_of, horizon)
        except InputError:
            continue  # no common date, or one return only
        path = rolling_correlation(found.values, window, [(0, 1)]).values[0]
        line[:] = carried(dates, found.dates, path)
    return AllPairs(assets=names, pairs=pairs, dates=dates, values=values, window=window, horizon=horizon)


def carried(dates: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """On each of `dates` the newest of `values` (at `known` dates), where it is at most four days old; else NaN."""
    at = np.searchsorted(known, dates, side="right") - 1
    out = np.full(len(dates), np.nan)
    fresh = at >= 0
    fresh[fresh] = dates[fresh] - known[at[fresh]] <= np.timedelta64(MAX_STALE_DAYS, "D")
    out[fresh] = values[at[fresh]]
    return out
