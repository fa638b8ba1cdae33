"""Prices of many assets at once: from the store where it is fresh, from exchanges and Yahoo where it is not.

Several assets run side by side; each exchange has one client, whose rate limit all of them share. Every page that
arrives is stored before the next is asked for, so a stopped fetch goes on where it was.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

import pandas as pd

from data.cleaning import clean_candles, combine
from data.errors import FetchError
from data.exchanges import Client, Patience
from data.model import Finding, Interval, PriceSet, Provenance, SeriesKey, Status
from data.store import Store, StoredSeries, default_store
from data.universe import (
    EXCHANGES,
    PERPETUAL_ONLY,
    YAHOO,
    candidates,
    check_asset,
    check_exchanges,
    is_offline,
    order_for,
    step_ms,
)
from margin.errors import InputError

Progress = Callable[[str, float, str], None]
YAHOO_FRESH = timedelta(hours=6)  # a dividend changes every adjusted close, so the whole span is asked for again


@dataclass
class _Job:
    """What one call of fetch_prices carries around. Times are milliseconds of candle opens, both ends included."""

    interval: Interval
    since: int
    until: int
    now: datetime
    store: Store
    progress: Progress
    cancel: Event
    patience: Patience
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def step(self) -> int:
        return step_ms(self.interval)

    def client(self, exchange: str) -> Client:
        if exchange not in self.clients:
            self.clients[exchange] = Client(exchange, patience=self.patience)
        return self.clients[exchange]


@dataclass(frozen=True)
class _Found:
    """One asset's series and where it comes from."""

    key: SeriesKey
    series: StoredSeries
    status: Status
    note: str = ""
    findings: tuple[Finding, ...] = ()  # of this fetch alone: what the store cannot hold, such as a repeated candle


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

    exchanges : the fallback order (default: all); progress(asset, 0..1, text) is called from this thread
    cancel    : set it to stop soon; what came is stored and returned
    Raises InputError for unknown exchanges or bad asset names, never for a network failure. Not inside a running loop.
    """
    names = list(dict.fromkeys(check_asset(a) for a in assets))
    chosen = check_exchanges(None if exchanges is None else list(exchanges))
    moment = now or datetime.now(UTC)
    step = step_ms(interval)
    until = int(moment.timestamp() * 1000) // step * step - step
    since = until - max(int(days * 86_400_000) // step - 1, 0) * step
    job = _Job(
        interval,
        since,
        until,
        moment,
        store or default_store(),
        progress or (lambda *_: None),
        cancel or Event(),
        patience or Patience(),
    )
    found, failures = asyncio.run(_all(names, chosen, job))
    return _price_set(found, failures, job)


async def _all(names: list[str], exchanges: tuple[str, ...], job: _Job) -> tuple[dict[str, _Found], dict[str, str]]:
    try:
        results = await asyncio.gather(*(_one(name, exchanges, job) for name in names), return_exceptions=True)
    finally:
        await asyncio.gather(*(client.__aexit__() for client in job.clients.values()), return_exceptions=True)
    found, failures = {}, {}
    for name, result in zip(names, results, strict=True):
        if isinstance(result, _Found):
            found[name] = result
        elif isinstance(result, FetchError):
            failures[name] = result.message
        else:
            assert isinstance(result, BaseException)
            raise result
    return found, failures


async def _one(asset: str, exchanges: tuple[str, ...], job: _Job) -> _Found:
    """The asset from the first place that has it; a stored series, however old, when none answers."""
    job.progress(asset, 0.0, "waiting")
    reasons: list[str] = []
    best: _Found | None = None
    order = order_for(asset, exchanges, (job.until - job.since) // job.step + 1)
    for source in [*order, *([YAHOO] if YAHOO not in order else [])]:
        if source == YAHOO and YAHOO not in order and any(" does not list " not in reason for reason in reasons):
            continue  # a coin that an exchange lists is not a ticker; Yahoo is for what none of them knows
        kept = _kept(source, asset, job)
        if kept is not None and _is_fresh(kept, source, job):
            job.progress(asset, 1.0, f"stored, from {source}")
            return _Found(kept[0], kept[1], "stored")
        if not is_offline() and not job.cancel.is_set():
            try:
                found = await (_from_yahoo(asset, job) if source == YAHOO else _from_exchange(source, asset, kept, job))
            except FetchError as error:
                reasons.append(error.message)
            else:
                reaches = _reaches(found, job)
                best = found if best is None or _reaches(best, job) < reaches else best
                if reaches >= 1.0 or job.cancel.is_set():
                    break
                continue
        if kept is not None:
            stale = _Found(*kept, "stale", _age(kept[1], job))
            best = best or stale
    if best is None:
        reason = "MARGIN_OFFLINE is set and nothing is stored for it" if is_offline() else _summary(asset, reasons)
        job.progress(asset, 1.0, "not found")
        raise FetchError(asset, ", ".join(order), "empty", reason or "stopped before anything came")
    job.progress(asset, 1.0, f"{'stopped, ' if job.cancel.is_set() else ''}{best.status}, from {best.key.source}")
    return best


def _summary(asset: str, reasons: list[str]) -> str:
    """Why nobody had the asset; those that merely do not list it in one clause."""
    told = [r for r in dict.fromkeys(reasons) if " does not list " not in r]
    unlisted = [r.partition(" ")[0] for r in dict.fromkeys(reasons) if " does not list " in r]
    return "; ".join([*told, *([f"{asset} is not listed in dollars on {', '.join(unlisted)}"] if unlisted else [])])


def _kept(source: str, asset: str, job: _Job) -> tuple[SeriesKey, StoredSeries] | None:
    for symbol in [asset] if source == YAHOO else candidates(source, asset):
        key = SeriesKey(source, symbol, job.interval)
        series = job.store.read(key)
        if series is not None and len(series.candles):
            return key, series
    return None


def _is_fresh(kept: tuple[SeriesKey, StoredSeries], source: str, job: _Job) -> bool:
    series = kept[1]
    since = None if series.complete_since is None else int(series.complete_since.timestamp() * 1000)
    if since is None or since > job.since:
        return False
    if source == YAHOO:
        return job.now - series.fetched_at < YAHOO_FRESH
    asked_until = int(series.fetched_at.timestamp() * 1000) // job.step * job.step - job.step
    return asked_until >= job.until


async def _from_exchange(exchange: str, asset: str, kept: tuple[SeriesKey, StoredSeries] | None, job: _Job) -> _Found:
    """Only what is missing: the older part when the store does not reach back far enough, then the newer part."""
    client = job.client(exchange)
    symbol = await client.symbol(asset)
    key = SeriesKey(exchange, symbol, job.interval)
    spans = _missing(kept[1] if kept is not None and kept[0] == key else None, job)
    short = False
    findings: list[Finding] = []
    for number, (start, end) in enumerate(spans):

        def report(share: float, number: int = number) -> None:
            job.progress(asset, (number + share) / len(spans), f"{exchange} {symbol}")

        report(0.0)
        try:
            got = await client.candles(asset, job.interval, start, end, report, job.cancel)
        except FetchError as error:
            if error.kind == "empty" and number + 1 < len(spans):
                continue  # nothing that old; the newer part may still come
            raise
        findings += _passing(got.frame, asset, job)
        short = short or got.short
        complete = None if got.cancelled or start > job.since else datetime.fromtimestamp(job.since / 1000, UTC)
        job.store.append(key, got.frame, job.now, complete)  # as it came: cleaning, with its report, is done on reading
        if got.cancelled:
            break
    series = job.store.read(key)
    if series is None or not len(series.candles):
        raise FetchError(asset, exchange, "empty", f"{exchange} returned no usable candles of {symbol}")
    kept_only = f"{exchange} keeps only the newest {len(series.candles)} candles" if short else ""
    return _Found(key, series, "live", kept_only, tuple(findings))


def _passing(frame: pd.DataFrame, asset: str, job: _Job) -> list[Finding]:
    """What cleaning finds in an answer and can no longer find once the store has put it in order."""
    _, findings = clean_candles(frame, asset, job.interval, job.now)
    return [f for f in findings if f.kind in ("duplicate", "unsorted", "bad time")]


def _missing(series: StoredSeries | None, job: _Job) -> list[tuple[int, int]]:
    """Spans of candle opens to ask for. The newest stored candle is asked for again: it joins old and new."""
    if series is None or series.complete_since is None or not len(series.candles):
        return [(job.since, job.until)]
    first, last = (int(t.timestamp() * 1000) for t in (series.candles.index[0], series.candles.index[-1]))
    complete = int(series.complete_since.timestamp() * 1000)
    spans = [(job.since, min(first, complete) - job.step)] if job.since < complete else []
    spans = [span for span in spans if span[0] <= span[1]]
    return [*spans, (min(last, job.until), job.until)]


async def _from_yahoo(asset: str, job: _Job) -> _Found:
    from data.yahoo import fetch_yahoo, whole_series

    job.progress(asset, 0.1, "Yahoo")
    since, until = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (job.since, job.until + job.step))
    try:
        frame = await asyncio.to_thread(fetch_yahoo, asset, job.interval, since, until)
    except InputError as error:
        raise FetchError(asset, YAHOO, "not listed", f"{asset} {error.problem}") from error
    key = SeriesKey(YAHOO, asset, job.interval)
    frame = frame[frame.index <= pd.Timestamp(job.until, unit="ms")]  # the newest may still be open
    findings = _passing(frame, asset, job)
    kept = job.store.read(key)
    job.store.append(key, whole_series(None if kept is None else kept.candles, frame), job.now, since)
    series = job.store.read(key)
    if series is None or not len(series.candles):
        raise FetchError(asset, YAHOO, "empty", f"Yahoo returned no usable prices of {asset}")
    return _Found(key, series, "live", findings=tuple(findings))


def _reaches(found: _Found, job: _Job) -> float:
    """The share of the span that the series covers; an asset listed later than `since` still counts as covered."""
    first = int(found.series.candles.index[0].timestamp() * 1000)
    if not found.note or first <= job.since + job.step:
        return 1.0
    return (job.until - first) / max(job.until - job.since, 1)


def _age(series: StoredSeries, job: _Job) -> str:
    age = job.now - series.fetched_at
    text = f"{age.days} days" if age.days else f"{int(age.total_seconds() // 3600)} hours"
    return f"stored {text} ago; nothing newer could be fetched"


def _price_set(found: dict[str, _Found], failures: dict[str, str], job: _Job) -> PriceSet:
    frames: dict[str, pd.DataFrame] = {}
    provenance: dict[str, Provenance] = {}
    findings: list[Finding] = []
    for asset, item in found.items():
        times = pd.Timestamp(job.since, unit="ms"), pd.Timestamp(job.until, unit="ms")
        frame, noticed = clean_candles(item.series.candles.loc[times[0] : times[1]], asset, job.interval, job.now)
        frames[asset] = frame
        findings += [*item.findings, *noticed]
        provenance[asset] = _provenance(asset, item, frame, job.interval)
    return combine(frames, provenance, findings, job.interval, failures)


def _provenance(asset: str, item: _Found, frame: pd.DataFrame, interval: Interval) -> Provenance:
    ends = (
        [t.to_pydatetime().replace(tzinfo=UTC) for t in (frame.index[0], frame.index[-1])] if len(frame) else [None] * 2
    )
    notes = [item.note, quote_note(item.key)]
    return Provenance(
        asset,
        item.key.source,
        item.key.symbol,
        interval,
        item.status,
        item.series.fetched_at,
        ends[0],
        ends[1],
        len(frame),
        "; ".join(note for note in notes if note),
    )


def quote_note(key: SeriesKey) -> str:
    """What a reader must know about the pair: a dollar stablecoin taken as a dollar, a perpetual taken as spot."""
    if key.source == YAHOO:
        return "adjusted for dividends and splits"
    quote = key.symbol.partition("/")[2].partition(":")[0]
    notes = [f"{quote} taken as USD"] if quote != "USD" else []
    return "; ".join([*notes, *(["perpetual, not spot"] if key.source in PERPETUAL_ONLY else [])])


def stored_prices(store: Store, interval: Interval = "1d", now: datetime | None = None) -> PriceSet:
    """Everything the store holds, marked stored or stale. Of several series of an asset the one that reaches the latest
    candle counts, then the longest, then the usual order of exchanges."""
    moment = now or datetime.now(UTC)
    step = step_ms(interval)
    until = int(moment.timestamp() * 1000) // step * step - step
    order = {name: i for i, name in enumerate((*EXCHANGES, YAHOO))}
    best: dict[str, tuple[tuple[pd.Timestamp, int, int], SeriesKey, StoredSeries]] = {}
    for key in store.keys():  # noqa: SIM118  a method of the store, not of a dict
        series = store.read(key) if key.interval == interval else None
        if series is None or not len(series.candles):
            continue
        asset = key.symbol.partition("/")[0]
        rank = (series.candles.index[-1], len(series.candles), -order.get(key.source, 99))
        if asset not in best or rank > best[asset][0]:
            best[asset] = (rank, key, series)
    frames, provenance, findings = {}, {}, []
    for asset, (_, key, series) in sorted(best.items()):
        asked = int(series.fetched_at.timestamp() * 1000) // step * step - step
        fresh = moment - series.fetched_at < YAHOO_FRESH if key.source == YAHOO else asked >= until
        frames[asset], noticed = clean_candles(series.candles, asset, interval, moment)
        findings += noticed
        age = moment - series.fetched_at
        note = (
            "" if fresh else f"fetched {age.days} days ago" if age.days else f"fetched {age.seconds // 3600} hours ago"
        )
        item = _Found(key, series, "stored" if fresh else "stale", note)
        provenance[asset] = _provenance(asset, item, frames[asset], interval)
    return combine(frames, provenance, findings, interval, {})
