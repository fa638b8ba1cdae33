"""How many candles each exchange gives per request, which quirks it has, and the walk through a span, newest first.

Newest first, because a fetch that is stopped midway then holds the candles that matter most, and because what is stored
always reaches without a hole from some time up to now: the next fetch has one older part to ask for.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from data.exchange.registry import facts_of

DAY_MS = 86_400_000
EARLIEST_MS = 1_262_304_000_000  # 2010-01-01: no exchange is older
EMPTY_MS = 730 * DAY_MS  # nothing for this long before the oldest candle: the asset was not listed yet

HOLE = 10  # so many candles missing within a page are asked for again; fewer may be a market without trades
HOLES_TRIED = 3


Rows = list[list[Any]]


@dataclass(frozen=True)
class Page:
    """Candles of one window; `share` of the span is done. All times in ms.

    since : from when on everything was had without a hole, up to the newest
    holes : (open time of the first, of the last) of candles that stayed missing, also when asked for again
    """

    rows: Rows
    since: int
    share: float
    holes: tuple[tuple[int, int], ...] = ()


def reach(exchange: str, newest: int, step: int) -> int | None:
    """Open time of the oldest finished candle that the exchange still has, or None when it keeps all of them.

    newest : open time of the newest finished candle; the unfinished one counts among those kept
    """
    kept = facts_of(exchange).kept
    return None if kept is None else newest - (kept - 2) * step


def request(exchange: str, start: int, end: int, step: int) -> tuple[int, dict[str, Any]]:
    """(limit, further parameters) of one ccxt `fetch_ohlcv` for the candles that open from `start` to `end`."""
    limit = (end - start) // step + 1
    # At the end of the last candle, not on an open: that would add a candle where ends are included, and KuCoin
    # leaves out a candle that opens at the end.
    params = {"until": end + step - 1} if facts_of(exchange).end_wanted else {}
    return max(limit, 2), params  # some exchanges answer nothing to a limit of 1


async def walk(
    exchange: str, start: int, end: int, step: int, ask: Callable[[int, int], Awaitable[Rows]]
) -> AsyncIterator[Page]:
    """The span from `start` to `end` (open times, both included) page by page, the newest page first.

    ask(start, end) gives the rows of one request; it may give fewer than the window holds, at either end, or repeat a
    candle until the page is full: what is missing is asked for again, and a hole that stays is said and never counted
    as had. The walk ends early at a listing, see EMPTY_MS.
    """
    first, last = max(start, EARLIEST_MS), end
    whole = max(last - first + step, step)
    oldest_seen: int | None = None
    pinned: int | None = None  # from here on there is no hole
    while last >= first:
        low = max(first, last - (facts_of(exchange).page - 1) * step)
        rows = await _window(low, last, step, ask)
        covered = low
        holes: list[tuple[int, int]] = []
        if rows:
            until = oldest_seen or max(int(row[0]) for row in rows) + step
            rows, holes = await _filled(rows, until, step, ask)
            if holes:
                pinned = max(pinned or 0, holes[-1][1] + step)
            oldest_seen = min(int(row[0]) for row in rows)
            covered = max(oldest_seen, low)
        elif oldest_seen is not None and oldest_seen - covered > EMPTY_MS:
            covered = first
        last = covered - step
        done = last < first
        since = start if done else covered
        yield Page(rows, since if pinned is None else pinned, 1.0 if done else (end - last) / whole, tuple(holes))


async def _filled(
    rows: Rows, until: int, step: int, ask: Callable[[int, int], Awaitable[Rows]]
) -> tuple[Rows, list[tuple[int, int]]]:
    """The rows with what is missing up to `until` (excluded) asked for once more, and the holes that stay."""
    found = _holes(rows, until, step)
    for low, high in found[-HOLES_TRIED:]:
        rows = rows + await _window(low, high, step, ask)
    return rows, _holes(rows, until, step) if found else []


def _holes(rows: Rows, until: int, step: int) -> list[tuple[int, int]]:
    """Runs of HOLE missing candles and more within the rows, and of any length just before `until`."""
    times = sorted({int(row[0]) for row in rows})
    found = [(a + step, b - step) for a, b in itertools.pairwise(times) if b - a > HOLE * step]
    return found if times[-1] + step >= until else [*found, (times[-1] + step, until - step)]


async def _window(low: int, high: int, step: int, ask: Callable[[int, int], Awaitable[Rows]]) -> Rows:
    """The rows of one window; a page that ends before its end is asked for again from there, as long as that helps."""
    rows: Rows = []
    start, asked_twice = low, False
    while start <= high:
        batch = await ask(start, high)
        fresh = [row for row in batch if start <= row[0] <= high]
        if not fresh and rows and not asked_twice:
            asked_twice = True
            continue
        if not fresh:
            break
        rows += fresh
        start = max(int(row[0]) for row in fresh) + step
    return rows
