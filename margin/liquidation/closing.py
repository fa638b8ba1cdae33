"""Rules of closing: what each venue's margin models carry, by name."""

from functools import cache

from margin import models
from margin.core.errors import InputError, did_you_mean
from margin.liquidation.adl import POLICIES
from margin.models.base import NOT_CARRIED, ClosingRules

__all__ = ["rules_of", "venues"]


@cache
def venues() -> tuple[ClosingRules, ...]:
    """The rules of every venue whose closing is carried, by name: what its margin models carry."""
    found: dict[str, ClosingRules] = {}
    for key in models.keys():  # noqa: SIM118
        if ":" not in key:  # our own methods need a market, and close all at once
            continue
        closing = models.get(key).closing
        if closing.source != NOT_CARRIED:
            found[closing.name] = closing
    for rules in found.values():
        if rules.adl is not None and rules.adl not in POLICIES:
            raise InputError(f"closing of {rules.name}", rules.adl, "is not an ADL policy")
    return tuple(sorted(found.values(), key=lambda rules: rules.name.lower()))


def rules_of(name: str) -> ClosingRules:
    """Raises InputError for a venue without rules here."""
    for rules in venues():
        if rules.name == name:
            return rules
    names = [rules.name for rules in venues()]
    raise InputError("venue", name, "has no liquidation rules here", did_you_mean(name, names) or ", ".join(names))
