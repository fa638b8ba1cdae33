"""How many candles each exchange gives per request, which quirks it has, and the walk through a span, newest first.

Newest first, because a fetch that is stopped midway then holds the candles that matter most, and because what is stored
always reaches without a hole from some time up to now: the next fetch has one older part to ask for.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

DAY_MS = 86_400_000
EARLIEST_MS = 1_262_304_000_000  # 2010-01-01: no exchange is older
EMPTY_MS = 730 * DAY_MS  # nothing for this long before the oldest candle: the asset was not listed yet

# Candles per request, and how many of the newest an exchange keeps at all.
# Source: the exchanges' API documentation, as in ccxt 4.5.90; asking for more is refused or silently cut.
PAGE = {
    "kraken": 720, "coinbase": 300, "okx": 300, "binance": 1000, "bybit": 1000, "kucoin": 1500, "binanceusdm": 1000,
    "hyperliquid": 5000,
}  # fmt: skip
KEPT = {"kraken": 720, "hyperliquid": 5000}
# OKX gives 300 recent candles a call, but 100 of its history: so many may mean that there are more.
LEAST = {**PAGE, "okx": 100}
END_WANTED = ("bybit", "kucoin", "hyperliquid", "binance", "binanceusdm")  # without one these answer up to now

Rows = list[list[Any]]


@dataclass(frozen=True)
class Page:
    """Candles that open from `since` on, up to the page before; `share` of the span is done. All times in ms."""

    rows: Rows
    since: int
    share: float


def reach(exchange: str, newest: int, step: int) -> int | None:
    """Open time of the oldest finished candle that the exchange still has, or None when it keeps all of them.

    newest : open time of the newest finished candle; the unfinished one counts among those kept
    """
    kept = KEPT.get(exchange)
    return None if kept is None else newest - (kept - 2) * step


def request(exchange: str, start: int, end: int, step: int) -> tuple[int, dict[str, Any]]:
    """(limit, further parameters) of one ccxt `fetch_ohlcv` for the candles that open from `start` to `end`."""
    limit = (end - start) // step + 1
    # At the end of the last candle, not on an open: that would add a candle where ends are included, and KuCoin
    # leaves out a candle that opens at the end.
    params = {"until": end + step - 1} if exchange in END_WANTED else {}
    return max(limit, 2), params  # some exchanges answer nothing to a limit of 1


async def walk(
    exchange: str, start: int, end: int, step: int, ask: Callable[[int, int], Awaitable[Rows]]
) -> AsyncIterator[Page]:
    """The span from `start` to `end` (open times, both included) page by page, the newest page first.

    ask(start, end) gives the rows of one request; it may give fewer than the window holds (OKX) or repeat a candle
    until the page is full: what was cut off is asked for again. The walk ends early at a listing, see EMPTY_MS.
    """
    first, last = max(start, EARLIEST_MS), end
    whole = max(last - first + step, step)
    oldest_seen: int | None = None
    while last >= first:
        low = max(first, last - (PAGE[exchange] - 1) * step)
        rows, covered = await _window(exchange, low, last, step, ask)
        if rows:
            oldest_seen = min(int(row[0]) for row in rows)
        elif oldest_seen is not None and oldest_seen - covered > EMPTY_MS:
            covered = first
        last = covered - step
        done = last < first
        yield Page(rows, start if done else covered, 1.0 if done else (end - last) / whole)


async def _window(
    exchange: str, low: int, high: int, step: int, ask: Callable[[int, int], Awaitable[Rows]]
) -> tuple[Rows, int]:
    """(rows of one window, from when on they are complete)."""
    batch = await ask(low, high)
    rows = [row for row in batch if low <= row[0] <= high]
    if not rows:
        return [], low
    full = len(batch) >= min((high - low) // step + 1, LEAST[exchange])
    newest, oldest = max(int(row[0]) for row in rows), min(int(row[0]) for row in rows)
    repeated = len({row[0] for row in rows}) < len(rows)
    if full and repeated and newest < high:  # repeats crowded the newest candles out of the page
        rows += (await _window(exchange, newest + step, high, step, ask))[0]
    return rows, oldest if full else low
