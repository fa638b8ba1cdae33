"""What a forecast answers: odds by horizon with their range, what money and size do to them, survival."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.position import Collateral
from margin.forecast.alarms import Alarms, alarms
from margin.forecast.calibration import Calibration, large_change, pool, table
from margin.forecast.drivers import Driver, Leg, drivers, legs
from margin.forecast.first_passage import Watched, distance_in_sigmas, hitting_quantile
from margin.forecast.gap import Gap, Target
from margin.forecast.own_check import OwnCheck, own_check
from margin.forecast.past import Past
from margin.forecast.sensitivity import Sensitivity, sensitivities
from margin.forecast.walk import Walk
from margin.forecast.walking import Way, walk_of

ODDS = 0.05  # the line that money and size are asked for, unless said otherwise
SMALLEST = 0.01  # below this a figure is printed "below 1%": tiny odds are known to be too low
CURVE = 41  # points of the money and size curves
MOST_SIZE = 1.5  # of today's, looked at where each size is simulated again
SIZES = 9  # re-simulations where size is no quantile of the paths


def printed(odds: float) -> str:
    """Odds as they are shown: tiny ones are known to be too low, so no figure is given for them."""
    if odds < SMALLEST:
        return "below 1%"
    return "above 99%" if odds > 0.99 else f"{odds:.0%}" if odds >= 0.095 else f"{odds:.1%}"


@dataclass(frozen=True, kw_only=True)
class Odds:
    """Within `days`: corrected odds with their 90% range, and what they are made of.

    raw : before the correction; distance : standard deviations of the horizon between the account and its line, None
    where nothing moves; both : whether correction moved the odds by more than a factor of 3, so that both are shown
    """

    days: float
    probability: float
    low: float
    high: float
    raw: float
    closed_form: float
    simulated: float
    distance: float | None

    @property
    def both(self) -> bool:
        """Whether the uncorrected odds are to be shown beside the corrected ones."""
        return large_change(self.raw, self.probability)


@dataclass(frozen=True, kw_only=True, eq=False)
class SubForecast:
    """One sub-account. gap : USD between equity and requirement now; called: it is at or below zero already."""

    name: str
    gap: Gap
    walk: Walk
    past: Past
    way: Way
    horizons: tuple[Odds, ...]
    notes: tuple[str, ...] = ()

    @property
    def sub(self) -> SubAccount:
        """What is liquidated by itself."""
        return self.gap.sub

    @property
    def called(self) -> bool:
        """True where it is below its requirement already."""
        return self.gap.usd <= 0

    @property
    def main(self) -> Odds:
        """The middle horizon: the headline."""
        return self.horizons[len(self.horizons) // 2]

    @cached_property
    def survival(self) -> np.ndarray:
        """(steps,) odds that the account still stands after each step."""
        return self.walk.survival(self.gap.usd)

    def odds_with(self, money: np.ndarray | float, days: float) -> np.ndarray:
        """Odds with `money` USD more (less where below 0) behind it."""
        return self.walk.odds(self.gap.usd + np.asarray(money, dtype=float), days)

    def money_for(self, odds: float = ODDS, days: float | None = None) -> float:
        """USD to add for these odds; below 0: what could be taken out at these odds."""
        return self.walk.line_for(odds, days or self.main.days) - self.gap.usd

    def capital_for(self, odds: float = ODDS, days: float | None = None) -> float:
        """USD of equity at which the odds are `odds`: requirement + the fall that is so likely."""
        return self.gap.requirement + self.walk.line_for(odds, days or self.main.days)

    @property
    def size_at_once(self) -> bool:
        """Whether the odds of another size follow from the same paths, or cost only milliseconds."""
        return self.gap.straight or not self._coins

    @cached_property
    def _coins(self) -> bool:
        """Whether odds of a smaller size are not those of a farther line: collateral moves, or tiers change."""
        coins = any(c.quantity and c.asset in self.past.assets for c in self.sub.collateral)
        # The requirement of our own methods is in proportion to size; a venue's tiers are not.
        return coins or (not self.gap.straight and ":" in self.gap.model.key)

    @cached_property
    def _sizes(self) -> dict[float, "SubForecast"]:
        return {}

    def odds_at_size(self, size: float, days: float) -> float:
        """Odds with every position cut (or grown) to `size` of itself; equity stays, profit so far is realised."""
        return self.odds_if(0.0, size, days)

    def odds_if(self, money: float, size: float, days: float) -> float:
        """Odds with `money` USD more behind it and every position at `size` of itself. Raises InputError for size 0."""
        if size <= 0:
            raise InputError("size", size, "must be above 0: without positions nothing can be called")
        if not self._coins:
            return float(self.walk.odds((self.gap.equity + money) / size - self.gap.requirement, days))
        if size == 1.0:
            return float(self.odds_with(money, days))
        if size not in self._sizes:
            self._sizes[size] = self._resized(size)
        other = self._sizes[size]
        return float(other.walk.odds(other.gap.usd + money, days))

    def _resized(self, size: float) -> "SubForecast":
        way = self.way
        small = replace(self.sub, positions=tuple(replace(p, quantity=p.quantity * size) for p in self.sub.positions))
        first = way.gap(small)
        cash = self.gap.equity - first.equity
        held = way.gap(replace(small, collateral=(*small.collateral, Collateral("USD", cash)))) if cash else first
        return replace(self, gap=held, walk=walk_of(held, self.past, way))

    def size_for(self, odds: float = ODDS, days: float | None = None) -> float | None:
        """Share of today's size at which the odds are `odds`; above 1: it could be larger. None: no size reaches it."""
        when = days or self.main.days
        if not self._coins:
            line = self.walk.line_for(odds, when)
            needed = line + self.gap.requirement
            return self.gap.equity / needed if needed > 0 else None
        sizes = np.linspace(0.1, MOST_SIZE, SIZES)
        found = np.maximum.accumulate([self.odds_at_size(float(f), when) for f in sizes])
        if found[0] > odds:
            return None
        if found[-1] <= odds:
            return float(sizes[-1])
        at = int(np.argmax(found > odds))
        share = (odds - found[at - 1]) / (found[at] - found[at - 1])
        return float(sizes[at - 1] + share * (sizes[at] - sizes[at - 1]))

    def money_curve(self, days: float) -> tuple[np.ndarray, np.ndarray]:
        """(USD added, odds): from where the odds are a half to where they are 1%, today in between."""
        least, most = min(self.money_for(0.5, days), 0.0), max(self.money_for(SMALLEST, days), 0.0)
        money = np.linspace(least, most, CURVE)
        return money, self.odds_with(money, days)

    def size_curve(self, days: float) -> tuple[np.ndarray, np.ndarray]:
        """(share of today's size, odds)."""
        sizes = np.linspace(0.1, MOST_SIZE, SIZES if self._coins else CURVE)
        return sizes, np.maximum.accumulate([self.odds_at_size(float(f), days) for f in sizes])

    @cached_property
    def half_gone_days(self) -> float | None:
        """Days by which half of walks of this volatility without drift have reached the line (closed form)."""
        if self.called or not self.walk.sigma > 0:
            return None
        return hitting_quantile(0.5, self.gap.usd, self.walk.sigma) / self.walk.steps_per_day

    def check(self, days: float | None = None) -> OwnCheck:
        """The odds of this book at past origins beside what came true, at the main horizon unless another is asked.

        Watched at closes, because closes are what a book's prices have: with the correction that was scored so.
        """
        return own_check(self.past, self.gap.exposures, self.sub.assets, days or self.main.days, self._at_closes)

    def alarms(self, days: float | None = None) -> Alarms:
        """What being woken at various odds would have meant for this book in the past."""
        return alarms(self.past, self.gap.exposures, self.sub.assets, days or self.main.days, self._at_closes)

    @property
    def _at_closes(self) -> Calibration:
        used = self.walk.calibration
        return table(self.past.step, "closes") if used.source == "table" else used

    def drivers(self, days: float | None = None) -> tuple[Driver, ...]:
        """Where the odds come from, step by step; the last one stands at `probability`."""
        return drivers(self.gap, self.walk, self.past, days or self.main.days)

    def legs(self, days: float | None = None) -> tuple[Leg, ...]:
        """What a tenth less of each position does to the odds, the one that lowers them most first."""
        return legs(self.gap, self.walk, self.past, days or self.main.days)

    def sensitivities(self, days: float | None = None) -> tuple[Sensitivity, ...]:
        """What is held fixed along the paths (implied volatilities, the basis), and the odds if it moved."""
        return sensitivities(self.gap, self.walk, self.past, self.way, days or self.main.days)


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Odds that any sub-account of a portfolio reaches its line.

    horizons : of any of them; `subs` the one most likely to be called first
    baseline : by horizon, what distance in standard deviations alone says: 2 Phi(-d), plain volatility of 30 or 90 days
    """

    as_of: str
    step: str
    target: Target
    watched: Watched
    model: str
    paths: int
    seed: int
    subs: tuple[SubForecast, ...]
    horizons: tuple[Odds, ...]
    baseline: tuple[float, ...]
    calibration: Calibration
    assumed_capital: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> SubForecast:
        """The sub-account most likely to be called."""
        return self.subs[0]

    @property
    def main(self) -> Odds:
        """The middle horizon: the headline."""
        return self.horizons[len(self.horizons) // 2]

    @property
    def days(self) -> np.ndarray:
        """(horizons,) days."""
        return np.array([o.days for o in self.horizons])

    @property
    def probability(self) -> np.ndarray:
        """(horizons,) corrected odds."""
        return np.array([o.probability for o in self.horizons])

    @property
    def band(self) -> np.ndarray:
        """(horizons, 2) low and high of the 90% range."""
        return np.array([(o.low, o.high) for o in self.horizons])

    @property
    def sigma_day(self) -> float:
        """USD, one day's standard deviation of the gap of the sub-account called first."""
        return float(self.first.walk.sigma * self.first.walk.steps_per_day**0.5)

    def size_for(self, odds: float = ODDS, days: float | None = None) -> float | None:
        """Share of today's size of every position at which the odds are `odds`; None for several sub-accounts."""
        return self.first.size_for(odds, days or self.main.days) if len(self.subs) == 1 else None

    @property
    def history_days(self) -> float:
        """Calendar days of prices behind it."""
        return self.first.past.days

    @cached_property
    def survival(self) -> np.ndarray:
        """(steps,) odds that every sub-account still stands after each step."""
        if len(self.subs) == 1:
            return self.first.survival
        return any_survival(self.subs)

    def money_for(self, odds: float = ODDS, days: float | None = None) -> float:
        """USD to add in all for these odds of any call; of several sub-accounts each gets up to the same odds."""
        when = days or self.main.days
        if len(self.subs) == 1:
            return self.first.money_for(odds, when)
        return sum(max(line - s.gap.usd, 0.0) for s, line in zip(self.subs, self._lines(odds, when), strict=True))

    def capital_for(self, odds: float = ODDS, days: float | None = None) -> float:
        """USD of equity in all at which the odds of any call are `odds`, every sub-account at the same odds."""
        when = days or self.main.days
        return sum(
            s.gap.requirement + line for s, line in zip(self.subs, same_odds(self.subs, odds, when), strict=True)
        )

    def _lines(self, odds: float, days: float) -> list[float]:
        """Lines after adding money: nobody's is taken away."""
        return same_odds(self.subs, odds, days, [s.gap.usd for s in self.subs])


