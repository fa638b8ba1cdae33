"""When does a random walk first reach the line? Closed forms for a Brownian motion with drift.

The gap (equity less requirement) starts `distance` above the line; all arguments share one unit of money and of time.
"""

import math
from typing import Literal

import numpy as np

from margin.core.errors import InputError

Watched = Literal["continuous", "closes"]
ROOT_2 = math.sqrt(2.0)
FEW = 1_000  # values of the error function that the standard library is asked for one by one
SHIFT = 0.5826  # -zeta(1/2) / sqrt(2 pi): what watching only every step adds to the distance, in sigmas of one step


def hit_probability(
    distance: np.ndarray | float,
    sigma: np.ndarray | float,
    time: np.ndarray | float,
    drift: np.ndarray | float = 0.0,
    watched: Watched = "continuous",
    step: float = 1.0,
) -> np.ndarray:
    """Probability that a Brownian motion falls by `distance` within `time`; arguments broadcast.

    distance : above 0 (else it has been hit: 1); sigma : per root of a unit of time, at least 0; drift : per unit
    watched  : "closes": looked at every `step` units of time only, by the shift of the barrier
    A motion without sigma hits only where its drift takes it there.
    Source: Harrison (1985), "Brownian Motion and Stochastic Flow Systems", 1.8; Broadie, Glasserman and Kou (1997), "A
    continuity correction for discrete barrier options", Mathematical Finance 7(4).
    """
    if isinstance(sigma, float) and isinstance(time, float) and isinstance(drift, float):
        shift = SHIFT * math.sqrt(step) if watched == "closes" else 0.0
        return _of_one_motion(np.asarray(distance, dtype=float), sigma, time, drift, shift)
    b, s, t, mu = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (distance, sigma, time, drift)))
    if (s < 0).any() or (t < 0).any() or any(np.isnan(a).any() for a in (b, s, t, mu)):
        raise InputError("sigma, time", "below 0 or not a number", "must be at least 0")
    if watched == "closes":
        b = np.where(b > 0, b + SHIFT * s * math.sqrt(step), b)
    spread = s * np.sqrt(t)
    moves = spread > 0
    if not mu.any():
        return np.where(b <= 0, 1.0, np.where(moves, _erfc(b / np.where(moves, spread, 1.0) / ROOT_2), 0.0))
    from scipy.special import log_ndtr, ndtr  # slow to import, and a first page needs none of it

    safe, variance = np.where(moves, spread, 1.0), np.where(moves, s * s, 1.0)
    direct = ndtr((-b - mu * t) / safe)
    reflected = np.exp(np.minimum(-2.0 * mu * b / variance + log_ndtr((-b + mu * t) / safe), 0.0))
    still = (b + np.minimum(mu, 0.0) * t <= 0).astype(float)
    return np.where(b <= 0, 1.0, np.where(moves, np.minimum(direct + reflected, 1.0), still))


def _of_one_motion(b: np.ndarray, s: float, t: float, mu: float, shift: float) -> np.ndarray:
    """`hit_probability` of many distances under one motion, number for number. shift : of the barrier, in sigmas."""
    if not (s >= 0.0 and t >= 0.0) or math.isnan(mu) or np.isnan(b).any():
        raise InputError("sigma, time", "below 0 or not a number", "must be at least 0")
    if shift:
        b = np.where(b > 0, b + shift * s, b)
    spread = s * math.sqrt(t)
    if not spread > 0.0:
        return np.where(b <= 0, 1.0, (b + min(mu, 0.0) * t <= 0).astype(float))
    if mu == 0.0:
        return np.where(b <= 0, 1.0, _erfc(b / spread / ROOT_2))
    from scipy.special import log_ndtr, ndtr

    direct = ndtr((-b - mu * t) / spread)
    reflected = np.exp(np.minimum(-2.0 * mu * b / (s * s) + log_ndtr((-b + mu * t) / spread), 0.0))
    return np.where(b <= 0, 1.0, np.minimum(direct + reflected, 1.0))


def _erfc(x: np.ndarray) -> np.ndarray:
    """Complementary error function: without drift the two terms of the closed form are 2 Phi(-z) = erfc(z / root 2)."""
    if x.size <= FEW:  # without loading scipy.special
        return np.array([math.erfc(value) for value in x.ravel().tolist()]).reshape(x.shape)
    from scipy.special import erfc

    found: np.ndarray = erfc(x)
    return found


def distance_in_sigmas(distance: float, sigma: float, time: float) -> float | None:
    """How many standard deviations of the whole horizon the line is away; None where nothing moves."""
    spread = sigma * math.sqrt(time)
    return distance / spread if spread > 0 else None


def log_distance(leverage: float, maintenance: float) -> float:
    """-ln((1 - 1/L) / (1 - m)): how far a single long lies above its liquidation price, in log price.

    With drift -sigma^2 / 2 (a price that is a martingale) `hit_probability` is then exact for it.
    """
    if not leverage > 1.0 or not 0.0 <= maintenance < 1.0 / leverage:
        raise InputError("leverage", leverage, f"has no liquidation price at a maintenance rate of {maintenance:g}")
    return -math.log((1.0 - 1.0 / leverage) / (1.0 - maintenance))


def hitting_density(time: np.ndarray, distance: float, sigma: float) -> np.ndarray:
    """Density of the hitting time without drift, per unit of time. Its mean is infinite: quote quantiles only."""
    t = np.asarray(time, dtype=float)
    return distance / (sigma * np.sqrt(2.0 * np.pi * t**3)) * np.exp(-(distance**2) / (2.0 * sigma**2 * t))


def hitting_quantile(share: float, distance: float, sigma: float) -> float:
    """Time by which `share` of such walks have hit, without drift: (distance / (sigma z))^2, z = Phi^-1(1 - share/2).

    share : strictly between 0 and 1; sigma above 0
    """
    from scipy.special import ndtri

    if not 0.0 < share < 1.0 or not sigma > 0.0:
        raise InputError("share", share, "must lie strictly between 0 and 1, and sigma above 0")
    return (distance / (sigma * -float(ndtri(share / 2.0)))) ** 2
