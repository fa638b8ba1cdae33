"""One asset from one source into the store: only what is missing, every page as it comes."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import TypeVar

import pandas as pd

from data.cleaning.clean import clean_candles
from data.errors import FetchError
from data.exchange.client import Client, Patience, to_frame
from data.exchange.registry import YAHOO
from data.fetch.parts import Part, missing
from data.fetch.series import Found, Span
from data.model import Finding, SeriesKey
from data.store.store import Store
from margin.core.errors import InputError

T = TypeVar("T")
Progress = Callable[[str, float, str], None]
YAHOO_AT_ONCE = 3


@dataclass(kw_only=True)
class Job:
    """What one call of fetch_prices carries around."""

    span: Span
    store: Store
    progress: Progress
    cancel: Event
    patience: Patience
    clients: dict[str, Client] = field(default_factory=dict)
    yahoo: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(YAHOO_AT_ONCE))

    def client(self, exchange: str) -> Client:
        """The one client of an exchange, opened when first asked for."""
        if exchange not in self.clients:
            self.clients[exchange] = Client(exchange, patience=self.patience)
        return self.clients[exchange]


async def fetch_from(source: str, asset: str, known: Found | None, job: Job) -> Found:
    """The asset's whole stored series after the fetch. Raises FetchError; what came before it is in the store."""
    try:
        if source == YAHOO:
            return await _from_yahoo(asset, job)
        return await _from_exchange(source, asset, known, job)
    except (FetchError, InputError):
        raise
    except Exception as error:  # one source's oddity must not take the others down
        raise FetchError(asset, source, "bad answer", f"{source} failed: {type(error).__name__}: {error}") from error


async def _from_exchange(exchange: str, asset: str, known: Found | None, job: Job) -> Found:
    """Only what is missing, every page stored as it comes."""
    client, span = job.client(exchange), job.span
    symbol = await client.symbol(asset)
    key = SeriesKey(exchange, symbol, span.interval)
    parts = missing(known.series if known is not None and known.key == key else None, span)
    sizes = [part.end - part.start + span.step for part in parts]
    for number, part in enumerate(parts):

        def report(share: float, number: int = number) -> None:
            done = sum(sizes[:number]) + share * sizes[number]
            job.progress(asset, min(done / sum(sizes), 1.0), f"{exchange} {symbol}")

        report(0.0)
        await _fill(client, key, asset, part, report, job)
    series = job.store.read(key)
    if series is None or not len(series.candles) or series.candles.index[-1] < pd.Timestamp(span.since, unit="ms"):
        raise FetchError(asset, exchange, "empty", f"{exchange} returned no candles of {symbol} for this span")
    return Found(key=key, series=series, status="live")


async def _fill(
    client: Client, key: SeriesKey, asset: str, part: Part, report: Callable[[float], None], job: Job
) -> None:
    """One part into the store, page by page, newest first, as it came: cleaning, with its report, is done on reading.

    Each page is stored with one candle of what it is joined to, so that the store knows that there is no hole between.
    """
    joint, seen, pinned = part.joint, part.older, False
    async for page in client.pages(asset, key.interval, part.start, part.end, job.span.until):
        frame = to_frame(page.rows)
        notes = _passing(frame, asset, job.span)
        notes += [_hole(asset, client.id, hole, job.span.step) for hole in page.holes]
        pinned = pinned or bool(page.holes)
        ended = page.share >= 1.0
        if len(frame) or (len(joint) and (seen or ended)):
            since = part.closes_at if ended and not pinned else datetime.fromtimestamp(page.since / 1000, UTC)
            together = pd.concat([joint, frame]) if len(joint) and (seen or ended) else frame
            job.store.append(key, together, job.span.now, since, notes)
        if len(frame):
            joint, seen = frame.sort_index().iloc[:1], True
        report(page.share)
        if job.cancel.is_set():
            raise asyncio.CancelledError


def _hole(asset: str, exchange: str, hole: tuple[int, int], step: int) -> Finding:
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in hole)
    detail = f"{exchange} left them out, also when asked again; they are asked for at the next fetch, and elsewhere"
    return Finding(
        asset=asset,
        kind="hole",
        count=(hole[1] - hole[0]) // step + 1,
        first=first,
        last=last,
        action="left empty",
        detail=detail,
    )


def _passing(frame: pd.DataFrame, asset: str, span: Span) -> list[Finding]:
    """What cleaning finds in an answer and can no longer find once the store has put it in order."""
    _, findings = clean_candles(frame, asset, span.interval, span.now)
    return [f for f in findings if f.kind in ("duplicate", "unsorted", "bad time")]


async def _from_yahoo(asset: str, job: Job) -> Found:
    from data.fetch.yahoo import fetch_yahoo, whole_series

    span = job.span
    since, until = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (span.since, span.until + span.step))
    async with job.yahoo:
        job.progress(asset, 0.1, "Yahoo")
        try:
            frame = await _in_thread(lambda: fetch_yahoo(asset, span.interval, since, until))
        except InputError as error:
            raise FetchError(asset, YAHOO, "not listed", f"{asset} {error.problem}") from error
    unit = str(frame.attrs.get("volume", ""))
    key = SeriesKey(YAHOO, asset, span.interval)
    frame = frame[frame.index <= pd.Timestamp(span.until, unit="ms")]  # the newest may still be open
    kept = job.store.read(key)
    whole = whole_series(None if kept is None else kept.candles, frame)
    job.store.append(key, whole, span.now, since, [*_passing(frame, asset, span), *_volume_finding(asset, unit)])
    series = job.store.read(key)
    if series is None or not len(series.candles):
        raise FetchError(asset, YAHOO, "empty", f"Yahoo returned no usable prices of {asset}")
    return Found(key=key, series=series, status="live")


def _volume_finding(asset: str, unit: str) -> list[Finding]:
    said = {
        "dollars": ("taken as dollars", "Yahoo counts a coin's volume in US dollars already"),
        "unknown": ("not used", "what Yahoo's volume of it counts cannot be told: contracts, or units of an index"),
    }
    if unit not in said:
        return []
    action, detail = said[unit]
    return [Finding(asset=asset, kind="volume", count=1, first=None, last=None, action=action, detail=detail)]


async def _in_thread(function: Callable[[], T]) -> T:
    """Like asyncio.to_thread, but a stopped fetch does not wait for the thread: it is left to its own time limit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if not future.done():
            future.set_result(result) if error is None else future.set_exception(error)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = function()
        except Exception as raised:  # handed over to the waiting task
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="yahoo").start()
    return await future
