"""Last prices and mark prices from the exchanges, asked for once here and followed by data/fetch/live.py."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from data.errors import FetchError
from data.exchange.client import Client, Patience
from data.exchange.event_loop import run
from data.exchange.registry import EXCHANGES, MARKING, YAHOO, check_exchanges, facts_of
from data.universe import FUNDS, check_asset
from margin.core.portfolio import Portfolio

MARKS = ("markPrice", "markPx", "mark_price")  # as ccxt and the exchanges' own tickers call the mark price
HASTY = Patience(timeout=4.0, tries=1)
REST_SECONDS = 30.0  # an exchange that failed is left alone for so long
IDLE_SECONDS = 60.0  # a client that nobody needed for so long is closed, with the megabytes of its market list
UNKNOWN_SECONDS = 600.0  # an asset that no exchange lists is not looked for again before


Kind = Literal["mark", "last trade", "middle of the book"]
Key = tuple[str, str]  # an exchange and "spot" or "perpetual": who of them fails, rests alone


@dataclass(frozen=True)
class LastPrice:
    """USD, when it was asked for (UTC), of whom, and what it is.

    marks : by rulebook ("okx"): its own mark of this asset, of those that were wanted and answered
    """

    price: float
    at: datetime
    exchange: str
    symbol: str
    kind: Kind = "last trade"
    marks: Mapping[str, "LastPrice"] = field(default_factory=dict, compare=False)

    def held_at(self, venue: str) -> "LastPrice":
        """The price of a contract held under a rulebook: its own mark where it is known, else this one."""
        return self.marks.get(venue, self)

    @property
    def is_mark(self) -> bool:
        """The venue's mark price, not a trade."""
        return self.kind == "mark"


def held_as_contracts(portfolio: Portfolio) -> dict[str, list[str]]:
    """What is held as a contract, and the venues it is held at: there its mark price counts, not the last trade."""
    held: dict[str, list[str]] = {}
    for account in portfolio.accounts:
        for p in account.positions:
            if not p.owned and p.instrument.kind != "loan":
                venues = held.setdefault(p.underlying, [])
                venues += [account.venue] if account.venue and account.venue not in venues else []
    return held


