"""The first draw: correlated, fat-tailed daily returns whose volatility clusters and whose tails come together.

    r[t, i] = sigma[i, year] * exp(h[t] * b[i] + g[t, i]) * sqrt(w[t] * v[t, i]) * (L[t] z[t])[i]

h is the market's log volatility (a slow and a fast autoregression, and a jump at each named event that decays), g the
asset's own, w a mixing draw shared by all assets on a day (so they crash together, as in a multivariate Student t),
v the asset's own mixing draw (so XRP's court ruling is XRP's), L a Cholesky factor of the regime's correlation.
"""

import numpy as np
import pandas as pd

from data.builder.facts import Facts
from data.builder.stats import CALM_SHARE, STRESS_SHARE

SHARED_DOF, OWN_DOF = 7.0, 9.0
SLOW, FAST = (0.985, 0.38), (0.80, 0.22)  # (autoregression, standard deviation) of the market's log volatility
OWN = (0.94, 0.28)
EVENT_JUMP, EVENT_DECAY = 0.7, 0.90
# How far each year's correlations lie from the whole window's towards 1 (assumed: coins move together more and more
# as the record's month ends do; the fit then restores the window's own figures).
TOGETHER = {2020: -0.15, 2021: -0.15, 2022: 0.25, 2023: 0.0, 2024: 0.10, 2025: 0.30, 2026: 0.55}


def draw_coins(facts: Facts, days: pd.DatetimeIndex, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(returns, variances), each (n_returns, n_coins): the draw, and each day's variance given its volatility."""
    n, coins = len(days) - 1, facts.coins
    years = days[1:].year.to_numpy()
    market = autoregression(rng, n, *SLOW) + autoregression(rng, n, *FAST) + event_heat(facts, days)
    own = np.stack([autoregression(rng, n, *OWN) for _ in coins], axis=1)
    follows = np.array([0.3 if coin == "PAXG" else 1.0 for coin in coins])
    shared = chi_mixing(rng, (n, 1), SHARED_DOF)
    alone = chi_mixing(rng, (n, len(coins)), OWN_DOF)
    variance = np.exp(2 * (market[:, None] * follows + own)) * shared**follows * alone
    for i, coin in enumerate(coins):
        variance[:, i] *= year_scale(variance[:, i], years, facts.year_vols(coin), 365.0)
    noise = rng.standard_normal((n, len(coins)))
    regime = regime_of(market)
    roots = {
        (name, year): _root(_together(facts.matrix(name, coins), coins, TOGETHER[year]))
        for name in set(regime)
        for year in TOGETHER
    }
    z = np.stack([roots[regime[t], int(years[t])] @ noise[t] for t in range(n)])
    return z * np.sqrt(variance), variance


def autoregression(rng: np.random.Generator, n: int, phi: float, sd: float) -> np.ndarray:
    """A stationary first-order autoregression of standard deviation sd."""
    shocks = rng.standard_normal(n) * sd * np.sqrt(1 - phi * phi)
    out = np.empty(n)
    level = shocks[0] / np.sqrt(1 - phi * phi)
    for t in range(n):
        level = phi * level + shocks[t] if t else level
        out[t] = level
    return out


def chi_mixing(rng: np.random.Generator, shape: tuple[int, int], dof: float) -> np.ndarray:
    """Variance multipliers of mean 1 that make a normal draw a Student t."""
    return (dof - 2) / rng.chisquare(dof, size=shape)


def event_heat(facts: Facts, days: pd.DatetimeIndex) -> np.ndarray:
    """Extra log volatility around named events, (n_returns,)."""
    heat, level = np.zeros(len(days) - 1), 0.0
    hot = set()
    for start, end, _ in facts.moves["BTC"]:
        hot.update(pd.date_range(start, end))
    for t, day in enumerate(days[1:]):
        level = EVENT_JUMP if day in hot else level * EVENT_DECAY
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


def _together(matrix: np.ndarray, coins: tuple[str, ...], share: float) -> np.ndarray:
    """Correlations moved by `share` of their distance to 1 (or down by that share of themselves); gold stays."""
    moved = matrix + share * (1 - matrix) if share > 0 else matrix * (1 + share)
    for i, coin in enumerate(coins):
        if coin == "PAXG":
            moved[i], moved[:, i] = matrix[i], matrix[:, i]
    np.fill_diagonal(moved, 1.0)
    return moved


def _root(matrix: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the nearest positive semidefinite one, unit diagonal."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 1e-6))
    return root / np.sqrt((root * root).sum(axis=1, keepdims=True))
