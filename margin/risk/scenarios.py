"""Scenario sets: which returns could happen over the next horizon, from data up to as-of only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln, ndtri, stdtrit

from margin.core.errors import InputError
from margin.core.market import Market, Returns, step_returns
from margin.core.settings import Settings
from margin.risk import covariance as correlation
from margin.risk.tail import tail_mass

WARM_UP = 30  # returns averaged to start an EWMA
SIMULATED = 4000  # scenarios drawn where a closed form does not reach (options, charts)


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
        return self.horizon.assets


@dataclass(frozen=True)
class Scenarios:
    """Returns (n, k) over the horizon, equally likely; `dates` when they happened, None when simulated."""

    returns: np.ndarray
    dates: np.ndarray | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elliptical:
    """A closed form: mean zero, covariance (k, k) over the horizon, normal (dof None) or Student-t."""

    covariance: np.ndarray
    dof: float | None
    observations: int
    notes: tuple[str, ...] = ()


def history(market: Market, assets: list[str], settings: Settings) -> History:
    """Everything the estimators need, computed once per (assets, as-of, horizon, decay) and kept by the market."""
    key = ("history", tuple(assets), settings.as_of, settings.horizon, settings.ewma_lambda)
    return market.remember(key, lambda: _history(market, assets, settings))


def _history(market: Market, assets: list[str], settings: Settings) -> History:
    over_horizon = market.returns(assets, settings.as_of, settings.horizon)
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
    start = squares[:WARM_UP].mean(axis=0, keepdims=True)
    variances = pd.DataFrame(np.concatenate([start, squares])).ewm(alpha=1.0 - decay, adjust=False).mean()
    return np.sqrt(variances.to_numpy())


def historical(past: History, lookback: int) -> Scenarios:
    """The last `lookback` returns as they were."""
    return Scenarios(past.horizon.values[-lookback:], past.horizon.dates[-lookback:])


def filtered(past: History, lookback: int) -> Scenarios:
    """Past returns divided by the volatility known before each, times today's.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), "VaR without correlations for portfolios of derivative
    securities"; with RiskMetrics' EWMA in place of GARCH.
    """
    ends = np.searchsorted(past.daily_dates, past.horizon.dates)
    before = past.vol_path[np.maximum(ends - past.horizon.horizon + 1, 0)]
    ratio = np.divide(past.daily_vol, before, out=np.ones_like(before), where=before > 0)
    returns, notes = _not_below_zero((past.horizon.values * ratio)[-lookback:])
    return Scenarios(returns, past.horizon.dates[-lookback:], notes)


def stressed(past: History, lookback: int, book_losses: np.ndarray, level: float) -> Scenarios:
    """The `lookback` successive returns that would hurt this book most.

    book_losses : (n,) USD, the book's loss under every return of the whole history
    """
    n = len(book_losses)
    if n <= lookback:
        note = f"Only {n} returns of common history: the stressed window is all of it."
        return Scenarios(past.horizon.values, past.horizon.dates, (note,))
    start = worst_window(book_losses, lookback, level)
    window = slice(start, start + lookback)
    return Scenarios(past.horizon.values[window], past.horizon.dates[window])


def worst_window(losses: np.ndarray, length: int, level: float) -> int:
    """Start of the window of `length` successive losses with the largest ES; of equal ones the newest. Exact.

    losses : (n,) USD, n >= length
    Losses are dealt from the largest down to the windows that hold them, until no window that is still short of its
    tail could overtake the best full one; a few dozen losses decide, where sorting every window would cost 10 ms.
    """
    mass, _ = tail_mass(length, level)
    last = len(losses) - length
    dealt, room = np.zeros(last + 1), np.full(last + 1, mass)
    for step, i in enumerate(np.argsort(-losses, kind="stable")):
        holds = slice(max(0, i - length + 1), min(i, last) + 1)
        taken = np.minimum(room[holds], 1.0)
        dealt[holds] += taken * losses[i]
        room[holds] -= taken
        if step % 8 == 7:
            full = room <= 0
            if full.any() and dealt[full].max() > (dealt + room * losses[i])[~full].max(initial=-np.inf):
                break
    full = room <= 0
    return int(np.flatnonzero(full & (dealt == dealt[full].max()))[-1])


def _not_below_zero(returns: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns of at least -100%, for no price falls below zero, and a note when some had to be stopped there."""
    below = int((returns < -1.0).any(axis=1).sum())
    if not below:
        return returns, ()
    note = f"{below} of {len(returns)} scenarios would take a price below zero; it stops at zero there."
    return np.maximum(returns, -1.0), (note,)


