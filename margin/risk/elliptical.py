"""Elliptical closed forms: a covariance, normal or Student-t, and draws that have exactly that covariance."""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.risk import covariance as correlation
from margin.risk.estimators import degrees_of_freedom
from margin.risk.history import History
from margin.risk.scenarios import Scenarios, not_below_zero

__all__ = [
    "SIMULATED",
    "Elliptical",
    "elliptical",
    "portfolio_margin_under",
    "simulate",
    "tail_factor",
    "what_if_correlation",
]

SIMULATED = 4000  # scenarios drawn where a closed form does not reach (options, charts)


@dataclass(frozen=True)
class Elliptical:
    """A closed form: mean zero, covariance (k, k) over the horizon, normal (dof None) or Student-t."""

    covariance: np.ndarray
    dof: float | None
    observations: int
    notes: tuple[str, ...] = ()


def elliptical(past: History, settings: Settings) -> Elliptical:
    """Covariance over the horizon from the chosen correlation, for the estimators that are closed forms.

    Daily covariance of the last `lookback` daily returns, times the horizon (independent days).
    """
    returns = past.daily[-settings.lookback :]
    live = np.flatnonzero((returns != returns[0]).any(axis=0))  # what never moves has no correlation, and no risk
    cov = np.zeros((returns.shape[1], returns.shape[1]))
    assets = tuple(past.assets[i] for i in live)
    part, notes = _covariance(returns[:, live], assets, settings) if len(live) else (cov, ())
    cov[np.ix_(live, live)] = part
    return Elliptical(cov * settings.horizon, degrees_of_freedom(settings), len(returns), notes)


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
    wanted, used = with_pairs_set(corr, assets, settings)
    if np.linalg.eigvalsh(wanted)[0] >= -1e-10:
        return wanted, f"What-if correlation: {used} of the matrix's pairs set by you; no venue takes such a matrix."
    repaired, distance = correlation.nearest_correlation(wanted)
    note = (
        f"What-if correlation: {used} pairs set by you. No data could have that matrix, so the nearest correlation "
        f"matrix is used (distance {distance:.3f}, largest change {np.abs(repaired - wanted).max():.3f})."
    )
    return repaired, note


def with_pairs_set(corr: np.ndarray, assets: tuple[str, ...], settings: Settings) -> tuple[np.ndarray, int]:
    """(`corr` with the visitor's own figures as they stand, how many of its pairs those are)."""
    wanted, used = corr.copy(), 0
    for a, b, rho in settings.what_if:
        if a in assets and b in assets:
            i, j = assets.index(a), assets.index(b)
            wanted[i, j] = wanted[j, i] = rho
            used += 1
    return wanted, used


def tail_factor(measure: str, level: float, dof: float | None) -> float:
    """ES (or VaR) of a unit-variance normal, or Student-t scaled to unit variance.

    Source: McNeil, Frey and Embrechts (2015), "Quantitative Risk Management", examples 2.14 and 2.15.
    """
    from scipy.special import gammaln, ndtri, stdtrit  # slow to import, and a first page needs none of it

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
    returns, stopped = not_below_zero(draws @ whiten @ root.T)
    return Scenarios(returns, None, (f"{SIMULATED} simulated scenarios with the model's covariance.", *stopped))


def portfolio_margin_under(
    matrix: np.ndarray,
    dollars: np.ndarray,
    volatilities: np.ndarray,
    level: float = 0.975,
    measure: str = "es",
    horizon: int = 1,
    dof: float | None = None,
) -> float:
    """USD margin of a book under a correlation matrix, closed form.

    matrix       : (k, k) correlation, positive semi-definite; dollars (k,) net USD delta; volatilities (k,) per day
    dof          : Student-t with so many degrees of freedom, scaled to the same variance; None for normal
    `k(measure, level, dof) root(horizon x w' C w)`, w = dollars x volatilities.
    Source: McNeil, Frey and Embrechts (2015), "Quantitative Risk Management", examples 2.14 and 2.15.
    """
    matrix, exposure = np.asarray(matrix, dtype=float), np.asarray(dollars, dtype=float) * volatilities
    if matrix.shape != (len(exposure), len(exposure)):
        raise InputError("matrix", matrix.shape, f"must be {len(exposure)} x {len(exposure)}, one row per asset")
    if not (np.isfinite(matrix).all() and np.isfinite(exposure).all()):
        raise InputError("matrix", "NaN", "must hold finite numbers only")
    variance = float(exposure @ matrix @ exposure)
    if variance < -1e-9 * float(np.abs(exposure).sum()) ** 2:
        raise InputError("matrix", variance, "gives a negative variance", "Repair it with nearest_correlation first.")
    return tail_factor(measure, level, dof) * float(np.sqrt(max(variance, 0.0) * horizon))
