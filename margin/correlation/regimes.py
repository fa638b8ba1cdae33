"""Correlation on calm days, on wild days and on the worst days of the market, side by side.

These matrices describe the past up to as-of; the terciles and the 5% are of that whole past, so a day's label uses
days after it. Nothing here feeds a margin of an earlier date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from margin.core.checks import parse_date
from margin.core.errors import InputError
from margin.core.market import Market
from margin.correlation.market_index import market_index, moves, volatility_before
from margin.correlation.worst_days import normal_tail_correlation, subset_correlation

LEAST_DAYS = 20  # fewer days than this give no figure


@dataclass(frozen=True, eq=False, kw_only=True)
class RegimeMatrices:
    """Each matrix (k, k), NaN where a pair has fewer than 20 such days, 1 on the diagonal; days_* (k, k) how many.

    all_days : every common day; calm / stress : market volatility known before the day in its lowest / highest third
    worst    : days of the market's worst `share` returns (Pearson on those days)
    normal   : what normal returns with the same correlations over all days would show on such days: picking days by an
               outcome bends a correlation even when nothing changes
    together : on the worst days about zero instead of about their mean: do they lose together?
    """

    assets: tuple[str, ...]
    all_days: np.ndarray
    calm: np.ndarray
    stress: np.ndarray
    worst: np.ndarray
    normal: np.ndarray
    together: np.ndarray
    days_all: np.ndarray
    days_calm: np.ndarray
    days_stress: np.ndarray
    days_worst: np.ndarray
    share: float
    volatility_limits: tuple[float, float]


def regime_matrices(
    market: Market,
    assets: Sequence[str],
    as_of: Any = None,
    share: float = 0.05,
    index_assets: Sequence[str] | None = None,
) -> RegimeMatrices:
    """Correlation matrices by state of the market over the whole history up to as-of.

    share        : fraction of days that count as worst, 0..0.5
    index_assets : what the market is: equally weighted; `assets` themselves unless given
    Raises InputError for an unknown asset or too little history to tell calm from wild.
    """
    if not 0.0 < share <= 0.5:
        raise InputError("share", share, "must be above 0 and at most 0.5")
    names, members = tuple(assets), tuple(index_assets or assets)
    day = None if as_of is None else parse_date(as_of)
    key = ("regimes", names, members, day, share)
    found: RegimeMatrices = market.remember(key, lambda: _matrices(market, names, members, day, share))
    return found


def _matrices(
    market: Market, names: tuple[str, ...], members: tuple[str, ...], as_of: Any, share: float
) -> RegimeMatrices:
    dates, level = market_index(market, members, as_of)
    vol = volatility_before(level)
    if np.isfinite(vol).sum() < 3 * LEAST_DAYS:
        raise InputError("prices", f"{len(level)} dates", "too few to tell calm days from wild ones")
    low, high = (float(v) for v in np.nanquantile(vol, (1.0 / 3.0, 2.0 / 3.0)))
    k = len(names)
    figures = {name: np.eye(k) for name in ("all", "calm", "stress", "worst", "normal", "together")}
    days = {name: np.zeros((k, k), dtype=int) for name in ("all", "calm", "stress", "worst")}
    for i, j in combinations(range(k), 2):
        pair, counts = _pair(market, (names[i], names[j]), as_of, dates, level, vol, (low, high), share)
        for name, value in pair.items():
            figures[name][i, j] = figures[name][j, i] = value
        for name, count in counts.items():
            days[name][i, j] = days[name][j, i] = count
    return RegimeMatrices(
        assets=names,
        all_days=figures["all"],
        calm=figures["calm"],
        stress=figures["stress"],
        worst=figures["worst"],
        normal=figures["normal"],
        together=figures["together"],
        days_all=days["all"],
        days_calm=days["calm"],
        days_stress=days["stress"],
        days_worst=days["worst"],
        share=share,
        volatility_limits=(low, high),
    )


def _pair(
    market: Market,
    pair: tuple[str, str],
    as_of: Any,
    dates: np.ndarray,
    level: np.ndarray,
    vol: np.ndarray,
    limits: tuple[float, float],
    share: float,
) -> tuple[dict[str, float], dict[str, int]]:
    try:
        found = market.returns(pair, as_of)
    except InputError:
        return dict.fromkeys(("all", "calm", "stress", "worst", "normal", "together"), np.nan), {}
    known = vol[np.searchsorted(dates, found.dates)]
    starts = found.close_dates[np.searchsorted(found.close_dates, found.dates) - 1]
    index = moves(dates, level, found.dates, starts)
    masks = {
        "all": np.ones(len(index), dtype=bool),
        "calm": known <= limits[0],
        "stress": known >= limits[1],
        "worst": index <= np.quantile(index, share),
    }
    out = {name: subset_correlation(found.values, mask, LEAST_DAYS) for name, mask in masks.items()}
    out["together"] = subset_correlation(found.values, masks["worst"], LEAST_DAYS, about="zero")
    out["normal"] = normal_tail_correlation(found.values, index, share) if np.isfinite(out["worst"]) else np.nan
    return out, {name: int(mask.sum()) for name, mask in masks.items()}
