"""DebtRank: how far distress travels before anybody defaults.

Bardoscia, Battiston, Caccioli and Caldarelli (2015), "DebtRank: a microscopic foundation for shock propagation",
PLoS ONE 10(6), with the correction of 31 July 2015. Definitions: docs/protocols.md.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError

STEPS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class DebtRank:
    """distress (n,) share of each node's equity lost in the end; first (n,) share lost to the shock itself.

    impact  : share of all equity lost beyond the shock itself
    radius  : spectral radius of the leverage matrix; stable: below 1, so that a small shock stays small
    """

    distress: np.ndarray
    first: np.ndarray
    impact: float
    radius: float

    @property
    def stable(self) -> bool:
        """True where a small shock dies out."""
        return self.radius < 1.0

    @property
    def amplification(self) -> float | None:
        """All equity lost / equity lost to the shock itself, as shares of equity alike; None without a shock."""
        shock = float(self.first.sum())
        return float(self.distress.sum()) / shock if shock > 0 else None


def spectral_radius(matrix: np.ndarray) -> float:
    """Largest absolute eigenvalue of a matrix without negative entries; 0 for an empty one.

    Beyond a few hundred rows by Arnoldi iteration, which needs products only (2,000 rows: under a second, not 45).
    """
    if len(matrix) <= 300:
        return float(np.abs(np.linalg.eigvals(matrix)).max(initial=0.0))
    if not matrix.any():
        return 0.0
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import ArpackNoConvergence, eigs

    try:
        found = eigs(csr_matrix(matrix), k=1, which="LM", v0=np.ones(len(matrix)), return_eigenvectors=False)
    except ArpackNoConvergence:
        return float(np.abs(np.linalg.eigvals(matrix)).max())
    return float(np.abs(found[0]))


def debtrank(exposures: np.ndarray, equity: np.ndarray, shock: np.ndarray, nonlinear: float = 0.0) -> DebtRank:
    """Distress that follows a shock to equity.

    exposures : (n, n) USD, what i loses if j is worth nothing; equity (n,) USD, above 0
    shock     : (n,) share of each node's equity lost at first, 0 to 1
    nonlinear : a of h exp(a (h - 1)), 0 is the linear rule (Bardoscia et al. 2016, arXiv 1512.04460)
    Raises InputError for shapes that do not fit, equity not above 0 and shares outside 0 to 1.
    """
    exposures, equity = np.asarray(exposures, dtype=float), np.asarray(equity, dtype=float)
    first = np.asarray(shock, dtype=float)
    n = len(equity)
    if exposures.shape != (n, n) or first.shape != (n,):
        raise InputError("exposures", exposures.shape, f"must be {n} x {n}, and the shock must have {n} shares")
    if not (equity > 0).all() or not np.isfinite(equity).all():
        raise InputError("equity", "an amount", "must be above 0 for every node")
    if not np.isfinite(exposures).all() or (exposures < 0).any():
        raise InputError("exposures", "an amount", "must be finite USD, 0 or more")
    if not ((first >= 0) & (first <= 1)).all():
        raise InputError("shock", "a share", "must be from 0 to 1")
    leverage = exposures / equity[:, None]
    distress, before = first.copy(), np.zeros(n)
    for _ in range(STEPS):
        passed = _felt(distress, nonlinear) - _felt(before, nonlinear)
        before = distress
        distress = np.minimum(1.0, distress + leverage @ passed)
        if np.abs(distress - before).max(initial=0.0) < 1e-15:
            break
    radius = spectral_radius(leverage) if n else 0.0
    lost = float((distress - first) @ equity) / float(equity.sum()) if n else 0.0
    return DebtRank(distress=distress, first=first, impact=lost, radius=radius)


def _felt(distress: np.ndarray, nonlinear: float) -> np.ndarray:
    return distress * np.exp(nonlinear * (distress - 1.0)) if nonlinear else distress