def raised(odds: Odds, survival: np.ndarray, step: int) -> Odds:
    """`odds` no lower than those of any shorter horizon, as in the survival curve: who was called stays called."""
    least = 1.0 - float(survival[step - 1])
    return replace(odds, probability=max(odds.probability, least), high=max(odds.high, least))


def any_survival(subs: tuple[SubForecast, ...]) -> np.ndarray:
    """(steps,) odds that every one of several sub-accounts still stands after each step."""
    walks, common = [s.walk for s in subs], min(s.walk.lowest_of.shape[1] for s in subs)
    lines = np.array([s.gap.usd for s in subs])
    hit = np.array([w.lowest_of[:, :common] <= -x if x > 0 else np.ones((w.steps, common), bool)
                    for w, x in zip(walks, lines, strict=True)])  # fmt: skip
    closed = np.array([w.closed_hits(x) for w, x in zip(walks, lines, strict=True)])
    raw = pool(*joined(closed, hit.mean(axis=2), hit.any(axis=0).mean(axis=1)))
    after = np.arange(1.0, walks[0].steps + 1.0) / walks[0].steps_per_day
    each = np.max([1.0 - s.survival for s in subs], axis=0)
    return 1.0 - np.maximum.accumulate(np.maximum(walks[0].calibration.apply(raw, after), each))


