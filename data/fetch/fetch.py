"""Prices of many assets at once: from the store where it is fresh, from exchanges and Yahoo where it is not.

Several assets run side by side; each exchange has one client, whose rate limit all of them share. Every page that
arrives is stored before the next is asked for, so a stopped fetch goes on where it was.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

from data.errors import FetchError
from data.exchange.client import Patience
from data.exchange.event_loop import run
from data.exchange.registry import EXCHANGES, YAHOO, candidates, check_exchanges, order_for
from data.fetch.parts import missing
from data.fetch.series import Found, Span, age_text, best, is_fresh, reaches, span_of
from data.fetch.sets import price_set, stored_hours, stored_prices
from data.fetch.sources import Job, Progress, fetch_from
from data.model import Interval, PriceSet, SeriesKey
from data.store.store import Store, default_store
from data.universe import CRYPTO, STABLECOINS, check_asset, is_offline
from margin.formats.price_words import KNOWN, SHARES

__all__ = ["Progress", "fetch_prices", "stored_prices"]

WATCH_SECONDS = 0.05  # how often a running fetch looks whether it was cancelled


def fetch_prices(
    assets: Iterable[str],
    days: int = 730,
    interval: Interval = "1d",
    exchanges: Iterable[str] | None = None,
    store: Store | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
    patience: Patience | None = None,
) -> PriceSet:
    """Closes and volumes of `assets` over the last `days` days; what could not be had is in `failures`, with why.

    exchanges : the fallback order (default: all of EXCHANGES); "yahoo" may be among them
    progress  : called as progress(asset, 0..1, text) from this thread
    cancel    : set it to stop within a moment, even while an exchange is silent; what came is stored and returned
    Raises InputError for unknown exchanges or bad asset names, never for a network failure. Not inside a running loop.
    """
    names = list(dict.fromkeys(check_asset(a) for a in assets))
    chosen = check_exchanges(exchanges)
    span = span_of(interval, days, now or datetime.now(UTC))
    stop = cancel or Event()
    job = Job(
        span=span,
        store=store or default_store(),
        progress=progress or (lambda *_: None),
        cancel=stop,
        patience=patience or Patience(),
    )
    found, failures = run(_all(names, chosen, job))
    hours = stored_hours(job.store, span.now, names) if interval == "1d" else None
    return price_set(found, failures, interval, span.now, span, hours)


async def _all(names: list[str], sources: tuple[str, ...], job: Job) -> tuple[dict[str, Found], dict[str, str]]:
    tasks = [asyncio.create_task(_one(name, sources, job)) for name in names]
    watch = asyncio.create_task(_watch(job.cancel, tasks))
    try:
        results = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        watch.cancel()
        await asyncio.gather(watch, *(client.close() for client in job.clients.values()), return_exceptions=True)
    found, failures = {}, {}
    for name, result in zip(names, results, strict=True):
        if isinstance(result, Found):
            found[name] = result
        elif isinstance(result, FetchError):
            failures[name] = result.message
        elif isinstance(result, asyncio.CancelledError):
            failures[name] = "stopped before anything came"
        else:
            raise result
    return found, failures


async def _watch(cancel: Event, tasks: list[asyncio.Task[Found]]) -> None:
    while not cancel.is_set():
        await asyncio.sleep(WATCH_SECONDS)
    for task in tasks:
        task.cancel()


async def _one(asset: str, sources: tuple[str, ...], job: Job) -> Found:
    """The asset from the store if that is fresh, else from the first source that has it, older candles from the next.

    What is stored counts, however old, when nobody answers. Raises FetchError with everybody's reason.
    """
    order = order_for(asset, sources, job.span.candles)
    places = order if YAHOO in order or _is_coin(asset) else [*order, YAHOO]
    kept = {source: found for source in places if (found := _kept(source, asset, job)) is not None}
    fresh = best([found for found in kept.values() if found.status == "stored"], job.span)
    if fresh is not None and reaches(fresh, job.span):
        job.progress(asset, 1.0, f"stored, from {fresh.key.source}")
        return fresh
    job.progress(asset, 0.0, "waiting")
    failures: list[FetchError] = []
    if not is_offline() and not job.cancel.is_set():
        with suppress(asyncio.CancelledError):  # stopped: what came is in the store
            await _ask(asset, order, kept, failures, job)
    got = best(kept.values(), job.span)
    if got is None:
        job.progress(asset, 1.0, "not found")
        reason = _summary(asset, failures) or "stopped before anything came"
        offline = "MARGIN_OFFLINE is set and nothing is stored for it"
        raise FetchError(asset, ", ".join(order), "empty", offline if is_offline() else reason)
    if got.status == "stale":
        age = age_text(job.span.now - got.series.fetched_at)
        got = replace(got, note=f"stored {age} ago; nothing newer could be fetched")
    stopped = "stopped, " if job.cancel.is_set() else ""
    job.progress(asset, 1.0, f"{stopped}{got.status}, from {got.key.source}")
    return got


async def _ask(asset: str, order: list[str], kept: dict[str, Found], failures: list[FetchError], job: Job) -> None:
    """Ask the sources in turn until the span is covered. `kept` takes what each gives, also what a failing one gave."""
    for source in order:
        if _is_covered(kept, job.span):
            return
        known = kept.get(source)
        if known is not None and known.status == "stored" and not missing(known.series, job.span):
            continue
        try:
            kept[source] = await fetch_from(source, asset, known, job)
        except FetchError as error:
            failures.append(error)
        finally:
            _reread(source, asset, kept, job)
    if YAHOO not in order and _may_be_a_ticker(asset, order, kept, failures):
        try:
            found = await fetch_from(YAHOO, asset, None, job)
            kept[YAHOO] = found
        except FetchError as error:
            failures.append(error)


def _is_covered(kept: dict[str, Found], span: Span) -> bool:
    whole = best(kept.values(), span)
    return whole is not None and whole.status != "stale" and reaches(whole, span)


def _may_be_a_ticker(asset: str, order: list[str], kept: dict[str, Found], failures: list[FetchError]) -> bool:
    """Whether a name may be looked up as a share: every exchange was asked and answered that it does not list it.

    A coin is never served by a share of the same ticker: not one we know, and not where an exchange was not asked (the
    user chose some) or gave no clear answer.
    """
    if _is_coin(asset) or any(source != YAHOO for source in kept) or set(order) != set(EXCHANGES):
        return False
    unlisted = {f.exchange for f in failures if f.kind == "not listed"}
    return unlisted >= set(order)


def _is_coin(asset: str) -> bool:
    return asset in CRYPTO or asset in STABLECOINS or (asset in KNOWN and asset not in SHARES)


def _summary(asset: str, failures: list[FetchError]) -> str:
    """Why nobody had the asset; those that merely do not list it in one clause."""
    told = list(dict.fromkeys(f.message for f in failures if f.kind != "not listed" or f.exchange == YAHOO))
    unlisted = list(dict.fromkeys(f.exchange for f in failures if f.kind == "not listed" and f.exchange != YAHOO))
    return "; ".join([*told, *([f"{asset} is not listed in dollars on {', '.join(unlisted)}"] if unlisted else [])])


def _kept(source: str, asset: str, job: Job) -> Found | None:
    """What the store holds of the asset from one source, "stored" when fresh, else "stale"."""
    for symbol in [asset] if source == YAHOO else candidates(source, asset):
        key = SeriesKey(source, symbol, job.span.interval)
        series = job.store.read(key)
        if series is not None and len(series.candles):
            found = Found(key=key, series=series, status="stored")
            return found if is_fresh(found, job.span) else replace(found, status="stale")
    return None


def _reread(source: str, asset: str, kept: dict[str, Found], job: Job) -> None:
    """After a failure or a stop midway: the store holds every page that came."""
    known = kept.get(source)
    if known is None or known.status != "live":
        now = _kept(source, asset, job)
        if now is not None:
            kept[source] = replace(now, status="live") if now.series.fetched_at >= job.span.now else now
