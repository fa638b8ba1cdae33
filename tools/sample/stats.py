"""Statistics of simulated log returns, each with its target and its gradient by every day's return.

The definitions are those that reproduce the recorded figures: log returns on 365 days a year, correlations on the
days both assets have; calm and stress by the 20-day volatility of the equal-weighted coins without gold (its lower
half, its top fifth); worst days by their mean return (its lowest twentieth); the degrees of freedom of a fitted
Student t; the first autocorrelation of absolute returns.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import digamma

VOL_DAYS = 20
CALM_SHARE, STRESS_SHARE, WORST_SHARE = 0.5, 0.2, 0.05


class Goal(NamedTuple):
    """One statistic: how far it is from its target, and how it moves with each return of each asset in it."""

    miss: float  # target - achieved, in the units of the gradient
    gradient: dict[int, np.ndarray]  # {asset column: (n_returns,)}


def volatility(x: np.ndarray, mask: np.ndarray, periods: float) -> float:
    """Standard deviation of x over mask, annualised."""
    return float(np.std(x[mask], ddof=1) * np.sqrt(periods))


def correlation(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    a, b = x[mask] - x[mask].mean(), y[mask] - y[mask].mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def abs_autocorrelation(x: np.ndarray) -> float:
    """First autocorrelation of |x|, as pandas' Series.autocorr(1)."""
    a = np.abs(x)
    return correlation(a[1:], a[:-1], np.ones(len(a) - 1, dtype=bool))


def volatility_goal(x: np.ndarray, column: int, mask: np.ndarray, periods: float, target: float) -> Goal:
    """Relative miss of the annual volatility over mask."""
    part = x[mask] - x[mask].mean()
    sd = np.sqrt((part * part).sum() / (len(part) - 1))
    gradient = np.zeros(len(x))
    gradient[mask] = part / ((len(part) - 1) * sd) * np.sqrt(periods) / target
    return Goal(1.0 - sd * np.sqrt(periods) / target, {column: gradient})


def correlation_goal(x: np.ndarray, y: np.ndarray, i: int, j: int, mask: np.ndarray, target: float) -> Goal:
    u, size_u = _unit(x, mask)
    v, size_v = _unit(y, mask)
    rho = float((u * v).sum())
    gradient_x, gradient_y = np.zeros(len(x)), np.zeros(len(x))
    gradient_x[mask] = (v - rho * u) / size_u
    gradient_y[mask] = (u - rho * v) / size_v
    return Goal(target - rho, {i: gradient_x, j: gradient_y})


def clustering_goal(x: np.ndarray, column: int, mask: np.ndarray, target: float) -> Goal:
    """Miss of the first autocorrelation of |x| over the run of days in mask."""
    goal = persistence_goal(np.abs(x), column, mask, target)
    return Goal(goal.miss, {column: goal.gradient[column] * np.sign(x)})


def persistence_goal(x: np.ndarray, column: int, mask: np.ndarray, target: float) -> Goal:
    """Miss of the first autocorrelation of x over the run of days in mask."""
    part = x[mask]
    inner = correlation_goal(part[1:], part[:-1], 0, 1, np.ones(len(part) - 1, dtype=bool), target)
    gradient = np.zeros(len(x))
    by_day = np.zeros(len(part))
    by_day[1:] += inner.gradient[0]
    by_day[:-1] += inner.gradient[1]
    gradient[mask] = by_day
    return Goal(inner.miss, {column: gradient})


def tail_goal(x: np.ndarray, column: int, mask: np.ndarray, target: float) -> Goal:
    """Relative miss of the Student-t degrees of freedom that fit x over mask best (first order around the target).

    With location and scale at their best for `target`, the slope of the log-likelihood in the degrees of freedom
    must be zero; its distance from zero over its curvature is the distance of the best fit from the target.
    """
    part = x[mask]
    location, scale = fit_location_scale(part, target)
    z = (part - location) / scale
    slope, slope_z = _dof_slope(z, target)
    # The fitted location and scale follow the returns: both keep sum(score(z)) fixed, where score is in turn
    # z (nu + 1) / (nu + z^2), for the location, and z times that, for the scale.
    nu, w = target, z * z
    score_z = np.stack([(nu + 1) * (nu - w) / (nu + w) ** 2, 2 * nu * (nu + 1) * z / (nu + w) ** 2])
    follow = np.linalg.solve(np.stack([score_z.sum(axis=1), (score_z * z).sum(axis=1)], axis=1), score_z)
    by_day = (slope_z - slope_z.sum() * follow[0] - (slope_z * z).sum() * follow[1]) / (scale * len(part))
    step = 1e-3
    curvature = (_profile_slope(part, target + step) - _profile_slope(part, target - step)) / (2 * step)
    gradient = np.zeros(len(x))
    gradient[mask] = by_day / (-curvature * target)
    return Goal(float(-slope.mean() / (-curvature * target)), {column: gradient})


def fit_location_scale(x: np.ndarray, dof: float) -> tuple[float, float]:
    """Maximum-likelihood location and scale of a Student t with given degrees of freedom (EM)."""
    location, scale = float(np.median(x)), float(np.std(x)) / 2
    for _ in range(200):
        weight = (dof + 1) / (dof + ((x - location) / scale) ** 2)
        location = float((weight * x).sum() / weight.sum())
        new = float(np.sqrt((weight * (x - location) ** 2).mean()))
        done = abs(new / scale - 1) < 1e-10
        scale = new
        if done:
            break
    return location, scale


def _profile_slope(x: np.ndarray, dof: float) -> float:
    location, scale = fit_location_scale(x, dof)
    return float(_dof_slope((x - location) / scale, dof)[0].mean())


def _dof_slope(z: np.ndarray, nu: float) -> tuple[np.ndarray, np.ndarray]:
    """d log-likelihood / d nu of each observation, and its derivative by z."""
    w = z * z / nu
    slope = 0.5 * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu - np.log1p(w) + (nu + 1) / nu * w / (1 + w))
    by_w = 0.5 * (-1 / (1 + w) + (nu + 1) / nu / (1 + w) ** 2)
    return slope, by_w * 2 * z / nu


def regimes(coins: np.ndarray, window: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(name, (n,) bool) of the calibration's day sets, of coin returns (n, k), gold left out, NaN where there is none.

    The volatility is over 20 days inside the window, so the window's first 19 days are neither calm nor stressed.
    """
    inside = np.flatnonzero(window)
    market = np.nanmean(coins[inside], axis=1)
    vol = np.lib.stride_tricks.sliding_window_view(market, VOL_DAYS).std(axis=1)
    sets = {
        "correlation_all": inside,
        "correlation_calm": inside[VOL_DAYS - 1 :][vol <= np.quantile(vol, CALM_SHARE)],
        "correlation_stress": inside[VOL_DAYS - 1 :][vol >= np.quantile(vol, 1 - STRESS_SHARE)],
        "correlation_on_5pct_worst_days": inside[market <= np.quantile(market, WORST_SHARE)],
    }
    for name, days in sets.items():
        mask = np.zeros(len(coins), dtype=bool)
        mask[days] = True
        yield name, mask


def _unit(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, float]:
    part = x[mask] - x[mask].mean()
    size = float(np.sqrt((part * part).sum()))
    return part / size, size
