"""Capital against the probability of running out of it: every isolated account on its own, or one pooled account."""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.ladder.compare import Comparison


@dataclass(frozen=True)
class EqualRisk:
    """Both curves as exact step functions of the scenario set.

    isolated, pooled : (n,) USD ascending: the capital each scenario needs. With capital C the probability of exhaustion
    is the share of values above C. Isolated capital is split in proportion to standalone margin, and counts as
    exhausted when any isolated account is.
    """

    isolated: np.ndarray
    pooled: np.ndarray

    def capital(self, probability: float) -> tuple[float, float]:
        """(isolated, pooled) USD: the least capital exhausted with at most this probability."""
        if not 0.0 < probability < 1.0:
            raise InputError("probability", probability, "must lie between 0 and 1")
        allowed = int(np.floor(probability * len(self.isolated) + 1e-9))
        at = len(self.isolated) - 1 - min(allowed, len(self.isolated) - 1)
        return max(float(self.isolated[at]), 0.0), max(float(self.pooled[at]), 0.0)

    def saved(self, probability: float) -> float:
        """USD of capital saved at the same probability: the horizontal distance between the curves."""
        isolated, pooled = self.capital(probability)
        return isolated - pooled

    def probability(self, capital: float) -> tuple[float, float]:
        """(isolated, pooled) share of scenarios that need more than `capital` USD."""
        n = len(self.isolated)
        above = [n - np.searchsorted(curve, capital, side="right") for curve in (self.isolated, self.pooled)]
        return float(above[0]) / n, float(above[1]) / n


def equal_risk(comparison: Comparison) -> EqualRisk:
    """The two curves of a comparison's book over its own scenarios (for a closed form, its exact-covariance draws)."""
    losses = comparison.losses
    standalone = np.array([p.standalone for p in comparison.positions])
    live = standalone > 0
    total = standalone.sum()
    if total <= 0:
        raise InputError("positions", "no risk", "no position can lose anything, so there is no capital to compare")
    needed = (losses[:, live] * (total / standalone[live])).max(axis=1)
    return EqualRisk(np.sort(needed), np.sort(losses.sum(axis=1)))
