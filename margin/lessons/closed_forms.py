"""The closed forms behind the Learn page: two positions, a normal distribution, figures to redo on paper.

Throughout: values in USD with their sign (long > 0), volatilities per day as fractions, mean return zero, margin =
expected shortfall over one day. For normal losses ES = k x standard deviation, k = phi(z) / (1 - level).
Source of the factor: McNeil, Frey and Embrechts (2015), "Quantitative Risk Management", example 2.14.
The steps that use price history are in lessons_history.py. Definitions and tests: docs/learn.md.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

from margin.core.errors import InputError
from margin.risk.elliptical import tail_factor

LEVEL = 0.975


@dataclass(frozen=True)
class Pair:
    """Two positions: USD values with sign, daily volatilities, correlation of their returns."""

    first: float
    second: float
    first_vol: float
    second_vol: float
    correlation: float

    def __post_init__(self) -> None:
        if not -1.0 <= self.correlation <= 1.0:
            raise InputError("correlation", self.correlation, "must lie between -1 and 1")
        if min(self.first_vol, self.second_vol) < 0:
            raise InputError("volatility", min(self.first_vol, self.second_vol), "must not be negative")

    @property
    def deviations(self) -> tuple[float, float]:
        """USD standard deviation of each position's daily PnL, with the position's sign."""
        return self.first * self.first_vol, self.second * self.second_vol

    @property
    def pooled_deviation(self) -> float:
        """USD standard deviation of the two together: root(a^2 + b^2 + 2 rho a b)."""
        a, b = self.deviations
        return float(np.sqrt(max(a * a + b * b + 2.0 * self.correlation * a * b, 0.0)))


def margin_of(value: float, vol: float, level: float = LEVEL) -> float:
    """Margin of one position, USD: k x |value| x volatility."""
    return tail_factor("es", level, None) * abs(value) * vol


def isolated(pair: Pair, level: float = LEVEL) -> float:
    """Sum of the two margins alone, USD; correlation plays no part."""
    return margin_of(pair.first, pair.first_vol, level) + margin_of(pair.second, pair.second_vol, level)


def pooled(pair: Pair, level: float = LEVEL) -> float:
    """Margin of the two in one account, USD: k x root(a^2 + b^2 + 2 rho a b)."""
    return tail_factor("es", level, None) * pair.pooled_deviation


def pooled_by_correlation(pair: Pair, points: int = 81) -> tuple[np.ndarray, np.ndarray]:
    """(correlation from -1 to 1, pooled margin USD) of the pair with everything else as it is."""
    rho = np.linspace(-1.0, 1.0, points)
    a, b = pair.deviations
    return rho, tail_factor("es", LEVEL, None) * np.sqrt(np.maximum(a * a + b * b + 2.0 * rho * a * b, 0.0))


def two_day_outcome(pair: Pair, first_return: float, second_return: float) -> tuple[float, float, float]:
    """(first isolated, second isolated, pool) USD left after one day's returns, each started with just its margin."""
    gains = pair.first * first_return, pair.second * second_return
    isolated = margin_of(pair.first, pair.first_vol), margin_of(pair.second, pair.second_vol)
    return isolated[0] + gains[0], isolated[1] + gains[1], pooled(pair) + gains[0] + gains[1]


def exhaustion(pair: Pair, capital: float) -> tuple[float, float]:
    """(any isolated account, the pool) probability that a day's loss exceeds the capital, USD.

    Their capital is split in proportion to the deviations, so both fail beyond the same number h of deviations.
    P(neither fails) = Phi2(h, h; r) = Phi(h) - 2 T(h, root((1 - r) / (1 + r))), T Owen's function, r the correlation of
    the losses. Source: Owen (1956), "Tables for computing bivariate normal probabilities".
    """
    a, b = pair.deviations
    total = abs(a) + abs(b)
    if total <= 0:
        raise InputError("position", 0, "has no risk")
    h = capital / total
    r = pair.correlation * float(np.sign(a * b)) if a and b else 1.0
    if r >= 1.0:
        neither = float(ndtr(h))
    elif r <= -1.0:
        neither = max(2.0 * float(ndtr(h)) - 1.0, 0.0)
    else:
        neither = float(ndtr(h) - 2.0 * owens_t(h, np.sqrt((1.0 - r) / (1.0 + r))))
    pool = pair.pooled_deviation
    alone = float(ndtr(-capital / pool)) if pool > 0 else float(capital < 0)
    return 1.0 - neither, alone


def capital_for(pair: Pair, probability: float) -> tuple[float, float]:
    """(isolated, pool) USD of capital that a day exhausts with this probability; isolated by bisection."""
    if not 0.0 < probability < 0.5:
        raise InputError("probability", probability, "must lie between 0 and 0.5")
    low, high = 0.0, 10.0 * sum(abs(d) for d in pair.deviations)
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if exhaustion(pair, middle)[0] > probability else (low, middle)
    return high, float(-ndtri(probability)) * pair.pooled_deviation


def exhaustion_curve(pair: Pair, points: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(capital USD, odds that any isolated account, that the pool runs out), up to where the first all but never do."""
    capital = np.linspace(1.0, 1.15 * capital_for(pair, 0.0006)[0], points)
    both = np.array([exhaustion(pair, float(c)) for c in capital])
    return capital, both[:, 0], both[:, 1]


@dataclass(frozen=True, eq=False, kw_only=True)
class CorrelationBreak:
    """A pair whose pooled margin was set at one correlation and that then meets another.

    margin, needed     : USD held, and USD the pair needs at the actual correlation
    expected, exceeded : probability a day that the loss exceeds the margin held, at the assumed and actual correlation
    losses (k,) USD, loss positive; assumed_density, actual_density (k,) per USD
    """

    margin: float
    needed: float
    expected: float
    exceeded: float
    losses: np.ndarray
    assumed_density: np.ndarray
    actual_density: np.ndarray


def correlation_break(pair: Pair, actual: float, level: float = LEVEL, points: int = 241) -> CorrelationBreak:
    """The pair's margin at its own correlation against losses at `actual`: P(L > M) = 1 - Phi(M / deviation).

    The densities reach 3.2 deviations of the worst correlation, the same for every `actual`. A correlation that leaves
    no risk has no density: all zeros.
    """
    if pair.pooled_deviation <= 0:
        raise InputError("correlation", pair.correlation, "leaves no risk and so no margin to exceed")
    other = replace(pair, correlation=actual)
    margin = pooled(pair, level)
    widest = sum(abs(d) for d in pair.deviations)
    losses = np.linspace(-3.2 * widest, 3.2 * widest, points)
    return CorrelationBreak(
        margin=margin,
        needed=pooled(other, level),
        expected=_beyond(margin, pair.pooled_deviation),
        exceeded=_beyond(margin, other.pooled_deviation),
        losses=losses,
        assumed_density=_normal_density(losses, pair.pooled_deviation),
        actual_density=_normal_density(losses, other.pooled_deviation),
    )


def _beyond(margin: float, deviation: float) -> float:
    """P(loss > margin) of a normal loss; 0 where there is nothing to lose."""
    return float(ndtr(-margin / deviation)) if deviation > 0 else 0.0


def _normal_density(x: np.ndarray, deviation: float) -> np.ndarray:
    if deviation <= 0:
        return np.zeros_like(x)
    found: np.ndarray = np.exp(-((x / deviation) ** 2) / 2.0) / (deviation * np.sqrt(2.0 * np.pi))
    return found
