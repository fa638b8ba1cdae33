"""The numbers behind the Learn page: two assets, a normal distribution, closed forms; and recorded event days.

Throughout: values in USD with their sign (long > 0), volatilities per day as fractions, mean return zero, margin =
expected shortfall over one day. For normal losses ES = k x standard deviation, k = phi(z) / (1 - level).
Source of the factor: McNeil, Frey and Embrechts (2015), "Quantitative Risk Management", example 2.14.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

from margin.errors import InputError
from margin.ladder import compare
from margin.market import Market, parse_date
from margin.portfolio import Portfolio
from margin.scenarios import tail_factor

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


def density(value: float, vol: float, points: int = 181) -> tuple[np.ndarray, np.ndarray]:
    """(PnL USD, probability per USD) of one position's day, four deviations to either side; vol must be above 0."""
    deviation = abs(value) * vol
    if deviation <= 0:
        raise InputError("position", value, "has no risk to draw")
    x = np.linspace(-4.0 * deviation, 4.0 * deviation, points)
    return x, np.exp(-((x / deviation) ** 2) / 2.0) / (deviation * np.sqrt(2.0 * np.pi))


def pooled_by_correlation(pair: Pair, points: int = 81) -> tuple[np.ndarray, np.ndarray]:
    """(correlation from -1 to 1, pooled margin USD) of the pair with everything else as it is."""
    rho = np.linspace(-1.0, 1.0, points)
    a, b = pair.deviations
    return rho, tail_factor("es", LEVEL, None) * np.sqrt(np.maximum(a * a + b * b + 2.0 * rho * a * b, 0.0))


def two_day_outcome(pair: Pair, first_return: float, second_return: float) -> tuple[float, float, float]:
    """(first silo, second silo, pool) USD left after one day's returns, each having started with exactly its margin."""
    gains = pair.first * first_return, pair.second * second_return
    silos = margin_of(pair.first, pair.first_vol), margin_of(pair.second, pair.second_vol)
    return silos[0] + gains[0], silos[1] + gains[1], pooled(pair) + gains[0] + gains[1]


def exhaustion(pair: Pair, capital: float) -> tuple[float, float]:
    """(any silo, the pool) probability that a day's loss exceeds the capital, USD.

    Silo capital is split in proportion to the deviations, so both silos fail beyond the same number h of deviations.
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
    alone = float(1.0 - ndtr(capital / pool)) if pool > 0 else float(capital < 0)
    return 1.0 - neither, alone


def capital_for(pair: Pair, probability: float) -> tuple[float, float]:
    """(silos, pool) USD of capital that a day exhausts with this probability; the silos' by bisection."""
    if not 0.0 < probability < 0.5:
        raise InputError("probability", probability, "must lie between 0 and 0.5")
    low, high = 0.0, 10.0 * sum(abs(d) for d in pair.deviations)
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if exhaustion(pair, middle)[0] > probability else (low, middle)
    return high, float(-ndtri(probability)) * pair.pooled_deviation


@dataclass(frozen=True)
class EventDay:
    """One named event: margins set the day before, USD, and the loss that followed (> 0 is a loss)."""

    name: str
    start: str
    end: str
    isolated: float
    pooled: float
    loss: float

    @property
    def share(self) -> float:
        """Loss / pooled margin; above 1 the pooled margin was not enough."""
        return self.loss / self.pooled


def event_days(
    portfolio: Portfolio, market: Market, events: Sequence[tuple[str, str, str]], lookback: int = 500
) -> list[EventDay]:
    """What the margin of the day before each event would have met. Linear books; margin is historical ES over the
    event's length, from prices up to the day before only.

    events : (name, first day, last day). Events without prices, or without 100 returns before them, are left out.
    """
    found = []
    for name, start, end in events:
        first, last = parse_date(start), parse_date(end)
        eve = first - np.timedelta64(1, "D")
        days = int((last - eve).days)
        try:
            before = compare(portfolio, market, as_of=str(eve.date()), horizon=days, lookback=lookback)
            after = {a: market.price(a, str(last.date())) for a in portfolio.assets}
        except InputError:
            continue
        if before.as_of != eve or before.scenarios < 100 or before.portfolio <= 0:
            continue
        pnl = sum(p.quantity * (after[p.underlying] - p.price) for p in before.positions)
        found.append(EventDay(name, start, end, before.isolated, before.portfolio, -pnl))
    return found
