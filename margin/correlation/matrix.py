"""The correlation matrix of many assets as of one date, pair by pair where assets do not share their history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import MAX_STALE_DAYS, Market, step_returns
from margin.risk import covariance as correlation
from margin.rolling.spearman import rolling_spearman

METHODS = ("rolling", "ewma", "ledoit-wolf", "spearman")
DECAY = 0.94  # RiskMetrics' daily decay


@dataclass(frozen=True, kw_only=True)
class CorrelationMatrix:
    """matrix[a][b] in -1..1, None where a pair has none: `reasons` says why, keyed "a/b" in the order of `assets`.

    missing : why an asset has no correlation with any other
    """

    as_of: pd.Timestamp
    window: int
    method: str
    assets: tuple[str, ...]
    matrix: dict[str, dict[str, float | None]]
    missing: dict[str, str]
    horizon: int = 1
    reasons: dict[str, str] = field(default_factory=dict)

    def array(self) -> np.ndarray:
        """(k, k), NaN where there is none."""
        rows = ([self.matrix[a][b] for b in self.assets] for a in self.assets)
        return np.array([[np.nan if rho is None else rho for rho in row] for row in rows])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; None where a pair could not be computed."""
        return {
            "as_of": self.as_of.strftime("%Y-%m-%d"),
            "window": self.window,
            "method": self.method,
            "horizon": self.horizon,
            "matrix": self.matrix,
            "missing": self.missing,
            "reasons": self.reasons,
        }


def correlation_matrix(
    market: Market,
    assets: Sequence[str],
    window: int,
    method: str = "rolling",
    as_of: Any = None,
    horizon: int = 1,
) -> CorrelationMatrix:
    """Correlation of simple returns over `horizon` steps, from the last `window` of them up to as-of.

    rolling     : Pearson, each pair on the dates both have a close
    ewma        : the same with weights 0.94^age and mean zero
    ledoit-wolf : shrunk, on the dates all assets have a close
    spearman    : of the ranks, pair by pair
    An asset whose last close is more than four days before as-of has no correlation then.
    """
    if method not in METHODS:
        raise InputError("method", method, "is not a method", f"One of {', '.join(METHODS)}.")
    window = whole_number(window, "window", 3, 100_000)
    horizon = whole_number(horizon, "horizon", 1, 365)
    live, missing, last = _live(market, assets, as_of)
    if not live:
        raise InputError(
            "prices", ", ".join(assets[:5]), "no asset has a recent close", "Choose an earlier as-of date."
        )
    matrix: dict[str, dict[str, float | None]] = {a: dict.fromkeys(assets) for a in assets}
    reasons: dict[str, str] = {}
    if method == "ledoit-wolf":
        pairs = _shrunk(market, live, window, as_of, horizon)
    else:
        pairs = _pairwise(market, live, window, method, as_of, horizon)
    for (a, b), found in pairs.items():
        if isinstance(found, str):
            reasons[f"{a}/{b}"] = found
        else:
            matrix[a][b] = matrix[b][a] = found
    for a in live:
        if len(live) > 1 and all(matrix[a][b] is None for b in live if b != a):
            missing[a] = f"fewer than {window} returns in common with any other asset, or a price that never moves"
        else:
            matrix[a][a] = 1.0
    return CorrelationMatrix(
        as_of=pd.Timestamp(last),
        window=window,
        method=method,
        assets=tuple(assets),
        matrix=matrix,
        missing=missing,
        horizon=horizon,
        reasons=reasons,
    )


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
    market: Market, assets: list[str], window: int, method: str, as_of: Any, horizon: int
) -> dict[tuple[str, str], float | str]:
    """Each pair's figure, or why it has none."""
    found: dict[tuple[str, str], float | str] = {}
    for pair in combinations(assets, 2):
        try:
            dates, closes = market.aligned(pair, as_of)
        except InputError as error:
            found[pair] = error.problem
            continue
        returns = step_returns(dates, closes, horizon)[0][-window:]
        enough = len(returns) == window
        found[pair] = _pair(returns, method) if enough else f"only {len(returns)} of the {window} returns it needs"
    return found


def _pair(returns: np.ndarray, method: str) -> float | str:
    if (returns == returns[0]).all(axis=0).any():
        return "a price that does not move has no correlation"
    if method == "spearman":
        return float(rolling_spearman(returns[:, 0], returns[:, 1], len(returns))[-1])
    if method == "rolling":
        return float(correlation.sample_correlation(returns)[0, 1])
    halflife = np.log(0.5) / np.log(DECAY)
    return float(correlation.ewma_covariance(returns, halflife, halflife)[1][0, 1])


def _shrunk(
    market: Market, assets: list[str], window: int, as_of: Any, horizon: int
) -> dict[tuple[str, str], float | str]:
    dates, closes = market.aligned(assets, as_of)
    returns = step_returns(dates, closes, horizon)[0][-window:]
    if len(returns) < window:
        hint = "Leave out late listings, or use a shorter window."
        raise InputError("window", window, f"all assets have only {len(returns)} returns in common", hint)
    matrix = correlation.correlation_from_covariance(correlation.ledoit_wolf(returns)[0])
    first, second = np.triu_indices(len(assets), 1)
    return {(assets[i], assets[j]): float(matrix[i, j]) for i, j in zip(first, second, strict=True)}
