"""Floor 3: venue rulebooks; what each real venue would ask for a book. See `margin.venues.base` for the interface.

from margin import venues
venues.names()                       -> ("aave", "binance", ...)
venues.rulebook("dydx").requirement(portfolio, marks, "cross")
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from margin.core import edition
from margin.core.errors import InputError, did_you_mean
from margin.models.marks import Marks
from margin.venues import parameters
from margin.venues.base import MODES, Mode, Rulebook, VenueMargin

__all__ = [
    "MODES", "Marks", "Mode", "Newer", "Rulebook", "VenueMargin", "check_tiers", "facts_of", "follow", "names",
    "rulebook",
]  # fmt: skip

Rows = Mapping[str, Sequence[Sequence[Any]]]  # by asset (floor, cap, rate, highest leverage)
Newer = tuple[Rows, str]  # tiers, and where they are from

_newer: dict[str, Rulebook] = {}


def names() -> tuple[str, ...]:
    """Every venue, sorted: those with a file in `margin/venues/parameters/`."""
    return parameters.names()


def facts_of(name: str) -> Rulebook | None:
    """The rulebook of a venue an account names; None for no venue and for one that is not known here."""
    return rulebook(name) if name in names() else None


def rulebook(name: str) -> Rulebook:
    """The rulebook of one venue, with newer tiers where `follow` gave any. Raises InputError for an unknown name."""
    return _newer.get(name) or _carried(name)


def follow(tables: Mapping[str, Newer]) -> None:
    """Tiers of dollar contracts by venue, in place of those carried, for every model of this process; {} : none.

    They stand until the next call. Raises InputError for tiers that leave a gap, and for a venue without tiers.
    """
    made = {name: _with_tiers(name, *newer) for name, newer in tables.items()}
    _newer.clear()
    _newer.update(made)
    edition.advance()


def check_tiers(name: str, rows: Rows) -> None:
    """Raises InputError for tiers that the venue's rulebook does not take."""
    _with_tiers(name, rows, "")


def _with_tiers(name: str, rows: Rows, source: str) -> Rulebook:
    make: Any = getattr(_carried(name), "with_tiers", None)
    if make is None:
        raise InputError("venue", name, "has no tiers of single contracts")
    found: Rulebook = make(rows, source)
    return found


@cache
def _carried(name: str) -> Rulebook:
    if name not in names():
        hint = did_you_mean(name, names()) or f"Venues: {', '.join(names())}."
        raise InputError("venue", name, "is not a venue Margin Lab knows", hint)
    book: Rulebook = import_module(f"margin.venues.rules.{name}").RULEBOOK
    return book