def fetch_last_prices(
    assets: Iterable[str],
    exchanges: Iterable[str] = EXCHANGES,
    patience: Patience = HASTY,
    marked: Mapping[str, Iterable[str]] | None = None,
) -> dict[str, LastPrice]:
    """The last price of each asset from the first exchange that answers; an asset nobody answers for is left out.

    marked : as for `Desk.last_prices`; marks are asked of these exchanges alone, and where they are all, of those that
             give nothing but marks too
    """
    names = list(dict.fromkeys(check_asset(a) for a in assets))
    sources = check_exchanges(exchanges)
    marking = MARKING if set(EXCHANGES) <= set(sources) else tuple(e for e in MARKING if e in sources)

    async def once() -> dict[str, LastPrice]:
        desk = Desk(exchanges=sources, marking=marking, patience=patience)
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
    marking: tuple[str, ...] = MARKING
    clients: dict[Key, Client] = field(default_factory=dict)
    used: dict[Key, float] = field(default_factory=dict)  # when it was last needed, monotonic
    resting: dict[Key, float] = field(default_factory=dict)  # until when
    unknown: dict[str, float] = field(default_factory=dict)  # asset -> until when

    async def last_prices(
        self, assets: Iterable[str], marked: Mapping[str, Iterable[str]] | None = None
    ) -> dict[str, LastPrice]:
        """A price of each asset: its mark where it is held as a contract and one is to be had, else its last trade.

        marked : the assets held as contracts, each with the rulebooks it is held under ("binance"), whose exchanges are
                 asked first, every one of them (`LastPrice.marks`); the others that give marks come after them
        """
        now = time.monotonic()
        wanted = [a for a in assets if a not in FUNDS and self.unknown.get(a, 0.0) < now]
        held = {a: set(venues) for a, venues in (marked or {}).items() if a in wanted}
        found: dict[str, LastPrice] = {}
        own: dict[str, dict[str, LastPrice]] = {}
        complete = True  # every exchange was heard
        for key, choice, whole in self._questions(wanted, held):
            rest = [asset for asset in choice if whole or asset not in found]
            if not rest:
                continue
            if self.resting.get(key, 0.0) > now:
                complete = False
                continue
            self.used[key] = now
            answers, heard = await self._ask(key, rest)
            found = {**answers, **found}
            for asset, seen in answers.items() if whole else ():
                venues = held[asset].intersection(facts_of(key[0]).marks_of)
                own.setdefault(asset, {}).update(dict.fromkeys(venues, seen))
            if not heard:
                complete = False
                self.resting[key] = time.monotonic() + REST_SECONDS
                await self._drop(key)
        if complete:
            self.unknown.update({a: now + UNKNOWN_SECONDS for a in wanted if a not in found})
        for key in [k for k, at in self.used.items() if now - at > IDLE_SECONDS]:
            await self._drop(key)
        return {asset: replace(seen, marks=own[asset]) if asset in own else seen for asset, seen in found.items()}

    def _questions(self, wanted: list[str], held: Mapping[str, set[str]]) -> list[tuple[Key, list[str], bool]]:
        """Whom to ask, what about, and whether of what is known already too.

        In order: marks of each venue it is held at, marks elsewhere, last trades.
        """
        there = [
            (e, [a for a in wanted if held.get(a, set()).intersection(facts_of(e).marks_of)]) for e in self.marking
        ]
        elsewhere = [(e, [a for a in wanted if a in held and a not in asked]) for e, asked in there]
        marks = [*((e, choice, True) for e, choice in there), *((e, choice, False) for e, choice in elsewhere)]
        trades = [((e, "spot"), wanted, False) for e in self.exchanges if e != YAHOO]
        return [*(((e, "perpetual"), choice, whole) for e, choice, whole in marks), *trades]

    async def _ask(self, key: Key, assets: list[str]) -> tuple[dict[str, LastPrice], bool]:
        """(prices, whether the exchange answered at all)."""
        client = self.clients.get(key)
        if client is None:
            client = self.clients[key] = Client(*key, patience=self.patience)
        symbols: dict[str, str] = {}
        for asset in assets:
            try:
                symbols[asset] = await client.symbol(asset)
            except FetchError as error:
                if error.kind != "not listed":
                    return {}, False
        if not symbols:
            return {}, True
        marks = key[1] == "perpetual"
        method = client.facts.marks if marks else "fetch_tickers" if client.facts.all_tickers else ""
        if method.endswith("s"):  # elsewhere it would give the tickers of all pairs
            try:
                tickers = await client.raw(next(iter(symbols)), method, list(symbols.values()), _kind(client, method))
                reader = _mark if marks else _last
                prices = {a: reader(client, s, tickers.get(s) or {}) for a, s in symbols.items()}
            except (FetchError, AttributeError):
                return {}, False
        else:
            results = await asyncio.gather(*(_one(client, a, s, method) for a, s in symbols.items()))
            prices = dict(zip(symbols, results, strict=True))
        found = {asset: price for asset, price in prices.items() if price is not None}
        return found, bool(found)

    async def _drop(self, key: Key) -> None:
        self.used.pop(key, None)
        client = self.clients.pop(key, None)
        if client is not None:
            await client.close()

    async def close(self) -> None:
        """Close every client."""
        for key in list(self.clients):
            await self._drop(key)


def _kind(client: Client, method: str) -> dict[str, str]:
    """The ticker lists of some exchanges hold spot pairs unless they are told otherwise."""
    return {"type": "swap"} if client.kind == "perpetual" and method == "fetch_tickers" else {}


async def _one(client: Client, asset: str, symbol: str, mark: str) -> LastPrice | None:
    """mark : the method that gives its mark price, "" for its last trade."""
    try:
        if mark:
            return _mark(client, symbol, await client.raw(asset, mark, symbol))
        if client.facts.book_ticker:  # its tickers come all at once; the middle of the book is enough
            book = await client.raw(asset, "fetch_order_book", symbol, 5)
            return _price(client, symbol, (book["bids"][0][0] + book["asks"][0][0]) / 2, "middle of the book")
        return _last(client, symbol, await client.raw(asset, "fetch_ticker", symbol))
    except (FetchError, IndexError, KeyError, TypeError, AttributeError):
        return None


def _last(client: Client, symbol: str, ticker: Mapping[str, Any]) -> LastPrice | None:
    return _price(client, symbol, ticker.get("last"), "last trade")


def _mark(client: Client, symbol: str, ticker: Mapping[str, Any]) -> LastPrice | None:
    """The mark price of a contract's ticker; a last trade is none."""
    info = ticker.get("info")
    for value in (ticker.get("markPrice"), *(info.get(key) for key in MARKS if isinstance(info, dict))):
        try:
            mark = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if found := _price(client, symbol, mark, "mark"):
            return found
    return None


def _price(client: Client, symbol: str, price: object, kind: Kind) -> LastPrice | None:
    if not isinstance(price, int | float) or not 0 < price < float("inf"):
        return None
    return LastPrice(float(price), datetime.now(UTC), client.id, symbol, kind)