def elliptical(past: History, settings: Settings) -> Elliptical:
    """Covariance over the horizon from the chosen correlation, for the gaussian and Student-t estimators.

    Daily covariance of the last `lookback` daily returns, times the horizon (independent days).
    """
    returns = past.daily[-settings.lookback :]
    live = np.flatnonzero((returns != returns[0]).any(axis=0))  # what never moves has no correlation, and no risk
    cov = np.zeros((returns.shape[1], returns.shape[1]))
    assets = tuple(past.assets[i] for i in live)
    part, notes = _covariance(returns[:, live], assets, settings) if len(live) else (cov, ())
    cov[np.ix_(live, live)] = part
    dof = settings.degrees_of_freedom if settings.estimator == "student" else None
    return Elliptical(cov * settings.horizon, dof, len(returns), notes)


def _covariance(returns: np.ndarray, assets: tuple[str, ...], settings: Settings) -> tuple[np.ndarray, tuple[str, ...]]:
    if settings.correlation == "ewma":
        vols, corr = correlation.ewma_covariance(returns, settings.vol_halflife, settings.corr_halflife)
        return np.outer(vols, vols) * corr, ()
    if settings.correlation == "ledoit-wolf":
        cov, shrinkage = correlation.ledoit_wolf(returns)
        return cov, (f"Ledoit-Wolf shrinkage {shrinkage:.1%} towards equal, uncorrelated assets.",)
    cov = correlation.covariance(returns)
    if settings.correlation == "sample":
        return cov, ()
    vols = np.sqrt(np.diag(cov))
    corr, note = what_if_correlation(correlation.correlation_from_covariance(cov), assets, settings)
    return np.outer(vols, vols) * corr, (note,)


def what_if_correlation(corr: np.ndarray, assets: tuple[str, ...], settings: Settings) -> tuple[np.ndarray, str]:
    """(`corr` with the visitor's own figures, repaired where no data could have them; a note that says so)."""
    wanted = corr.copy()
    used = 0
    for a, b, rho in settings.what_if:
        if a in assets and b in assets:
            i, j = assets.index(a), assets.index(b)
            wanted[i, j] = wanted[j, i] = rho
            used += 1
    if np.linalg.eigvalsh(wanted)[0] >= -1e-10:
        return wanted, f"What-if correlation: {used} of the matrix's pairs set by you; no venue takes such a matrix."
    repaired, distance = correlation.nearest_correlation(wanted)
    note = (
        f"What-if correlation: {used} pairs set by you. No data could have that matrix, so the nearest correlation "
        f"matrix is used (distance {distance:.3f}, largest change {np.abs(repaired - wanted).max():.3f})."
    )
    return repaired, note


def tail_factor(measure: str, level: float, dof: float | None) -> float:
    """ES (or VaR) of a unit-variance normal, or Student-t scaled to unit variance.

    Source: McNeil, Frey and Embrechts (2015), "Quantitative Risk Management", examples 2.14 and 2.15.
    """
    if dof is None:
        quantile = float(ndtri(level))
        density = np.exp(-quantile * quantile / 2.0) / np.sqrt(2.0 * np.pi)
        return quantile if measure == "var" else float(density / (1.0 - level))
    if dof <= 2:
        raise InputError("degrees_of_freedom", dof, "must be above 2 for a finite variance")
    scale = np.sqrt((dof - 2.0) / dof)
    quantile = float(stdtrit(dof, level))
    if measure == "var":
        return float(scale * quantile)
    log_density = gammaln((dof + 1) / 2) - gammaln(dof / 2) - np.log(dof * np.pi) / 2
    density = np.exp(log_density - (dof + 1) / 2 * np.log1p(quantile * quantile / dof))
    return float(scale * density / (1.0 - level) * (dof + quantile * quantile) / (dof - 1.0))


def simulate(model: Elliptical, seed: int = 20240229) -> Scenarios:
    """Draws of an elliptical model, antithetic and rescaled so that mean and covariance are exactly the model's.

    (Except where a draw would take a price below zero: it stops there, and a note says so.)
    The same model always gives the same draws. Used where a closed form does not reach: options and charts.
    """
    k = len(model.covariance)
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((SIMULATED // 2, k))
    if model.dof is not None:
        half *= np.sqrt((model.dof - 2.0) / rng.chisquare(model.dof, size=(SIMULATED // 2, 1)))
    draws = np.concatenate([half, -half])
    whiten = np.linalg.cholesky(np.linalg.inv(draws.T @ draws / len(draws)))
    values, vectors = np.linalg.eigh(model.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    returns, stopped = _not_below_zero(draws @ whiten @ root.T)
    return Scenarios(returns, None, (f"{SIMULATED} simulated scenarios with the model's covariance.", *stopped))
