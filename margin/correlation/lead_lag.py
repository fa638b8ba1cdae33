"""Does one market move before the other? Cross-correlation of two assets at lags of their common steps.

A coin trades every day and closes at 00:00 UTC, a stock on five days and at 20:00 or 21:00 UTC. On common dates the
coin's return to Monday holds the whole weekend, as the stock's does; what remains is the hours between the two closes,
which put part of the coin's same-day move into the stock's next one, so a small correlation at lag 1 is no forecast.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import Market
from margin.correlation.bands import fisher_band

LEAST = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class LeadLag:
    """values[i] : correlation of the first asset's return with the second's `lags[i]` common steps later.

    Positive lags: the first leads. low, high : Fisher's 95% band of each; counts : return pairs behind each
    noise        : how large |value| must be to differ from 0 at 95%, for series without memory
    synchronised : lags -1, 0 and 1 together: about what it would be if both closed at the same time; None where the
                   series reverse so much that the sum says nothing
    """

    pair: tuple[str, str]
    lags: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    noise: float
    synchronised: float | None


def lead_lag(
    market: Market, pair: tuple[str, str], max_lag: int = 5, as_of: Any = None, lookback: int | None = None
) -> LeadLag:
    """Cross-correlation at lags -max_lag..max_lag over common returns up to as-of.

    lookback : the last so many common returns; all unless given
    A lag never reaches across a dropped return (a pause of more than four calendar days).
    Raises InputError when a lag is left with fewer than 20 pairs or an asset does not move.
    """
    max_lag = whole_number(max_lag, "max_lag", 1, 60)
    found = market.returns(pair, as_of, 1, lookback)
    row = np.searchsorted(found.close_dates, found.dates)  # successive rows are successive steps
    lags = np.arange(-max_lag, max_lag + 1)
    figures = [_at(found.values, row, int(lag), pair) for lag in lags]
    values, counts = np.array([f[0] for f in figures]), np.array([f[1] for f in figures])
    low, high = fisher_band(values, counts)
    noise = float(ndtri(0.975) / np.sqrt(counts[max_lag]))
    return LeadLag(
        pair=pair,
        lags=lags,
        values=values,
        low=low,
        high=high,
        counts=counts,
        noise=noise,
        synchronised=_synchronised(found.values, values[max_lag - 1 : max_lag + 2]),
    )


def _at(returns: np.ndarray, row: np.ndarray, lag: int, pair: tuple[str, str]) -> tuple[float, int]:
    """Correlation of x at step r with y at step r + lag, and how many such pairs there are."""
    later = np.searchsorted(row, row + lag)
    inside = later < len(row)
    inside[inside] = row[later[inside]] == row[inside] + lag
    x, y = returns[inside, 0], returns[later[inside], 1]
    if len(x) < LEAST:
        raise InputError("max_lag", lag, f"leaves only {len(x)} pairs of returns", f"At least {LEAST} are needed.")
    if (x == x[0]).all() or (y == y[0]).all():
        raise InputError("pair", f"{pair[0]}/{pair[1]}", "one of the two does not move")
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0)), len(x)


def _synchronised(returns: np.ndarray, around: np.ndarray) -> float | None:
    """Sum of the correlations at lags -1, 0, 1 over the same sums of each series' autocorrelations.

    Source: RiskMetrics Technical Document (1996), chapter 8 (nonsynchronous data); with both series' own memory, as
    Cohen et al. (1983) do for betas.
    """
    own = []
    for x in returns.T:
        centred = x - x.mean()
        own.append(1.0 + 2.0 * float(centred[1:] @ centred[:-1]) / float(centred @ centred))
    if min(own) <= 0.1:  # so much reversal that the sum says nothing
        return None
    return float(np.clip(around.sum() / np.sqrt(own[0] * own[1]), -1.0, 1.0))
