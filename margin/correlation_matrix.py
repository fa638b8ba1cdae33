"""The correlation matrix of many assets as of one date, pair by pair where assets do not share their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin import correlation
from margin.errors import InputError
from margin.market import MAX_STALE_DAYS, Market, step_returns

METHODS = ("rolling", "ewma", "ledoit-wolf")
DECAY = 0.94  # RiskMetrics' daily decay


@dataclass(frozen=True)
class CorrelationMatrix:
    """matrix[a][b] in -1..1, None where a pair has too few common returns; `missing` says why an asset has none."""

    as_of: pd.Timestamp
    window: int
    method: str
    assets: tuple[str, ...]
    matrix: dict[str, dict[str, float | None]]
    missing: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.strftime("%Y-%m-%d"),
            "window": self.window,
            "method": self.method,
            "matrix": self.matrix,
            "missing": self.missing,
        }


def correlation_matrix(
    market: Market, assets: Sequence[str], window: int, method: str = "rolling", as_of: Any = None
) -> CorrelationMatrix:
    """Correlation of simple daily returns over the last `window` returns up to as-of.

    rolling     : Pearson, each pair on the dates both have a close
    ewma        : the same with weights 0.94^age and mean zero
    ledoit-wolf : shrunk, on the dates all assets have a close
    An asset whose last close is more than four days before as-of has no correlation then.
    """
    if method not in METHODS:
        raise InputError("method", method, "is not a method", f"One of {', '.join(METHODS)}.")
    live, missing, last = _live(market, assets, as_of)
    if not live:
        raise InputError(
            "prices", ", ".join(assets[:5]), "no asset has a recent close", "Choose an earlier as-of date."
        )
    matrix: dict[str, dict[str, float | None]] = {a: dict.fromkeys(assets) for a in assets}
    shrunk = method == "ledoit-wolf"
    pairs = _shrunk(market, live, window, as_of) if shrunk else _pairwise(market, live, window, method, as_of)
    for (a, b), rho in pairs.items():
        matrix[a][b] = matrix[b][a] = rho
    for a in live:
        if len(live) > 1 and all(matrix[a][b] is None for b in live if b != a):
            missing[a] = f"fewer than {window} returns in common with any other asset, or a price that never moves"
        else:
            matrix[a][a] = 1.0
    return CorrelationMatrix(pd.Timestamp(last), window, method, tuple(assets), matrix, missing)


def _live(market: Market, assets: Sequence[str], as_of: Any) -> tuple[list[str], dict[str, str], np.datetime64]:
    """Assets with a close near as-of, why the others are missing, and the last date on which any has a close."""
    ends = {}
    missing = {}
    for asset in assets:
        try:
            ends[asset] = market.aligned([asset], as_of)[0][-1]
        except InputError as error:
            missing[asset] = error.problem
    last = max(ends.values(), default=np.datetime64("NaT"))
    for asset, end in list(ends.items()):
        if last - end > np.timedelta64(MAX_STALE_DAYS, "D"):
            missing[asset] = f"its last close is of {str(end)[:10]}"
            del ends[asset]
    return list(ends), missing, last


def _pairwise(
    market: Market, assets: list[str], window: int, method: str, as_of: Any
) -> dict[tuple[str, str], float | None]:
    found: dict[tuple[str, str], float | None] = {}
    for i, a in enumerate(assets):
        for b in assets[i + 1 :]:
            dates, closes = market.aligned([a, b], as_of)
            returns = step_returns(dates, closes)[0][-window:]
            found[a, b] = _pair(returns, method) if len(returns) == window else None
    return found


def _pair(returns: np.ndarray, method: str) -> float | None:
    try:
        if method == "rolling":
            return float(correlation.sample_correlation(returns)[0, 1])
        halflife = np.log(0.5) / np.log(DECAY)
        return float(correlation.ewma_covariance(returns, halflife, halflife)[1][0, 1])
    except InputError:  # a price that never moves has no correlation
        return None


def _shrunk(market: Market, assets: list[str], window: int, as_of: Any) -> dict[tuple[str, str], float | None]:
    dates, closes = market.aligned(assets, as_of)
    returns = step_returns(dates, closes)[0][-window:]
    if len(returns) < window:
        hint = "Leave out late listings, or use a shorter window."
        raise InputError("window", window, f"all assets have only {len(returns)} returns in common", hint)
    matrix = correlation.correlation_from_covariance(correlation.ledoit_wolf(returns)[0])
    return {(a, b): float(matrix[i, j]) for i, a in enumerate(assets) for j, b in enumerate(assets) if i < j}
