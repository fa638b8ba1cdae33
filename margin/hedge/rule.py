"""A rule for when liquidation comes near: cut, hedge, both or nothing, and from where back to where."""

from dataclasses import dataclass
from typing import Literal

from margin.core import checks
from margin.core.errors import InputError

Kind = Literal["nothing", "cut", "hedge", "mix"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Act when the distance is below `trigger` daily sigmas, back to `back_to`.

    kind   : "cut"; "hedge", then cut what it lacks; "mix": a hedge where it is enough and costs less, else a cut
    unwind : hedges are closed above this distance; None: held to the end. cooldown : days between two acts
    """

    kind: Kind
    trigger: float = 2.5
    back_to: float = 4.0
    unwind: float | None = None
    cooldown: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("nothing", "cut", "hedge", "mix"):
            raise InputError("rule", self.kind, "is not a rule", "One of nothing, cut, hedge, mix.")
        checks.number(self.trigger, "trigger", above=0.0, most=50.0)
        checks.number(self.back_to, "back_to", above=self.trigger, most=100.0)
        if self.unwind is not None:
            checks.number(self.unwind, "unwind", above=self.back_to, most=1000.0)
        checks.number(self.cooldown, "cooldown", least=0.0, most=365.0)

    @property
    def title(self) -> str:
        """In words: "cut below 2.5, back to 4"."""
        if self.kind == "nothing":
            return "do nothing"
        end = "" if self.unwind is None else f", unwound above {self.unwind:g}"
        return f"{self.kind} below {self.trigger:g}, back to {self.back_to:g}{end}"

    @property
    def short(self) -> str:
        """For an axis: "hedge, unwound"."""
        if self.kind == "nothing":
            return "do nothing"
        return self.kind if self.unwind is None else f"{self.kind}, unwound"


NOTHING = Rule(kind="nothing")


def usual_rules(trigger: float = 2.5, back_to: float = 4.0) -> tuple[Rule, ...]:
    """Nothing, cut, hedge, hedge unwound above 1.75 x back_to, mix."""
    return (
        NOTHING,
        Rule(kind="cut", trigger=trigger, back_to=back_to),
        Rule(kind="hedge", trigger=trigger, back_to=back_to),
        Rule(kind="hedge", trigger=trigger, back_to=back_to, unwind=1.75 * back_to),
        Rule(kind="mix", trigger=trigger, back_to=back_to),
    )


RULES = usual_rules()
