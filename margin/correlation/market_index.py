"""One level for the whole market, to tell calm days from wild ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from margin.core.checks import parse_date
from margin.core.errors import InputError
from margin.core.market import MAX_STEP_DAYS, Market

DECAY = 0.94
WARM_UP = 30


def market_index(market: Market, assets: Sequence[str], as_of: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """(dates (m,), level (m,)) : equally weighted, rebalanced at every close; 1 at the start.

    Each date's return is the mean over the assets that have a close on it, each since its own close before (at most
    four calendar days ago): a stock adds its weekend on Monday. A date without any such asset keeps the level.
    Raises InputError for an unknown asset and when no asset has two closes.
    """
    upto = len(market.dates) if as_of is None else _rows(market, as_of)
    dates, total, count = market.dates[:upto], np.zeros(upto), np.zeros(upto)
    for column in market.columns(assets):
        closes = market.closes[:upto, column]
        held = np.flatnonzero(~np.isnan(closes))
        near = np.diff(dates[held]) <= np.timedelta64(MAX_STEP_DAYS, "D")
        ends = held[1:][near]
        total[ends] += (closes[held][1:] / closes[held][:-1] - 1.0)[near]
        count[ends] += 1
    if not count.any():
        raise InputError("assets", ", ".join(assets), "none has two successive closes by then", "Pick a later date.")
    returns = np.divide(total, count, out=np.zeros(upto), where=count > 0)
    return dates, np.cumprod(1.0 + returns)


def volatility_before(level: np.ndarray) -> np.ndarray:
    """(m,) EWMA volatility per step known before each date's return (RiskMetrics, decay 0.94); NaN for the first 30."""
    returns = level[1:] / level[:-1] - 1.0
    out = np.full(len(level), np.nan)
    if len(returns) <= WARM_UP:
        return out
    variance = float((returns[:WARM_UP] ** 2).mean())
    for i in range(WARM_UP, len(returns)):
        out[i + 1] = variance
        variance = DECAY * variance + (1.0 - DECAY) * returns[i] ** 2
    found: np.ndarray = np.sqrt(out)
    return found


def moves(dates: np.ndarray, level: np.ndarray, ends: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(n,) index return from each of `starts` to each of `ends`, dates that the index has."""
    found: np.ndarray = level[np.searchsorted(dates, ends)] / level[np.searchsorted(dates, starts)] - 1.0
    return found


def _rows(market: Market, as_of: Any) -> int:
    rows = int(np.searchsorted(market.dates, parse_date(as_of).to_datetime64(), side="right"))
    if not rows:
        raise InputError("as_of", str(as_of), "is before the first close", f"From {str(market.dates[0])[:10]} on.")
    return rows
