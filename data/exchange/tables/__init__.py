"""One file per venue whose whole margin table is public: its `TABLE`. Adding one is adding a file here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

__all__ = ["PublicTable", "Row", "public_tables"]

Row = tuple[float, float | None, float, float]  # from, to (None: no end), maintenance rate, highest leverage


@dataclass(frozen=True, kw_only=True)
class PublicTable:
    """A venue's table, asked through one of ccxt's endpoint methods.

    id     : the rulebook's name; ccxt, method, params : whom and what to ask
    facts  : the raw answer as facts of the venue's parameter file; raises LookupError, TypeError or ValueError for
             what is no such table
    rows   : those facts as tiers by asset, in the unit that the rulebook counts
    source : what is asked, for the parameter file
    """

    id: str
    ccxt: str
    method: str
    facts: Callable[[Any], dict[str, Any]]
    rows: Callable[[Mapping[str, Any]], dict[str, tuple[Row, ...]]]
    source: str
    params: Mapping[str, Any] = field(default_factory=dict)


@cache
def public_tables() -> dict[str, PublicTable]:
    """Every table by its venue."""
    found = [import_module(f"{__name__}.{m.name}").TABLE for m in iter_modules(__path__)]
    return {table.id: table for table in sorted(found, key=lambda t: t.id)}
