"""How far an estimated correlation may be from the true one: Fisher's bands and what widens them."""

import numpy as np
from scipy.special import ndtri

from margin.core.errors import InputError

SPEARMAN = 1.06  # variance of Fisher's z for rank correlation. Source: Fieller, Hartley and Pearson (1957)


def fisher_band(
    rho: np.ndarray | float, observations: np.ndarray | float, level: float = 0.95, inflation: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) : confidence band of a correlation; NaN where rho is NaN or observations are too few.

    rho          : any shape, -1..1
    observations : independent observations behind it, the same shape or one number; more than 3 for a band
    level        : 0 < level < 1, the probability that the band covers the truth
    inflation    : variance relative to independent normal data (fat tails, overlapping returns)
    atanh(rho) is normal with variance inflation / (observations - 3).
    Source: Fisher (1921), "On the 'probable error' of a coefficient of correlation deduced from a small sample".
    """
    if not 0.0 < level < 1.0:
        raise InputError("level", level, "must lie between 0 and 1")
    rho = np.asarray(rho, dtype=float)
    half = ndtri(0.5 + level / 2.0) * fisher_deviation(observations, inflation)
    centre = np.arctanh(np.clip(rho, -1.0 + 1e-15, 1.0 - 1e-15))
    return np.tanh(centre - half), np.tanh(centre + half)


def fisher_deviation(observations: np.ndarray | float, inflation: float = 1.0) -> np.ndarray:
    """Standard deviation of atanh(rho) from sampling alone; NaN for three observations or fewer."""
    if not inflation > 0.0:
        raise InputError("inflation", inflation, "must be above 0")
    n = np.asarray(observations, dtype=float)
    return np.sqrt(inflation / np.where(n > 3.0, n - 3.0, np.nan))


def overlap_inflation(horizon: int) -> float:
    """How much overlapping h-day returns widen a band, beside as many independent ones: (2 h^2 + 1) / (3 h).

    Sum of the squared autocorrelations (1 - k / h) of overlapping sums, for uncorrelated series.
    Source: Bartlett (1935), "Some aspects of the time-correlation problem in regard to tests of significance".
    """
    return (2.0 * horizon * horizon + 1.0) / (3.0 * horizon)


def tail_inflation(returns: np.ndarray, window: int) -> float:
    """How much fat tails widen the band of a `window`-return correlation: Mardia's kurtosis over 8, the normal's.

    returns : (n, 2). At least 1. The kurtosis is the mean over successive windows, so that slow swings of volatility do
    not count as tails; on Student-t data with 4 degrees of freedom it finds about three quarters of the true widening.
    For elliptical data the variance of atanh(rho) grows by this factor.
    Source: Mardia (1970); Muirhead (1982), "Aspects of Multivariate Statistical Theory", chapter 5.
    """
    size = min(window, len(returns))
    count = len(returns) // size if size > 3 else 0
    if not count:
        return 1.0
    windows = returns[len(returns) - count * size :].reshape(count, size, 2)
    centred = windows - windows.mean(axis=1, keepdims=True)
    xx, yy = (centred**2).mean(axis=1).T
    xy = centred.prod(axis=2).mean(axis=1)
    determinant = xx * yy - xy * xy
    fine = determinant > 1e-12 * xx * yy  # else one line: no scatter to measure
    if not fine.any():
        return 1.0
    x, y = np.moveaxis(centred[fine], 2, 0)
    xx, yy, xy, determinant = (v[fine][:, None] for v in (xx, yy, xy, determinant))
    distance = (yy * x * x - 2.0 * xy * x * y + xx * y * y) / determinant
    return max(float((distance**2).mean()) / 8.0 * (size + 1) / (size - 1), 1.0)


def effective_observations(count: np.ndarray | int, halflife: float) -> np.ndarray:
    """(sum of weights)^2 / sum of squared weights, for `count` exponential weights of that half-life.

    Source: Kish (1965), the effective sample size.
    """
    decay = 0.5 ** (1.0 / halflife)
    n = np.asarray(count, dtype=float)
    found: np.ndarray = (1.0 - decay**n) ** 2 / (1.0 - decay) ** 2 * (1.0 - decay**2) / (1.0 - decay ** (2.0 * n))
    return found
