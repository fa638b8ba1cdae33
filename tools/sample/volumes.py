"""Daily traded volumes in USD, simulated throughout: the record holds one figure per coin, its median of 2025.

    ln volume = level + 0.5 ln(price / its mean of 2025) + 0.8 ln(1 + |r| / sigma) + slow noise + daily noise

The level makes the median of 2025 the recorded one. Coins trade a third less at weekends.
"""

import numpy as np
import pandas as pd

from tools.sample.draws import autoregression
from tools.sample.facts import Facts

# Round figures of the size of the funds' and stablecoins' real turnover; no record was used.
ASSUMED_MEDIANS = {"SPY": 4.0e10, "QQQ": 2.5e10, "GLD": 4.0e9, "USDC": 1.0e9, "USDT": 5.0e8}
PRICE_POWER, MOVE_POWER, WEEKEND = 0.5, 0.8, -0.4
SLOW, FAST_SD = (0.95, 0.30), 0.22


def simulate_volumes(facts: Facts, closes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """DataFrame like closes: USD traded on the day, whole dollars to four digits; NaN where there is no close."""
    medians = {**ASSUMED_MEDIANS, **facts.calibration["median_daily_quote_volume_usd_2025"]}
    columns = {}
    for asset in closes.columns:
        series = closes[asset].dropna()
        columns[asset] = _one(series, float(medians[asset]), rng)
    return pd.DataFrame(columns, index=closes.index)


def _one(closes: pd.Series, median: float, rng: np.random.Generator) -> pd.Series:
    prices = closes.to_numpy()
    index = pd.DatetimeIndex(closes.index)
    moves = np.abs(np.diff(np.log(prices), prepend=np.log(prices[0])))
    in_2025 = np.asarray(index.year == 2025)
    sigma = np.median(moves[in_2025]) / 0.6745
    log_volume = (
        PRICE_POWER * np.log(prices / prices[in_2025].mean())
        + MOVE_POWER * np.log1p(moves / sigma)
        + WEEKEND * np.asarray(index.day_of_week >= 5)
        + autoregression(rng, len(prices), *SLOW)
        + FAST_SD * rng.standard_normal(len(prices))
    )
    log_volume += np.log(median) - np.median(log_volume[in_2025])
    return pd.Series(rounded(np.exp(log_volume), 4), index=closes.index)


def rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """Values to so many significant digits, each the nearest double of its decimal print."""
    return np.array([float(f"{value:.{digits}g}") for value in values])
