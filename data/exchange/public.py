"""Whole public margin tables, asked now: of venues that have a file in data/exchange/tables/."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.errors import FetchError
from data.exchange import refusals
from data.exchange.asker import Asker, Patience
from data.exchange.plain import open_plain
from data.exchange.tables import PublicTable, Row, public_tables
from margin.core.errors import InputError, did_you_mean

__all__ = ["FetchedTable", "fetch_table"]


@dataclass(frozen=True, kw_only=True)
class FetchedTable:
    """facts : of the venue's parameter file; rows : tiers by asset in the rulebook's unit; at : when it was asked."""

    venue: str
    facts: Mapping[str, Any]
    rows: dict[str, tuple[Row, ...]]
    at: datetime
    source: str


async def fetch_table(venue: str, patience: Patience | None = None) -> FetchedTable:
    """The venue's table now. Raises FetchError, InputError for a venue without one."""
    tables = public_tables()
    if venue not in tables:
        hint = did_you_mean(venue, tables) or f"These do: {', '.join(tables)}."
        raise InputError("venue", venue, "has no public table that Margin Lab reads whole", hint)
    table = tables[venue]
    async with _TableClient(table.ccxt, patience) as client:
        answer = await client.ask(table)
    try:
        found = table.facts(answer)
        rows = table.rows(found)
    except (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        raise FetchError("tiers", venue, "bad answer", f"{venue} gave its table in an unknown form") from None
    if not rows:
        raise FetchError("tiers", venue, "empty", f"{venue} gave no markets in its table")
    if not all(_sane(tiers) for tiers in rows.values()):
        raise FetchError("tiers", venue, "bad answer", f"{venue} gave rates that can't be in its table")
    return FetchedTable(venue=venue, facts=found, rows=rows, at=datetime.now(UTC), source=table.source)


def _sane(rows: tuple[Row, ...]) -> bool:
    edges = [row[0] for row in rows]
    rates = [row[2] for row in rows]
    rising = edges == sorted(set(edges)) and rates == sorted(rates) and edges[0] == 0.0
    return rising and all(0.0 < rate <= 1.0 and leverage >= 1.0 - 1e-9 for _, _, rate, leverage in rows)


class _TableClient(Asker):
    async def ask(self, table: PublicTable) -> Any:
        if self._exchange is None:
            refusals.check("tiers", self.id)
            self._exchange = open_plain(self.id, self.patience)
        return await self.call("tiers", getattr(self._exchange, table.method), dict(table.params))
