"""Last prices from the exchanges, asked for once here and followed by data/fetch/live.py."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from data.errors import FetchError
from data.exchange.client import Client, Patience
from data.exchange.event_loop import run
from data.exchange.registry import EXCHANGES, YAHOO, check_exchanges, facts_of
from data.universe import FUNDS, check_asset

MARKS = ("markPx", "markPrice", "mark_price")  # as exchanges call the mark price in their own tickers
HASTY = Patience(timeout=4.0, tries=1)
REST_SECONDS = 30.0  # an exchange that failed is left alone for so long
IDLE_SECONDS = 60.0  # a client that nobody needed for so long is closed, with the megabytes of its market list
UNKNOWN_SECONDS = 600.0  # an asset that no exchange lists is not looked for again before


@dataclass(frozen=True)
class LastPrice:
    """USD, when it was asked for (UTC), and of whom. is_mark: the venue's mark price, not the last trade."""

    price: float
    at: datetime
    exchange: str
    symbol: str
    is_mark: bool = False


def fetch_last_prices(
    assets: Iterable[str],
    exchanges: Iterable[str] = EXCHANGES,
    patience: Patience = HASTY,
    marked: Iterable[str] = (),
) -> dict[str, LastPrice]:
    """The last price of each asset from the first exchange that answers; an asset nobody answers for is left out.

    marked : those held as contracts: an exchange's mark price is taken where one gives it
    """
    names = list(dict.fromkeys(check_asset(a) for a in assets))
    sources = check_exchanges(exchanges)

    async def once() -> dict[str, LastPrice]:
        desk = Desk(exchanges=sources, patience=patience)
        try:
            return await desk.last_prices(names, marked)
        finally:
            await desk.close()

    return run(once())


@dataclass(kw_only=True)
class Desk:
    """Open clients, kept from one question to the next, and what was learnt about who is silent."""

    exchanges: tuple[str, ...]
    patience: Patience
    clients: dict[str, Client] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)  # exchange -> when it was last needed, monotonic
    resting: dict[str, float] = field(default_factory=dict)  # exchange -> until when
    unknown: dict[str, float] = field(default_factory=dict)  # asset -> until when

    async def last_prices(self, assets: Iterable[str], marked: Iterable[str] = ()) -> dict[str, LastPrice]:
        """Last prices of the assets from the first exchange that answers for each.

        marked : those held as contracts, for which an exchange of perpetuals is asked for its mark price first
        """
        now = time.monotonic()
        wanted = [a for a in assets if a not in FUNDS and self.unknown.get(a, 0.0) < now]
        contracts = set(marked)
        found: dict[str, LastPrice] = {}
        complete = True  # every exchange was heard
        marking = [e for e in self.exchanges if contracts and facts_of(e).perpetual_quote and facts_of(e).book_ticker]
        for exchange in (*marking, *(e for e in self.exchanges if e not in marking)):
            rest = [a for a in wanted if a not in found and (exchange not in marking or a in contracts)]
            if not rest or exchange == YAHOO:
                continue
            if self.resting.get(exchange, 0.0) > now:
                complete = False
                continue
            self.used[exchange] = now
            answers, heard = await self._ask(exchange, rest, exchange in marking)
            found.update(answers)
            if not heard:
                complete = False
                self.resting[exchange] = time.monotonic() + REST_SECONDS
                await self._drop(exchange)
        if complete:
            self.unknown.update({a: now + UNKNOWN_SECONDS for a in wanted if a not in found})
        for exchange in [e for e, at in self.used.items() if now - at > IDLE_SECONDS]:
            await self._drop(exchange)
        return found

    async def _ask(self, exchange: str, assets: list[str], marks: bool) -> tuple[dict[str, LastPrice], bool]:
        """(prices, whether the exchange answered at all). marks: by its list of contracts, which has their marks."""
        client = self.clients.setdefault(exchange, Client(exchange, patience=self.patience))
        symbols: dict[str, str] = {}
        for asset in assets:
            try:
                symbols[asset] = await client.symbol(asset)
            except FetchError as error:
                if error.kind != "not listed":
                    return {}, False
        if not symbols:
            return {}, True
        if facts_of(exchange).all_tickers or marks:  # elsewhere it would give the tickers of all pairs
            try:
                kind = [{"type": "swap"}] if marks else []
                tickers = await client.raw(next(iter(symbols)), "fetch_tickers", list(symbols.values()), *kind)
                prices = {a: _of_ticker(client, s, tickers.get(s) or {}) for a, s in symbols.items()}
            except (FetchError, AttributeError):
                return {}, False
        else:
            results = await asyncio.gather(*(_one(client, a, s) for a, s in symbols.items()))
            prices = dict(zip(symbols, results, strict=True))
        found = {asset: price for asset, price in prices.items() if price is not None}
        return found, bool(found)

    async def _drop(self, exchange: str) -> None:
        self.used.pop(exchange, None)
        client = self.clients.pop(exchange, None)
        if client is not None:
            await client.close()

    async def close(self) -> None:
        """Close every client."""
        for exchange in list(self.clients):
            await self._drop(exchange)


async def _one(client: Client, asset: str, symbol: str) -> LastPrice | None:
    try:
        if client.facts.book_ticker:  # its tickers come all at once; the middle of the book is enough
            book = await client.raw(asset, "fetch_order_book", symbol, 5)
            return _price(client, symbol, (book["bids"][0][0] + book["asks"][0][0]) / 2)
        return _of_ticker(client, symbol, await client.raw(asset, "fetch_ticker", symbol))
    except (FetchError, IndexError, KeyError, TypeError, AttributeError):
        return None


def _of_ticker(client: Client, symbol: str, ticker: Mapping[str, Any]) -> LastPrice | None:
    """The mark price where the ticker of a contract has one, else the last trade."""
    info = ticker.get("info")
    said = [ticker.get("markPrice"), *(info.get(key) for key in MARKS if isinstance(info, dict))]
    for value in said if client.kind == "perpetual" else ():
        try:
            mark = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if found := _price(client, symbol, mark, True):
            return found
    return _price(client, symbol, ticker.get("last"))


def _price(client: Client, symbol: str, last: object, is_mark: bool = False) -> LastPrice | None:
    if not isinstance(last, int | float) or not 0 < last < float("inf"):
        return None
    return LastPrice(float(last), datetime.now(UTC), client.id, symbol, is_mark)
