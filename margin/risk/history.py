"""Returns of a book's assets up to as-of, and the volatility known before each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.instruments import Instrument
from margin.core.market import Market, Returns, step_returns
from margin.core.settings import Settings

__all__ = ["WARM_UP", "History", "ewma_vol_path", "history", "price_series"]

WARM_UP = 30  # returns averaged to start an EWMA
NOTHING = 1e-18  # a weight that changes no digit of a sum


@dataclass(frozen=True)
class History:
    """All returns of a book's assets up to as-of, and the part of them the lookback keeps.

    daily     : (n, k) one-step returns over the whole history; daily_dates (n,)
    horizon   : Returns over the horizon, whole history
    daily_vol : (k,) EWMA volatility per day at as-of
    """

    daily: np.ndarray
    daily_dates: np.ndarray
    horizon: Returns
    daily_vol: np.ndarray
    vol_path: np.ndarray  # (n + 1, k): row i is known before return i, the last one is today's

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets in the order of the columns."""
        return self.horizon.assets


def price_series(market: Market, instruments: Iterable[Instrument], settings: Settings) -> tuple[str, ...]:
    """Names of the price series these instruments are moved by, sorted: their own closes where the market has them.

    An instrument's own closes are used where they reach back as far as the lookback asks, or as far as its asset's do;
    else it moves with its asset. Dollars need no series; options move with their asset.
    """
    names = set()
    for instrument in instruments:
        if instrument.base == "USD" and instrument.base not in market:
            continue
        own = instrument.symbol in market.instruments and not instrument.is_option
        names.add(instrument.symbol if own and _reaches(market, instrument, settings) else instrument.base)
    return tuple(sorted(names - {"USD"}))


def _reaches(market: Market, instrument: Instrument, settings: Settings) -> bool:
    names = [instrument.symbol] + ([instrument.base] if instrument.base in market else [])
    try:
        both = len(market.aligned(names, settings.as_of)[0])
        alone = len(market.aligned(names[1:], settings.as_of)[0]) if len(names) > 1 else 0
    except InputError:
        return False
    return both > min(settings.lookback + settings.horizon, alone - 1)


def history(market: Market, assets: Sequence[str], settings: Settings) -> History:
    """Everything the estimators need, of assets and of instruments with closes of their own.

    Once per (assets, as-of, horizon, decay), and kept by the market.
    """
    key = ("history", tuple(assets), settings.as_of, settings.horizon, settings.ewma_lambda)
    found: History = market.remember(key, lambda: _history(market, assets, settings))
    return found


def _history(market: Market, assets: Sequence[str], settings: Settings) -> History:
    over_horizon = market.returns(assets, settings.as_of, settings.horizon)
    daily, dates = over_horizon.values, over_horizon.dates
    if settings.horizon != 1:
        daily, dates = step_returns(over_horizon.close_dates, over_horizon.closes, 1)
    path = ewma_vol_path(daily, settings.ewma_lambda)
    return History(daily, dates, over_horizon, path[-1], path)


def ewma_vol_path(returns: np.ndarray, decay: float) -> np.ndarray:
    """EWMA volatility per step: row i uses returns before i only; the last of the n + 1 rows is the current one.

    returns : (n, k). Mean zero; started with the average square of the first 30 returns, the only rows that see
    (at most) 30 returns ahead of them, all before as-of.
    Source: RiskMetrics Technical Document (1996), section 5.2.
    """
    squares = returns**2
    variances = np.concatenate([squares[:WARM_UP].mean(axis=0, keepdims=True), (1.0 - decay) * squares])
    # Sums over 1, 2, 4, ... rows back: y(t) + decay^w y(t - w). Every row is of the rows before it alone, bit for bit.
    width = 1
    while width < len(variances) and (weight := decay**width) > NOTHING:
        variances[width:] += weight * variances[:-width]
        width *= 2
    found: np.ndarray = np.sqrt(variances)
    return found
