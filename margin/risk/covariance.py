"""Correlation and covariance estimates, and the repair of a matrix that no data could have."""

import numpy as np

from margin.core.errors import InputError


def covariance(returns: np.ndarray) -> np.ndarray:
    """Sample covariance (n - 1) of returns (n, k); returns (k, k)."""
    centred = returns - returns.mean(axis=0)
    found: np.ndarray = centred.T @ centred / (len(returns) - 1)
    return found


def correlation_from_covariance(cov: np.ndarray) -> np.ndarray:
    """Correlation matrix of a covariance matrix (k, k). A constant asset raises InputError: it has none."""
    vols = np.sqrt(np.diag(cov))
    if not (vols > 0).all():
        raise InputError("returns", int(np.argmin(vols)), "column does not vary, so it has no correlation")
    corr = np.clip(cov / np.outer(vols, vols), -1.0, 1.0)
    np.fill_diagonal(corr, 1.0)
    found: np.ndarray = (corr + corr.T) / 2.0
    return found


def sample_correlation(returns: np.ndarray) -> np.ndarray:
    """Pearson correlation of returns (n, k) without NaN; (k, k)."""
    return correlation_from_covariance(covariance(returns))


def ewma_covariance(returns: np.ndarray, vol_halflife: float, corr_halflife: float) -> tuple[np.ndarray, np.ndarray]:
    """(volatilities (k,), correlation (k, k)) with exponential weights of separate half-lives, newest heaviest.

    returns : (n, k), oldest first, mean taken as zero. Half-lives are in observations.
    Correlations move more slowly than volatilities, hence two half-lives.
    Source: RiskMetrics Technical Document (1996), section 5.3; Barra-style separate half-lives.
    """
    vols = np.sqrt(_ewma_weights(len(returns), vol_halflife) @ returns**2)
    weighted = returns * _ewma_weights(len(returns), corr_halflife)[:, None]
    return vols, correlation_from_covariance(weighted.T @ returns)


def _ewma_weights(n: int, halflife: float) -> np.ndarray:
    if not halflife > 0:
        raise InputError("halflife", halflife, "must be above 0")
    weights = 0.5 ** (np.arange(n)[::-1] / halflife)
    found: np.ndarray = weights / weights.sum()
    return found


def ledoit_wolf(returns: np.ndarray) -> tuple[np.ndarray, float]:
    """(shrunk covariance (k, k), shrinkage 0..1) towards a multiple of the identity.

    returns : (n, k). Uses the 1/n covariance, as the paper does.
    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices".
    """
    n, k = returns.shape
    centred = returns - returns.mean(axis=0)
    cov = centred.T @ centred / n
    mean_variance = np.trace(cov) / k
    distance = (np.sum(cov**2) - k * mean_variance**2) / k
    noise = (np.sum((centred**2).T @ centred**2) / n - np.sum(cov**2)) / (k * n)
    shrinkage = 0.0 if distance <= 0 else float(min(max(noise, 0.0) / distance, 1.0))
    return (1.0 - shrinkage) * cov + shrinkage * mean_variance * np.eye(k), shrinkage


def nearest_correlation(
    matrix: np.ndarray, tolerance: float = 1e-10, most_steps: int = 10_000
) -> tuple[np.ndarray, float]:
    """(the correlation matrix nearest to `matrix` in the Frobenius norm, its distance).

    matrix : (k, k) symmetric. Alternating projections with Dykstra's correction.
    Source: Higham (2002), "Computing the nearest correlation matrix", algorithm 3.3.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise InputError("correlation", matrix.shape, "must be a square matrix of finite numbers")
    target = (matrix + matrix.T) / 2.0
    result, correction = target.copy(), np.zeros_like(target)
    for _ in range(most_steps):
        shifted = result - correction
        values, vectors = np.linalg.eigh(shifted)
        psd = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = psd - shifted
        before, result = result, psd.copy()
        np.fill_diagonal(result, 1.0)
        if np.abs(result - before).max() < tolerance and values[0] > -tolerance:
            break
    result = _exactly_psd(result)
    return result, float(np.linalg.norm(result - target))


def _exactly_psd(matrix: np.ndarray) -> np.ndarray:
    """Remove the last rounding-size negative eigenvalue, keeping the unit diagonal."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= 0:
        return matrix
    psd = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(psd))
    psd = psd / np.outer(scale, scale)
    np.fill_diagonal(psd, 1.0)
    found: np.ndarray = (psd + psd.T) / 2.0
    return found
