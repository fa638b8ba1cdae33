"""One exchange through ccxt: candles page by page, every kind of failure turned into a FetchError.

ccxt is imported when the first exchange is opened. Paging is our own (data/exchange/pagination.py): ccxt's
`paginate` stops after ten calls and can skip the oldest part without saying so.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from data.errors import FetchError
from data.exchange import answers, pagination, refusals
from data.exchange.asker import Asker, Patience
from data.exchange.pagination import Page, Rows
from data.exchange.plain import bare, through_the_gateway
from data.exchange.registry import candidates, facts_of
from data.model import CANDLE_COLUMNS, Interval
from data.universe import step_ms

__all__ = ["Client", "Patience", "to_frame"]


class Client(Asker):
    """One open ccxt exchange. `kind` is "spot" or "perpetual"; use it with `async with`."""

    def __init__(self, exchange_id: str, kind: str = "spot", patience: Patience | None = None):
        super().__init__(exchange_id, patience)
        self.facts = facts_of(exchange_id)
        self.kind = "perpetual" if self.facts.perpetual_quote else kind
        self._loading = asyncio.Lock()
        self._failed: FetchError | None = None

    async def markets(self, asset: str) -> dict[str, Any]:
        """All symbols the exchange lists, loaded once; a failure is remembered for this client."""
        async with self._loading:
            if self._failed is not None:
                raise FetchError(asset, self.id, self._failed.kind, self._failed.message)
            if self._exchange is None:
                refusals.check(asset, self.id)  # opening costs tens of milliseconds
                self._exchange = _open(self.id, self.kind, self.patience)
                self._exchange.session = _session(self._exchange.cafile)  # closed by ccxt, which takes it for its own
            if not self._exchange.markets:
                try:
                    await self.call(asset, self._load_markets)
                except FetchError as error:
                    self._failed = error
                    raise
        markets: dict[str, Any] = self._exchange.markets
        return markets

    async def _load_markets(self) -> None:
        """The market list anew: ccxt keeps what it took for one, so that a second try would ask nothing."""
        import ccxt.async_support as ccxt

        self._exchange.markets = None
        try:
            await self._exchange.load_markets(True, dict(self.facts.market_params))
        except ccxt.BadSymbol as error:  # said of the whole list: the exchange's trouble, not the asset's
            raise answers.EmptyList(str(error)) from error
        if not self._exchange.markets:
            raise answers.EmptyList("an empty market list")

    async def symbol(self, asset: str) -> str:
        """The exchange's symbol for the asset's dollar price. Raises FetchError 'not listed'."""
        listed = await self.markets(asset)
        names = candidates(self.id, asset)
        if self.kind == "perpetual" and not self.facts.perpetual_quote:
            names = [f"{asset}/{quote}:{quote}" for quote in ("USDT", "USDC")]
        for name in names:
            if name in listed:
                return name
        raise FetchError(asset, self.id, "not listed", f"{self.id} does not list {' or '.join(names)}")

    async def pages(
        self, asset: str, interval: Interval, start: int, end: int, newest: int | None = None
    ) -> AsyncIterator[Page]:
        """Candles that open from `start` to `end` (ms, both included), page by page, newest first.

        newest : open time of the newest finished candle there is, default `end`; what the exchange no longer keeps by
                 then is not asked for. Raises FetchError; an empty span is not an error here.
        """
        symbol, step = await self.symbol(asset), step_ms(interval)
        oldest = pagination.reach(self.id, end if newest is None else newest, step)
        first = start if oldest is None else max(start, oldest)
        if first > end:
            yield Page([], start, 1.0)
            return

        async def ask(low: int, high: int) -> Rows:
            limit, params = pagination.request(self.id, low, high, step)
            return await self.call(asset, self._candles, symbol, interval, low, limit, params)

        async for page in pagination.walk(self.id, first, end, step, ask):
            whole = page.share >= 1.0 and page.since <= max(first, pagination.EARLIEST_MS)
            yield replace(page, since=start) if whole else page

    async def _candles(self, symbol: str, interval: Interval, since: int, limit: int, params: dict[str, Any]) -> Rows:
        batch = await self._exchange.fetch_ohlcv(symbol, interval, since, limit, params)
        if not isinstance(batch, list) or any(len(row) < 6 or row[0] is None for row in batch):
            raise ValueError("candles of an unknown form")
        to_frame(batch)  # raises what is not a number
        return batch

    async def raw(self, asset: str, method: str, *arguments: Any) -> Any:
        """Call a ccxt method (fetch_ticker, fetch_order_book, ...) with the retries of `call`."""
        await self.markets(asset)
        return await self.call(asset, getattr(self._exchange, method), *arguments)


def to_frame(rows: Rows) -> pd.DataFrame:
    """ccxt candle rows as a frame indexed by open time (UTC, tz-naive); missing numbers become NaN."""
    table = [[np.nan if x is None else float(x) for x in row[:6]] for row in rows]
    numbers = np.array(table, dtype=float).reshape(-1, 6)
    index = pd.to_datetime(numbers[:, 0].astype("int64"), unit="ms")
    return pd.DataFrame(numbers[:, 1:], index=index, columns=list(CANDLE_COLUMNS))


def _session(certificates: str) -> Any:
    from data.exchange.session import open_session  # aiohttp is loaded when the first exchange is asked

    return open_session(certificates)


def _open(exchange_id: str, kind: str, patience: Patience) -> Any:
    """A ccxt exchange with its rate limit on, only the markets needed, through the gateway where one is set."""
    exchange = bare(exchange_id, patience)
    exchange.has["fetchCurrencies"] = False  # deposit and network details: one more request, and often a key
    facts = facts_of(exchange_id)
    types = list(facts.spot_types if kind == "spot" else facts.perpetual_types)
    if types:
        chosen = exchange.options.get("fetchMarkets")
        exchange.options["fetchMarkets"] = {**(chosen if isinstance(chosen, dict) else {}), "types": types}
        exchange.options["defaultType"] = "spot" if kind == "spot" else "swap"
    if facts.market_options:
        exchange.options["fetchMarkets"].update(facts.market_options)
    through_the_gateway(exchange)
    return exchange
