"""Funding-rate history of perpetual contracts."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd

from data.errors import FetchError
from data.exchange.client import Client, Patience
from data.exchange.event_loop import run
from data.exchange.registry import FUNDING, check_exchanges, exchanges, facts_of
from data.universe import check_asset
from margin.core.errors import InputError

MOST_PAGES = 2000


def fetch_funding_history(
    exchange_id: str, asset: str, since: datetime, until: datetime, patience: Patience | None = None
) -> pd.Series:
    """Funding rates of the asset's dollar perpetual, as fractions per payment, indexed by payment time (UTC, naive).

    Positive: longs pay shorts. since, until : aware, both included. Raises FetchError; InputError for an exchange
    without perpetuals here.
    """
    (name,) = check_exchanges([exchange_id])
    if name not in exchanges() or not facts_of(name).funding_page:
        others = ", ".join(e.id for e in exchanges().values() if e.funding_page)
        raise FetchError(asset, name, "not listed", f"{name} has no perpetuals here; ask {others}")
    start, end = (int(t.timestamp() * 1000) for t in (since, until))
    return run(_history(name, check_asset(asset), start, end, patience))


def recorded_funding(
    assets: Sequence[str],
    since: datetime,
    until: datetime,
    sources: Sequence[str] = FUNDING,
    patience: Patience | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[dict[str, pd.Series], dict[str, str]]:
    """(payments by asset, why by asset without any): of each asset the first source that has a record is taken.

    The reason is that of the first source asked. since, until : aware, both included
    """
    found: dict[str, pd.Series] = {}
    why: dict[str, str] = {}
    for done, asset in enumerate(assets):
        said = ""
        for source in sources:
            try:
                found[asset] = fetch_funding_history(source, asset, since, until, patience)
                break
            except (FetchError, InputError) as error:
                said = said or str(error)
        else:
            why[asset] = said
        if progress is not None:
            progress((done + 1) / len(assets))
    return found, why


async def _history(exchange: str, asset: str, start: int, end: int, patience: Patience | None) -> pd.Series:
    rates: dict[int, float] = {}
    async with Client(exchange, "perpetual", patience) as client:
        symbol = await client.symbol(asset)
        backwards = facts_of(exchange).funding_backwards  # these give the newest payments before `until` first
        edge = end if backwards else start
        for _ in range(MOST_PAGES):
            cursor = facts_of(exchange).funding_cursor
            until = {cursor: str(edge + 1)} if cursor else {"until": edge}
            first, more = (start, until) if backwards else (edge, {})
            page = await client.raw(
                asset, "fetch_funding_rate_history", symbol, first, facts_of(exchange).funding_page, more
            )
            times = [row["timestamp"] for row in page if row.get("fundingRate") is not None]
            rates.update({r["timestamp"]: float(r["fundingRate"]) for r in page if r.get("fundingRate") is not None})
            if not times or (backwards and min(times) <= start) or (not backwards and max(times) >= end):
                break
            moved = min(times) - 1 if backwards else max(times) + 1
            if moved == edge or len(page) < 2:
                break
            edge = moved
    kept = {t: rate for t, rate in sorted(rates.items()) if start <= t <= end}
    if not kept:
        raise FetchError(asset, exchange, "empty", f"{exchange} returned no funding payments of {symbol}")
    return pd.Series(list(kept.values()), index=pd.to_datetime(list(kept), unit="ms"), name=asset)
