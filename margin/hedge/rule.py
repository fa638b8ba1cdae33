"""A rule for when liquidation comes near: cut, hedge, both or nothing, and from where back to where."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from margin.core import checks
from margin.core.errors import InputError
from margin.forecast.first_passage import hit_probability

Kind = Literal["nothing", "cut", "hedge", "mix"]
Measure = Literal["distance", "health", "odds"]
ODDS_DAYS = 3.0  # of a trigger in odds


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Act when the distance is below `trigger` daily sigmas, back to `back_to` daily sigmas.

    by     : what the trigger is: "distance"; "health", equity / maintenance below it; "odds", the closed form's odds of
             a liquidation within 3 days above it (margin/forecast/first_passage.py)
    kind   : "cut"; "hedge", then cut what it lacks; "mix": a hedge where it is enough and costs less, else a cut
    unwind : hedges are closed above this distance; None: held to the end. cooldown : days between two acts
    """

    kind: Kind
    trigger: float = 2.5
    back_to: float = 4.0
    unwind: float | None = None
    cooldown: int = 0
    by: Measure = "distance"

    def __post_init__(self) -> None:
        if self.kind not in ("nothing", "cut", "hedge", "mix"):
            raise InputError("rule", self.kind, "is not a rule", "One of nothing, cut, hedge, mix.")
        if self.by not in ("distance", "health", "odds"):
            raise InputError("by", self.by, "is not a measure", "One of distance, health, odds.")
        checks.number(self.trigger, "trigger", above=0.0, most=0.99 if self.by == "odds" else 50.0)
        checks.number(self.back_to, "back_to", above=self.trigger if self.by == "distance" else 0.0, most=100.0)
        if self.unwind is not None:
            checks.number(self.unwind, "unwind", above=self.back_to, most=1000.0)
        checks.number(self.cooldown, "cooldown", least=0.0, most=365.0)

    @property
    def title(self) -> str:
        """In words: "cut below 2.5, back to 4"."""
        if self.kind == "nothing":
            return "do nothing"
        end = "" if self.unwind is None else f", unwound above {self.unwind:g}"
        when = {"distance": f"below {self.trigger:g}", "health": f"at a health below {self.trigger:g}",
                "odds": f"at odds above {self.trigger:.0%}"}[self.by]  # fmt: skip
        return f"{self.kind} {when}, back to {self.back_to:g}{end}"

    def rings(self, equity: np.ndarray, maintenance: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """(n,) whether it acts: equity, maintenance USD, sigma of the gap USD a day, all (n,)."""
        room = np.divide(equity - maintenance, sigma, out=np.full(len(equity), np.inf), where=sigma > 0)
        if self.by == "health":
            rung: np.ndarray = equity < self.trigger * maintenance
            return rung
        if self.by == "odds":
            odds = hit_probability(np.where(sigma > 0, equity - maintenance, 1.0), sigma, ODDS_DAYS)
            return np.asarray(odds > self.trigger)
        return np.asarray(room < self.trigger)

    @property
    def short(self) -> str:
        """For an axis: "hedge, unwound"."""
        if self.kind == "nothing":
            return "do nothing"
        return self.kind if self.unwind is None else f"{self.kind}, unwound"


NOTHING = Rule(kind="nothing")


def usual_rules(trigger: float = 2.5, back_to: float = 4.0, by: Measure = "distance") -> tuple[Rule, ...]:
    """Nothing, cut, hedge, hedge unwound above 1.75 x back_to, mix; by : what the trigger is, see `Rule`."""
    return (
        NOTHING,
        Rule(kind="cut", trigger=trigger, back_to=back_to, by=by),
        Rule(kind="hedge", trigger=trigger, back_to=back_to, by=by),
        Rule(kind="hedge", trigger=trigger, back_to=back_to, unwind=1.75 * back_to, by=by),
        Rule(kind="mix", trigger=trigger, back_to=back_to, by=by),
    )


RULES = usual_rules()