def any_odds(
    subs: tuple[SubForecast, ...], lines: list[float], days: float, louder: float = 1.0
) -> tuple[float, float, float, float]:
    """(corrected, raw, closed form, simulated) odds that any of several sub-accounts falls by its line.

    How often they fall together is counted on the same paths; the closed form borrows it.
    """
    walks = [s.walk for s in subs]
    closed = np.array([float(w.closed_form(x, days, louder)) for w, x in zip(walks, lines, strict=True)])
    if len(subs) == 1:
        only = walks[0]
        return (float(only.odds(lines[0], days, louder)), float(only.raw(lines[0], days, louder)), float(closed[0]),
                float(only.simulated(lines[0], days, louder)))  # fmt: skip
    common = min(w.lowest_of.shape[1] for w in walks)
    hit = np.array([
        w.lowest_of[w.step_of(days) - 1, :common] * louder <= -x if x > 0 else np.ones(common, bool)
        for w, x in zip(walks, lines, strict=True)
    ])  # fmt: skip
    both = joined(closed[:, None], hit.mean(axis=1)[:, None], np.array([hit.any(axis=0).mean()]))
    either, together = (float(x[0]) for x in both)
    raw = float(pool(either, together))
    floor = max(
        float(w.calibration.apply(pool(at, w.simulated(x, days, louder)), days))
        for w, x, at in zip(walks, lines, closed, strict=True)
    )
    return max(float(walks[0].calibration.apply(raw, days)), floor), raw, either, together


