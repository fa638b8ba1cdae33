"""Floor 3: venue rulebooks; what each real venue would ask for a book. See `margin.venues.base` for the interface.

from margin import venues
venues.names()                       -> ("aave", "binance", ...)
venues.rulebook("dydx").requirement(portfolio, marks, "cross")
"""

from functools import cache
from importlib import import_module

from margin.core.errors import InputError, did_you_mean
from margin.models.marks import Marks
from margin.venues import parameters
from margin.venues.base import MODES, Mode, Rulebook, VenueMargin

__all__ = ["MODES", "Marks", "Mode", "Rulebook", "VenueMargin", "facts_of", "names", "rulebook"]


def names() -> tuple[str, ...]:
    """Every venue, sorted: those with a file in `margin/venues/parameters/`."""
    return parameters.names()


def facts_of(name: str) -> Rulebook | None:
    """The rulebook of a venue an account names; None for no venue and for one that is not known here."""
    return rulebook(name) if name in names() else None


@cache
def rulebook(name: str) -> Rulebook:
    """The rulebook of one venue. Raises InputError for an unknown name."""
    if name not in names():
        hint = did_you_mean(name, names()) or f"Venues: {', '.join(names())}."
        raise InputError("venue", name, "is not a venue Margin Lab knows", hint)
    book: Rulebook = import_module(f"margin.venues.rules.{name}").RULEBOOK
    return book
