"""Margin tiers as venues publish them without a key, through ccxt: brought to one unit, kept on disk with their date.

ccxt gives sizes in each exchange's own unit: OKX counts contracts and leaves gaps of one between tiers, Bybit dollars,
Kraken Futures dollars for its multi-collateral contracts, with no end to the last tier. None of them gives deductions.
Venues whose whole table is one public answer have a file in data/exchange/tables/.
"""

import itertools
import json
import math
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.errors import FetchError
from data.exchange.client import Client, Patience
from data.exchange.event_loop import run
from data.exchange.public import fetch_table
from data.exchange.registry import exchanges, facts_of
from data.exchange.tables import Row, public_tables
from data.store.files import data_directory
from data.universe import check_asset
from margin.core.errors import InputError, did_you_mean

BY_SYMBOL = {e.tiers_of: e.id for e in exchanges().values() if e.tiers_of}  # rulebook -> ccxt's name
PUBLISHERS = {**BY_SYMBOL, **{name: table.ccxt for name, table in public_tables().items()}}


@dataclass(frozen=True)
class LiveTiers:
    """Tiers by asset, in the unit the venue's rulebook counts (OKX coins, else USD), and when each was asked for."""

    venue: str
    rows: dict[str, tuple[Row, ...]]
    at: dict[str, datetime]

    @property
    def date(self) -> str:
        """The oldest, YYYY-MM-DD."""
        return min(self.at.values()).strftime("%Y-%m-%d")


def fetch_tiers(venue: str, assets: Iterable[str], patience: Patience | None = None) -> LiveTiers:
    """Tiers of the assets' dollar perpetuals, now. An asset the venue does not list is left out.

    Raises FetchError when nothing could be had; InputError for a venue that publishes none.
    """
    if venue not in PUBLISHERS:
        hint = did_you_mean(venue, PUBLISHERS) or f"These do: {', '.join(PUBLISHERS)}."
        raise InputError("venue", venue, "publishes no tiers that Margin Lab reads", hint)
    names = list(dict.fromkeys(check_asset(a) for a in assets))
    if not names:
        raise InputError("assets", "none", "nothing to ask for", "Name at least one asset.")
    return run(_fetch(venue, names, patience))


async def _fetch(venue: str, assets: list[str], patience: Patience | None) -> LiveTiers:
    return await (_by_symbol if venue in BY_SYMBOL else _whole)(venue, assets, patience)


async def _whole(venue: str, assets: list[str], patience: Patience | None) -> LiveTiers:
    """Those of the assets that the venue's whole table has."""
    table = await fetch_table(venue, patience)
    rows = {asset: table.rows[asset] for asset in assets if asset in table.rows}
    if not rows:
        names = ", ".join(assets)
        raise FetchError(names, venue, "not listed", f"{venue} has no tiers of {names}")
    return LiveTiers(venue, rows, dict.fromkeys(rows, table.at))


async def _by_symbol(venue: str, assets: list[str], patience: Patience | None) -> LiveTiers:
    exchange = PUBLISHERS[venue]
    known = facts_of(exchange)
    rows: dict[str, tuple[Row, ...]] = {}
    missed: list[FetchError] = []
    async with Client(exchange, "perpetual", patience) as client:
        everything: dict[str, Any] | None = None
        for asset in assets:
            try:
                symbol = await client.symbol(asset)
                if known.tiers_at_once:
                    everything = everything or await client.raw(asset, "fetch_leverage_tiers")
                    answer = everything.get(symbol, [])
                else:
                    answer = await client.raw(asset, "fetch_market_leverage_tiers", symbol)
                market = (await client.markets(asset))[symbol]
                unit = float(market.get("contractSize") or 1.0) if known.tiers_in_contracts else 1.0
                rows[asset] = _rows(asset, exchange, answer, unit)
            except FetchError as error:
                if error.kind not in ("not listed", "empty", "bad answer"):
                    raise
                missed.append(error)
    if not rows:
        raise missed[0]
    return LiveTiers(venue, rows, dict.fromkeys(rows, datetime.now(UTC)))


def _rows(asset: str, exchange: str, answer: Any, unit: float) -> tuple[Row, ...]:
    """ccxt's tiers as rows without gaps. Raises FetchError for what cannot be tiers."""
    try:
        sizes = [float(t["minNotional"]) for t in answer]
        numbers = [(float(t["maintenanceMarginRate"]), float(t["maxLeverage"])) for t in answer]
        tops = [None if t["maxNotional"] is None else float(t["maxNotional"]) for t in answer]
    except (KeyError, TypeError, ValueError, IndexError):
        raise FetchError(
            asset, exchange, "bad answer", f"{exchange} gave tiers of {asset} in an unknown form"
        ) from None
    if not sizes:
        raise FetchError(asset, exchange, "empty", f"{exchange} gave no tiers of {asset}")
    edges = [0.0]
    for size, top in zip(sizes[1:], tops, strict=False):
        edges.append(size if top is None else top)  # OKX: 0 to 2,000, then 2,001 to 4,000
    caps = [*edges[1:], None]  # beyond the last cap nothing may be opened; what is held keeps its rate
    rising = all(a < b for a, b in itertools.pairwise(edges))
    sane = all(0 < rate <= 1 and lev >= 1 and math.isfinite(lev) for rate, lev in numbers)
    ordered = all(a[0] <= b[0] for a, b in itertools.pairwise(numbers))
    if not (rising and sane and ordered):
        raise FetchError(asset, exchange, "bad answer", f"{exchange} gave tiers of {asset} that do not rise")
    return tuple(
        (floor * unit, None if cap is None else cap * unit, rate, leverage)
        for floor, cap, (rate, leverage) in zip(edges, caps, numbers, strict=True)
    )


def save_tiers(tiers: LiveTiers, folder: Path | None = None) -> None:
    """Keep them for later sessions, added to those of other assets; a file half written is never seen."""
    path = _path(tiers.venue, folder)
    before = load_tiers(tiers.venue, folder)
    rows = {**(before.rows if before else {}), **tiers.rows}
    at = {asset: when.isoformat() for asset, when in {**(before.at if before else {}), **tiers.at}.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"version": 1, "venue": tiers.venue, "at": at, "rows": rows})
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)


def load_tiers(venue: str, folder: Path | None = None) -> LiveTiers | None:
    """The tiers kept last; None where there are none or the file is damaged."""
    try:
        data = json.loads(_path(venue, folder).read_text(encoding="utf-8"))
        rows = {str(asset): tuple(tuple(row) for row in table) for asset, table in data["rows"].items()}
        if data["version"] != 1 or not all(len(row) == 4 for table in rows.values() for row in table):
            return None
        at = {str(asset): datetime.fromisoformat(when) for asset, when in data["at"].items()}
        return LiveTiers(venue, rows, at) if rows and set(at) == set(rows) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _path(venue: str, folder: Path | None) -> Path:
    return (folder or data_directory()) / "tiers" / f"{venue}.json"
