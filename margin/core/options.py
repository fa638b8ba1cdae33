"""Black-76 on arrays: values, greeks, and how implied volatility answers a move."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.core.instruments import Instrument

DAYS_PER_YEAR = 365.0
LEAST_VOL, MOST_VOL = 1e-3, 10.0  # annual: what an implied volatility is looked for between
SETTLEMENT = pd.Timedelta(hours=8)  # of the expiry date, UTC: Deribit, OKX, Bybit, Binance and Derive settle then
SHORT_TERM_DAYS, LONG_TERM_POWER = 30.0, 0.13  # beyond 30 days a volatility shock is damped by (30 / days)^0.13


@dataclass(frozen=True)
class Greeks:
    """Per unit of the underlying: value USD, delta, gamma per USD, vega USD per vol point (0.01), theta USD per day."""

    value: float
    delta: float
    gamma: float
    vega: float
    theta: float


def black76(
    forward: np.ndarray | float, strike: float, years: float, vol: np.ndarray | float, option_type: str
) -> np.ndarray:
    """Value of a European option per unit of the underlying, USD; rate zero.

    forward : USD; vol : annual; years to expiry; at or after expiry the intrinsic value
    Source: Black (1976), "The pricing of commodity contracts".
    """
    from scipy.special import ndtr  # slow to import, and a first page needs none of it

    forward, vol = np.asarray(forward, dtype=float), np.asarray(vol, dtype=float)
    sign = 1.0 if option_type == "C" else -1.0
    spread = vol * np.sqrt(max(years, 0.0))
    intrinsic = np.maximum(sign * (forward - strike), 0.0)
    alive = (spread > 0) & (forward > 0)
    if not np.any(alive):
        return intrinsic
    safe_spread, safe_forward = np.where(alive, spread, 1.0), np.where(alive, forward, strike)
    d1 = np.log(safe_forward / strike) / safe_spread + safe_spread / 2.0
    value = sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - safe_spread)))
    return np.where(alive, np.maximum(value, 0.0), intrinsic)


def implied_vol(value: float, forward: float, strike: float, years: float, option_type: str) -> float | None:
    """Annual volatility at which Black-76 gives `value` (USD); None outside what any volatility can give."""
    from scipy.optimize import brentq  # 0.1 s, and only printed marks of options need it

    if years <= 0:
        return None

    def gap(vol: float) -> float:
        return float(black76(forward, strike, years, vol, option_type)) - value

    if not gap(LEAST_VOL) < 0 < gap(MOST_VOL):
        return None
    return float(brentq(gap, LEAST_VOL, MOST_VOL, xtol=1e-14, rtol=1e-13))


def greeks(forward: float, strike: float, years: float, vol: float, option_type: str) -> Greeks:
    """Value and sensitivities in closed form; after expiry delta is 0 or +-1 and the rest 0.

    Source: Haug (2007), "The Complete Guide to Option Pricing Formulas", chapter 2 (Black-76 with rate zero).
    """
    from scipy.special import ndtr

    value = float(black76(forward, strike, years, vol, option_type))
    sign = 1.0 if option_type == "C" else -1.0
    spread = vol * np.sqrt(max(years, 0.0))
    if spread <= 0:
        return Greeks(value, sign * float(sign * (forward - strike) > 0), 0.0, 0.0, 0.0)
    d1 = np.log(forward / strike) / spread + spread / 2.0
    density = np.exp(-d1 * d1 / 2.0) / np.sqrt(2.0 * np.pi)
    delta = sign * float(ndtr(sign * d1))
    gamma = float(density / (forward * spread))
    vega = float(forward * density * np.sqrt(years)) / 100.0
    theta = -float(forward * density * vol / (2.0 * np.sqrt(years))) / DAYS_PER_YEAR
    return Greeks(value, delta, gamma, vega, theta)


def years_to_expiry(instrument: Instrument, as_of: pd.Timestamp, days_on: float = 0.0) -> float:
    """Years from `as_of` (+ `days_on`) to 08:00 UTC of the expiry date; InputError when it had settled at `as_of`.

    as_of : a date without a time of day stands for its close, 24:00 UTC; a time for itself
    """
    assert isinstance(instrument.expiry, date)
    settles = pd.Timestamp(instrument.expiry) + SETTLEMENT
    days = (settles - valuation_time(as_of)) / pd.Timedelta(days=1)
    if days < 0:
        hint = "Roll it to a later expiry, remove it, or choose an earlier as-of date."
        problem = f"expired on {instrument.expiry} at 08:00 UTC, before the as-of close of {as_of.date()}"
        if as_of != as_of.normalize():
            problem = f"expired on {instrument.expiry} at 08:00 UTC, before the as-of time {as_of}"
        raise InputError("positions", instrument.symbol, problem, hint)
    return max(days - days_on, 0.0) / DAYS_PER_YEAR


def valuation_time(as_of: pd.Timestamp) -> pd.Timestamp:
    """The moment an as-of stands for: daily closes are those of 24:00 UTC, and carry their day's date."""
    return as_of + pd.Timedelta(days=1) if as_of == as_of.normalize() else as_of


def shocked_vol(
    vol: float, returns: np.ndarray, daily_vol: float, decay: float, horizon: int, years: float = 0.0
) -> np.ndarray:
    """Implied volatility after each scenario return: it moves as the EWMA estimate would, less for long-dated options.

    ratio^2 = decay^h + (1 - decay^h) r^2 / (h ewma^2): a large move of either sign raises it, a quiet day lowers it.
    v' = v (1 + (ratio - 1) min(1, (30 / days)^0.13)), days to expiry at as-of.

    vol : annual implied; daily_vol : EWMA volatility per day at as-of; returns : (n,) over `horizon` days;
    years : to expiry. Source of the damping: long-term power of the volatility shock in Derive's portfolio margin
    (v2-core, LONGTERMPOWER 0.13 beyond 30 days).
    """
    if daily_vol <= 0:
        return np.full(len(returns), vol)
    kept = decay**horizon
    ratio = np.sqrt(kept + (1.0 - kept) * returns**2 / (horizon * daily_vol**2))
    days = years * DAYS_PER_YEAR
    damping = (SHORT_TERM_DAYS / days) ** LONG_TERM_POWER if days > SHORT_TERM_DAYS else 1.0
    shocked: np.ndarray = vol * (1.0 + (ratio - 1.0) * damping)
    return shocked
