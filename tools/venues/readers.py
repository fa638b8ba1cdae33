"""Venues whose tables can be read without a key, and how an answer becomes facts of the parameter file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.exchange.event_loop import run
from data.exchange.public import fetch_table
from data.exchange.tables import Row, public_tables
from data.exchange.tiers import BY_SYMBOL, fetch_tiers

__all__ = ["MOST_TRADED", "Reading", "names", "read"]

MOST_TRADED = (
    "BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "HYPE", "SUI", "ADA", "LINK", "ZEC", "AVAX", "LTC", "BCH", "ENA", "PUMP",
    "TRX", "AAVE", "UNI", "NEAR", "TON", "DOT", "WLD",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reading:
    """facts : for the parameter file; where, date : its source; coins : how many"""

    venue: str
    facts: dict[str, Any]
    where: str
    date: str
    coins: int


def names() -> tuple[str, ...]:
    """Rulebooks whose parameter file `read` can renew."""
    return (*BY_SYMBOL, *public_tables())


def read(venue: str, assets: Sequence[str] = MOST_TRADED) -> Reading:
    """The venue's table now. assets : of venues that are asked coin by coin.

    Raises FetchError; InputError for a venue that publishes none.
    """
    if venue in public_tables():
        table = run(fetch_table(venue))
        return Reading(
            venue=venue, facts=dict(table.facts), where=table.source, date=f"{table.at:%Y-%m-%d}", coins=len(table.rows)
        )
    live = fetch_tiers(venue, assets)
    fact, form = _BY_SYMBOL[venue]
    return Reading(
        venue=venue, facts={fact: {asset: [form(row) for row in rows] for asset, rows in live.rows.items()}},
        where=f"{BY_SYMBOL[venue]} through ccxt, tiers of the most traded coins", date=live.date, coins=len(live.rows),
    )  # fmt: skip


def _tier(row: Row) -> list[float | None]:
    return list(row)


def _level(row: Row) -> list[float | None]:
    """Kraken's file has the level's floor and its initial rate."""
    return [row[0], round(1.0 / row[3], 10)]


_BY_SYMBOL = {"okx": ("position_tiers", _tier), "bybit": ("risk_limits", _tier), "kraken": ("levels", _level)}
