"""Correlation on the worst days only, and the bias of looking at those days.

Days chosen by an outcome have another correlation than all days even when returns are normal and nothing changes:
chosen by the market's loss, less of the common move is left among them and correlation about their mean falls; chosen
by the pair's own loss it falls further and may turn negative. So every figure comes with what normal returns of the
same all-days correlation would show. Source: Boyer, Gibson and Loretan (1999), "Pitfalls in tests for changes in
correlations"; Longin and Solnik (2001), "Extreme correlation of international equity markets".
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from margin.core.errors import InputError
from margin.core.market import Market
from margin.correlation.market_index import market_index, moves

ABOUT = ("mean", "zero")
CHOSEN_BY = ("market", "pair")


@dataclass(frozen=True, kw_only=True)
class DownsideCorrelation:
    """value: correlation on the `days` worst days; normal: what normal returns would show there; all_days: on all days.

    value - normal is what the tail adds. None where it cannot be computed, and `reason` says why.
    """

    pair: tuple[str, str]
    value: float | None
    normal: float | None
    all_days: float | None
    days: int
    share: float
    chosen_by: str
    about: str
    reason: str = ""


def downside_correlation(
    market: Market,
    pair: tuple[str, str],
    share: float = 0.05,
    chosen_by: str = "market",
    about: str = "mean",
    as_of: Any = None,
    index_assets: tuple[str, ...] | None = None,
    least: int = 20,
) -> DownsideCorrelation:
    """Correlation of a pair on the worst `share` of its common days up to as-of.

    chosen_by : market: by the equally weighted index of `index_assets` (all the market's assets unless given), over
                the pair's own steps; pair: by the sum of its two returns, each divided by its standard deviation
    about     : mean: Pearson among those days; zero: sum of x y / root(sum of x^2 sum of y^2), 'do they fall together'
    """
    if not 0.0 < share <= 0.5:
        raise InputError("share", share, "must be above 0 and at most 0.5")
    for name, choice, options in (("chosen_by", chosen_by, CHOSEN_BY), ("about", about, ABOUT)):
        if choice not in options:
            raise InputError(name, choice, "is not one of the choices", f"Choose {' or '.join(options)}.")
    found = market.returns(pair, as_of)
    scale = found.values.std(axis=0)
    asked = DownsideCorrelation(
        pair=pair, value=None, normal=None, all_days=None, days=0, share=share, chosen_by=chosen_by, about=about
    )
    if not (scale > 0).all():
        return replace(asked, reason=f"{pair[int(np.argmin(scale))]} does not move")
    if chosen_by == "market":
        dates, level = market_index(market, index_assets or market.assets, as_of)
        starts = found.close_dates[np.searchsorted(found.close_dates, found.dates) - 1]
        outcome = moves(dates, level, found.dates, starts)
    else:
        outcome = (found.values / scale).sum(axis=1)
    mask = outcome <= np.quantile(outcome, share)
    value = subset_correlation(found.values, mask, least, about)
    whole = subset_correlation(found.values, np.ones(len(mask), dtype=bool), least)
    asked = replace(asked, all_days=_or_none(whole), days=int(mask.sum()))
    if not np.isfinite(value):
        reason = f"only {mask.sum()} such days, {least} are needed" if mask.sum() < least else "no variation on them"
        return replace(asked, reason=reason)
    normal = normal_tail_correlation(found.values, outcome, share, about)
    return replace(asked, value=value, normal=normal)


def subset_correlation(returns: np.ndarray, mask: np.ndarray, least: int, about: str = "mean") -> float:
    """Correlation of returns (n, 2) on the days of `mask`; NaN for fewer than `least` or where one does not vary."""
    chosen = returns[mask]
    if len(chosen) < least or (chosen == chosen[0]).all(axis=0).any():
        return np.nan
    centred = chosen - chosen.mean(axis=0) if about == "mean" else chosen
    squares = np.sqrt((centred**2).sum(axis=0))
    if not (squares > 0).all():
        return np.nan
    return float(np.clip(centred[:, 0] @ centred[:, 1] / squares[0] / squares[1], -1.0, 1.0))


def normal_tail_correlation(returns: np.ndarray, outcome: np.ndarray, share: float, about: str = "mean") -> float:
    """What jointly normal returns with the same correlations show on days whose outcome is in its lowest `share`.

    returns : (n, 2), outcome : (n,). With b the correlation of each return with the outcome and v the outcome's
    variance within the tail (about its mean there, or about zero), both relative to its variance on all days:
    cov = rho - b1 b2 (1 - v), var = 1 - b^2 (1 - v).
    """
    rho = np.corrcoef(np.column_stack((returns, outcome)).T)
    v = truncated_variance(share) if about == "mean" else truncated_square(share)
    cov = rho[0, 1] - rho[0, 2] * rho[1, 2] * (1.0 - v)
    scale = (1.0 - rho[0, 2] ** 2 * (1.0 - v)) * (1.0 - rho[1, 2] ** 2 * (1.0 - v))
    return float(cov / np.sqrt(scale)) if scale > 0 else np.nan


def truncated_variance(share: float) -> float:
    """Variance of a standard normal below its `share` quantile. Source: Johnson, Kotz and Balakrishnan (1994)."""
    return truncated_square(share) - _mean_below(share) ** 2


def truncated_square(share: float) -> float:
    """Mean square of a standard normal below its `share` quantile z: 1 - z phi(z) / share."""
    return 1.0 + float(ndtri(share)) * _mean_below(share)


def _mean_below(share: float) -> float:
    z = float(ndtri(share))
    return -float(np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)) / share


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
