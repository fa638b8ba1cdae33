"""Two ways to a tail loss with one face: a matrix of scenario losses, or an elliptical closed form."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from margin.risk.elliptical import tail_factor
from margin.risk.tail import expected_shortfall, tail_weights, value_at_risk


class RiskModel(Protocol):
    """Requirements in USD, never below 0, of m positions.

    A pooled figure that is only rounding next to the sum of its parts is 0, so that a hedge of three legs
    (0.1 + 0.2 - 0.3) needs nothing instead of 1e-13 dollars, through which health and shares would be divided.
    """

    def standalone(self) -> np.ndarray:
        """(m,) of each position alone."""
        ...

    def groups(self, labels: Sequence[int], count: int) -> np.ndarray:
        """(count,) of the positions that share a label 0..count-1."""
        ...

    def total(self) -> float:
        """Of all positions together."""
        ...

    def contributions(self) -> np.ndarray:
        """(m,) Euler shares that sum to the total."""
        ...


class ScenarioModel:
    """losses : (n, m) USD, loss positive; `measure` 'es' or 'var'."""

    DUST = 1e-12

    def __init__(self, losses: np.ndarray, level: float, measure: str = "es"):
        self.losses, self.level, self.measure = losses, level, measure
        self.book = losses.sum(axis=1)

    @cached_property
    def _alone(self) -> np.ndarray:
        return self.tail(self.losses)

    def tail(self, losses: np.ndarray) -> np.ndarray:
        """Margin of each column of losses: the tail asked for, never below 0."""
        measure = expected_shortfall if self.measure == "es" else value_at_risk
        found: np.ndarray = np.maximum(measure(losses, self.level), 0.0)
        return found

    def standalone(self) -> np.ndarray:
        """(m,) margin of each position alone."""
        return self._alone

    def groups(self, labels: Sequence[int], count: int) -> np.ndarray:
        """(count,) margin of the positions that share a label."""
        members = np.eye(count)[np.array(labels, dtype=int)]
        return without_dust(self.tail(self.losses @ members), self._alone @ members, self.DUST)

    def total(self) -> float:
        """Margin of all positions together."""
        return float(without_dust(self.tail(self.book), self._alone.sum(), self.DUST))

    def contributions(self) -> np.ndarray:
        """Mean loss of each position over the tail scenarios of the book (for VaR: over the scenarios at it).

        Zero for a book that cannot lose. Source: Tasche (1999), "Risk contributions and performance measurement".
        """
        shares = tail_weights(self.book, self.level, self.measure) @ self.losses
        return shares if self.total() > 0 else np.zeros_like(shares)


class EllipticalModel:
    """weights : (m, k) USD delta per position and asset; covariance (k, k) of returns; mean zero."""

    DUST = 1e-7  # the root of a variance carries the root of its rounding

    def __init__(
        self, weights: np.ndarray, covariance: np.ndarray, level: float, measure: str = "es", dof: float | None = None
    ):
        self.weights, self.covariance = weights, covariance
        self.factor = tail_factor(measure, level, dof)

    def _margin(self, weights: np.ndarray) -> np.ndarray:
        variance = np.einsum("...i,ij,...j->...", weights, self.covariance, weights)
        found: np.ndarray = self.factor * np.sqrt(np.maximum(variance, 0.0))
        return found

    def standalone(self) -> np.ndarray:
        """(m,) margin of each position alone."""
        return self._margin(self.weights)

    def groups(self, labels: Sequence[int], count: int) -> np.ndarray:
        """(count,) margin of the positions that share a label."""
        members = np.eye(count)[np.array(labels, dtype=int)]
        return without_dust(self._margin(members.T @ self.weights), self.standalone() @ members, self.DUST)

    def total(self) -> float:
        """Margin of all positions together."""
        return float(without_dust(self._margin(self.weights.sum(axis=0)), self.standalone().sum(), self.DUST))

    def contributions(self) -> np.ndarray:
        """factor x w_i' C w / sqrt(w' C w), Euler's share of a homogeneous function."""
        total = self.total()
        if total <= 0:
            return np.zeros(len(self.weights))
        book = self.weights.sum(axis=0)
        found: np.ndarray = self.weights @ (self.covariance @ book) * (self.factor**2 / total)
        return found


def without_dust(pooled: np.ndarray, alone: np.ndarray, dust: float) -> np.ndarray:
    """`pooled` USD, 0 where it is no more than `dust` of the USD of its parts alone."""
    return np.where(pooled <= dust * alone, 0.0, pooled)
