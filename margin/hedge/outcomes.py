"""What a rule did on every past start, and the interval around it: months are drawn with replacement."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.hedge.rule import Rule

DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over starts with its 95% interval: months are drawn with replacement, for starts of one month overlap."""

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Plain JSON values."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """One rule over all starts.

    liquidated : share; cost_bp : of the first gross; turnover : traded / first gross; acts : a start
    mean, worst_5 : return on equity over the window; q05 its 5% quantile, worst_5 the mean below it
    against_nothing : return less that of doing nothing; liquidated_less : the same of the share liquidated
    regret : return less the best of all these rules on the same start, at most 0
    """

    rule: Rule
    liquidated: float
    cost_bp: float
    turnover: float
    acts: float
    mean: float
    q05: float
    worst_5: float
    against_nothing: Interval
    liquidated_less: Interval
    regret: Interval
    final: np.ndarray
    gone: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("liquidated", "cost_bp", "turnover", "acts", "mean", "q05", "worst_5")
        return {
            "rule": self.rule.title,
            **{name: getattr(self, name) for name in names},
            **{name: getattr(self, name).to_dict() for name in ("against_nothing", "liquidated_less", "regret")},
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """starts : how many; independent : windows that do not overlap; months : clusters of the intervals."""

    outcomes: tuple[Outcome, ...]
    starts: int
    independent: int
    months: int
    days: int
    first: str
    last: str
    hedge: str | None
    funded: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("starts", "independent", "months", "days", "first", "last", "hedge")
        return {
            **{name: getattr(self, name) for name in names},
            "funding_charged": list(self.funded),
            "rules": [o.to_dict() for o in self.outcomes],
            "notes": list(self.notes),
        }


def by_month(values: np.ndarray, month: np.ndarray, seed: int = 7) -> Interval:
    """Mean and 95% interval of `values` (n,) when whole months are drawn with replacement."""
    names, index = np.unique(month, return_inverse=True)
    sums, counts = np.bincount(index, values), np.bincount(index)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    means = draws @ sums / (draws @ counts)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))