def joined(closed: np.ndarray, each: np.ndarray, together: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(closed form, simulated) odds of any of n events. closed, each : (n, steps) of each; together (steps,) of any.

    The paths say how far the events fall apart (0: the likeliest covers all, 1: they exclude each other); the closed
    form borrows that.
    """
    spread = each.sum(axis=0) - each.max(axis=0)
    apart = np.divide(together - each.max(axis=0), spread, out=np.ones_like(spread), where=spread > 0)
    found = closed.max(axis=0) + apart * (closed.sum(axis=0) - closed.max(axis=0))
    return np.minimum(found, 1.0), together


def same_odds(
    subs: tuple[SubForecast, ...], odds: float, days: float, at_least: list[float] | None = None
) -> list[float]:
    """Lines (USD of gap) at which all sub-accounts have the same odds and any call has `odds`.

    at_least : lines already there, which are kept where they are farther
    """
    least = at_least or [0.0] * len(subs)

    def lines(each: float) -> list[float]:
        return [max(s.walk.line_for(each, days), x) for s, x in zip(subs, least, strict=True)]

    low, high = max(odds / (4.0 * len(subs)), 0.001), min(odds, 0.99)
    if len(subs) == 1 or any_odds(subs, lines(high), days)[0] <= odds:
        return lines(high)
    for _ in range(12):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if any_odds(subs, lines(middle), days)[0] <= odds else (low, middle)
    return lines(low)


def odds_of(subs: tuple[SubForecast, ...], days: float) -> Odds:
    """The odds of any of these sub-accounts, with the range of the volatility's 90% interval."""
    lines = [s.gap.usd for s in subs]
    probability, raw, closed, simulated = any_odds(subs, lines, days)
    off = 1.6449 * max(s.walk.sigma_error for s in subs)
    low, high = (any_odds(subs, lines, days, at)[0] for at in (1.0 / (1.0 + off), 1.0 + off))
    distances = [
        d for s in subs if (d := distance_in_sigmas(s.gap.usd, s.walk.sigma, float(s.walk.step_of(days)))) is not None
    ]
    return Odds(
        days=days, probability=probability, low=min(low, probability), high=max(high, probability), raw=raw,
        closed_form=closed, simulated=simulated, distance=min(distances) if distances else None,
    )  # fmt: skip
