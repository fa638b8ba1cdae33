"""A snapshot of one order book."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from data.errors import FetchError
from data.exchange.client import Client, Patience
from data.exchange.event_loop import run
from data.exchange.registry import check_exchanges, facts_of
from data.universe import check_asset


@dataclass(frozen=True)
class OrderBook:
    """bids, asks : (n, 2) price in USD and size in coins, best first; `at` is when it was asked for (UTC)."""

    exchange: str
    symbol: str
    at: datetime
    bids: np.ndarray
    asks: np.ndarray

    @property
    def mid(self) -> float:
        """USD halfway between best bid and best ask."""
        return float(self.bids[0, 0] + self.asks[0, 0]) / 2.0


def fetch_order_book(
    exchange_id: str, asset: str, depth: int = 100, patience: Patience | None = None, kind: str = "spot"
) -> OrderBook:
    """The asset's dollar order book, at most `depth` levels a side. Raises FetchError, also for an empty book."""
    (name,) = check_exchanges([exchange_id])
    return run(_book(name, check_asset(asset), depth, patience, kind))


async def _book(exchange: str, asset: str, depth: int, patience: Patience | None, kind: str) -> OrderBook:
    async with Client(exchange, kind, patience) as client:
        symbol = await client.symbol(asset)
        depths = facts_of(exchange).book_depths
        limit = next((d for d in depths if d >= depth), depths[-1]) if depths else depth
        book = await client.raw(asset, "fetch_order_book", symbol, limit)
    sides = [
        np.array([level[:2] for level in book[side][:depth]], dtype=float).reshape(-1, 2) for side in ("bids", "asks")
    ]
    if not len(sides[0]) or not len(sides[1]):
        raise FetchError(asset, exchange, "empty", f"{exchange} gave an empty book of {symbol}")
    return OrderBook(exchange, symbol, datetime.now(UTC), sides[0], sides[1])
