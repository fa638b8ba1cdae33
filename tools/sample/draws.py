"""The first draw: correlated, fat-tailed daily returns whose volatility clusters and whose crashes come together.

    r[t, i] = sigma[i, year] * exp(b[i] * h[t] + g[t, i]) * (beta[i] * f[t] + (R e[t])[i])

h is the market's log volatility (a slow and a fast autoregression, and heat around named events), g the asset's own.
f and e are variance-gamma draws of variance 1: f, shared by all, leans down, so crashes are common; e, the asset's
own, leans up, so rallies are its own (as XRP's court ruling was). beta beta' + R R' is the regime's correlation.
"""

import numpy as np
import pandas as pd

from tools.sample.facts import Facts
from tools.sample.stats import CALM_SHARE, STRESS_SHARE

# Assumed: the record has no figure for these. (Gamma shape, lean) of the shared and of the own draws.
SHARED, OWN = (2.5, -0.4), (0.8, 1.2)
SLOW, FAST = (0.985, 0.30), (0.80, 0.15)  # (autoregression, standard deviation) of the market's log volatility
OWN_VOL = (0.94, 0.20)
EVENT_HEAT, EVENT_DECAY = 0.5, 0.90
# Assumed: the power that each year's correlations are raised to; below 1 coins move together more than over the whole
# window. The fit then restores the window's own figures.
TOGETHER = {2020: 1.8, 2021: 1.8, 2022: 0.5, 2023: 1.0, 2024: 0.8, 2025: 0.6, 2026: 0.2}
GOLD = "PAXG"  # follows the coins' volatility little, leans neither way, stays out of their yearly coming together
GOLD_FOLLOWS = 0.3


def draw_coins(facts: Facts, days: pd.DatetimeIndex, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(returns, variances), each (n_returns, n_coins): the draw, and each day's variance given its volatility."""
    n, coins = len(days) - 1, facts.coins
    years = days[1:].year.to_numpy()
    market = autoregression(rng, n, *SLOW) + autoregression(rng, n, *FAST) + event_heat(facts, days)
    own = np.stack([autoregression(rng, n, *OWN_VOL) for _ in coins], axis=1)
    follows = np.array([GOLD_FOLLOWS if coin == GOLD else 1.0 for coin in coins])
    shared, shared_size = leaning(rng, (n, 1), *SHARED)
    lean = np.array([0.0 if coin == GOLD else OWN[1] for coin in coins])
    alone, alone_size = leaning(rng, (n, len(coins)), OWN[0], lean)
    regime = regime_of(market)
    parts = {
        (name, year): factor_and_rest(_together(facts.matrix(name, coins), coins, TOGETHER[year]))
        for name in set(regime)
        for year in TOGETHER
    }
    z = np.empty((n, len(coins)))
    variance = np.exp(2 * (market[:, None] * follows + own))
    for t in range(n):
        beta, rest = parts[regime[t], int(years[t])]
        z[t] = beta * shared[t, 0] + rest @ alone[t]
        variance[t] *= beta**2 * shared_size[t, 0] + (rest**2) @ alone_size[t]
    scale = np.exp(market[:, None] * follows + own)
    for i, coin in enumerate(coins):
        factor = year_scale((z[:, i] * scale[:, i]) ** 2, years, facts.year_vols(coin), 365.0)
        scale[:, i] *= np.sqrt(factor)
        variance[:, i] *= factor
    return z * scale, variance


def leaning(
    rng: np.random.Generator, shape: tuple[int, int], gamma_shape: float, lean: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(draws, sizes): variance-gamma draws of mean 0 and variance 1, leaning up or down, and their gamma variances."""
    size = rng.gamma(gamma_shape, 1 / gamma_shape, size=shape)
    draw = lean * (size - 1) + np.sqrt(size) * rng.standard_normal(shape)
    return draw / np.sqrt(1 + lean * lean / gamma_shape), size


def autoregression(rng: np.random.Generator, n: int, phi: float, sd: float) -> np.ndarray:
    """A stationary first-order autoregression of standard deviation sd, (n,)."""
    shocks = rng.standard_normal(n) * sd * np.sqrt(1 - phi * phi)
    out = np.empty(n)
    level = shocks[0] / np.sqrt(1 - phi * phi)
    for t in range(n):
        level = phi * level + shocks[t] if t else level
        out[t] = level
    return out


def event_heat(facts: Facts, days: pd.DatetimeIndex) -> np.ndarray:
    """Extra log volatility in and after named events, (n_returns,)."""
    hot = {day for start, end, _ in facts.moves["BTC"] for day in pd.date_range(start, end)}
    heat, level = np.zeros(len(days) - 1), 0.0
    for t, day in enumerate(days[1:]):
        level = EVENT_HEAT if day in hot else level * EVENT_DECAY
        heat[t] = level
    return heat


def year_scale(variance: np.ndarray, years: np.ndarray, vols: dict[int, float], periods: float) -> np.ndarray:
    """Multipliers that give each year the variance recorded for it; a year without a figure takes the one before."""
    scale = np.empty(len(variance))
    last = vols[min(vols)]
    for year in np.unique(years):
        last = vols.get(int(year), last)
        here = years == year
        scale[here] = last * last / periods / variance[here].mean()
    return scale


def regime_of(market: np.ndarray) -> np.ndarray:
    """The name of the correlation matrix each day is drawn from, by the market's log volatility."""
    calm, stress = np.quantile(market, [CALM_SHARE, 1 - STRESS_SHARE])
    names = np.full(len(market), "correlation_all", dtype=object)
    names[market <= calm] = "correlation_calm"
    names[market >= stress] = "correlation_stress"
    return names


def factor_and_rest(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(beta (k,), rest (k, k)): beta beta' + rest rest' is the matrix; beta its first principal factor, all upward."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, 1e-6)
    beta = vectors[:, -1] * np.sqrt(values[-1])
    beta = beta * np.sign(beta.sum())
    rest = (vectors[:, :-1] * np.sqrt(values[:-1])) @ vectors[:, :-1].T
    return beta, rest


def _together(matrix: np.ndarray, coins: tuple[str, ...], power: float) -> np.ndarray:
    moved = np.sign(matrix) * np.abs(matrix) ** power
    if GOLD in coins:
        i = coins.index(GOLD)
        moved[i], moved[:, i] = matrix[i], matrix[:, i]
    np.fill_diagonal(moved, 1.0)
    return moved
