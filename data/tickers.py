"""Last prices for the live headline."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from data.errors import FetchError
from data.exchanges import Client, Patience
from data.universe import EXCHANGES, FUNDS, check_asset, check_exchanges

HASTY = Patience(timeout=4.0, tries=1)


@dataclass(frozen=True)
class LastPrice:
    """USD, when it was asked for (UTC), and of whom."""

    price: float
    at: datetime
    exchange: str
    symbol: str


def fetch_last_prices(
    assets: Iterable[str], exchanges: Iterable[str] = EXCHANGES, patience: Patience = HASTY
) -> dict[str, LastPrice]:
    """The last price of each asset from the first exchange that answers; an asset nobody answers for is left out."""
    names = [a for a in dict.fromkeys(check_asset(a) for a in assets) if a not in FUNDS]
    return asyncio.run(_all(names, check_exchanges(list(exchanges)), patience))


async def _all(assets: list[str], exchanges: tuple[str, ...], patience: Patience) -> dict[str, LastPrice]:
    found: dict[str, LastPrice] = {}
    for exchange in exchanges:
        wanted = [a for a in assets if a not in found]
        if not wanted:
            break
        async with Client(exchange, patience=patience) as client:
            answers = await asyncio.gather(*(_one(client, a) for a in wanted), return_exceptions=True)
        for asset, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, LastPrice):
                found[asset] = answer
            elif not isinstance(answer, FetchError):
                assert isinstance(answer, BaseException)
                raise answer
    return found


async def _one(client: Client, asset: str) -> LastPrice:
    symbol = await client.symbol(asset)
    if client.id == "hyperliquid":  # its tickers come all at once; the middle of the book is enough
        book = await client.raw(asset, "fetch_order_book", symbol, 5)
        last = (book["bids"][0][0] + book["asks"][0][0]) / 2 if book["bids"] and book["asks"] else None
    else:
        last = (await client.raw(asset, "fetch_ticker", symbol)).get("last")
    if not isinstance(last, int | float) or not last > 0:
        raise FetchError(asset, client.id, "bad answer", f"{client.id} gave no last price of {symbol}")
    return LastPrice(float(last), datetime.now(UTC), client.id, symbol)
