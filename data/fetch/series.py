"""Of several series of one asset: which one counts, what is put before it, and what a reader is told about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from data.cleaning.clean import clean_candles, combine
from data.exchange.registry import SOURCES, YAHOO, exchanges, kept
from data.model import Finding, Interval, PriceSet, Provenance, SeriesKey, Status
from data.store.store import Store, StoredSeries
from data.universe import FUNDS, STABLECOINS, step_ms

YAHOO_FRESH = timedelta(hours=6)  # a dividend changes every adjusted close, so the whole span is asked for again
SEAM = 0.02  # two series are one asset when their closes where they meet differ by less


@dataclass(frozen=True)
class Span:
    """The candles wanted: open times of the first and the last, both included, in ms; `now` is aware."""

    interval: Interval
    since: int
    until: int
    now: datetime

    @property
    def step(self) -> int:
        """Milliseconds of one candle."""
        return step_ms(self.interval)

    @property
    def candles(self) -> int:
        """Candles from first to last, both counted."""
        return (self.until - self.since) // self.step + 1


def span_of(interval: Interval, days: float, now: datetime) -> Span:
    """The last `days` days of finished candles."""
    step = step_ms(interval)
    until = int(now.timestamp() * 1000) // step * step - step
    return Span(interval, until - max(int(days * 86_400_000) // step - 1, 0) * step, until, now)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One asset's series and where it comes from; `older` is put before it where it begins too late."""

    key: SeriesKey
    series: StoredSeries
    status: Status
    note: str = ""
    older: "Found | None" = None

    @property
    def first(self) -> int:
        """Open time of the oldest candle, ms."""
        return _ms(self.series.candles.index[0])

    @property
    def last(self) -> int:
        """Open time of the newest candle, ms."""
        return _ms(self.series.candles.index[-1])

    @property
    def findings(self) -> list[Finding]:
        """What the fetches of these candles noticed, stored with them; of a hole what is still missing of it."""
        older = [] if self.older is None else self.older.findings
        there = self.series.candles.index
        return [*(n for note in self.series.notes if (n := _still(note, there)) is not None), *older]

    @property
    def candles(self) -> pd.DataFrame:
        """The series with the older one's candles in front."""
        own = self.series.candles
        if self.older is None:
            return own
        before = self.older.candles
        edge = pd.Timestamp(whole_from(self), unit="ms")
        return pd.concat([before[(before.index < edge) & ~before.index.isin(own.index)], own]).sort_index()


def asked_from(series: StoredSeries) -> int | None:
    """From when on everything was asked for, in ms; None when that is not known."""
    return None if series.complete_since is None else int(series.complete_since.timestamp() * 1000)


def asked_until(series: StoredSeries, step: int) -> int:
    """Open time of the newest candle that was finished when the series was fetched."""
    return int(series.fetched_at.timestamp() * 1000) // step * step - step


def whole_from(found: Found) -> int:
    """From when on a series has no hole that an exchange left, in ms: candles before its promise may have some."""
    asked = asked_from(found.series)
    return found.first if asked is None else max(found.first, asked)


def is_fresh(found: Found, span: Span) -> bool:
    """Whether nothing newer can be had: every finished candle was asked for, or for Yahoo lately enough."""
    if found.key.source == YAHOO:
        return span.now - found.series.fetched_at < YAHOO_FRESH
    return asked_until(found.series, span.step) >= span.until


def is_short(found: Found, span: Span) -> bool:
    """Whether the source may have older candles than these, or keeps none so old; not so for a late listing."""
    asked = asked_from(found.series)
    if found.first <= span.since:
        return asked is not None and asked > max(found.first, span.since)
    if asked is None or asked > span.since:
        return True
    most = kept(found.key.source)
    return most is not None and len(found.series.candles) >= most - 2


def best(candidates: Iterable[Found], span: Span) -> Found | None:
    """The first of the candidates, which come in order of preference, with older candles of another put before it.

    Stale ones count only where there is no other: among them the one that reaches furthest. What is put in front must
    overlap and agree where the two meet, else a redenominated or renamed coin would be joined to another one.
    """
    usable = [c for c in candidates if c.last >= span.since and c.first <= span.until]
    current = [c for c in usable if c.status != "stale"]
    if not current:
        usable.sort(key=lambda c: -c.last)  # a stable sort: among equals the preferred one stays first
    if not usable:
        return None
    chosen = (current or usable)[0]
    if not is_short(chosen, span):
        return chosen
    return _extended(chosen, usable, span)


def _extended(chosen: Found, others: Iterable[Found], span: Span) -> Found:
    edge = whole_from(chosen)
    longer = sorted((c for c in others if c.first < edge and c is not chosen), key=lambda c: max(c.first, span.since))
    for other in longer:
        if _meet(other.series.candles, chosen.series.candles):
            rest = [c for c in others if c is not other]
            older = _extended(other, rest, span) if is_short(other, span) else other
            return replace(chosen, older=older)
    return chosen


def _meet(older: pd.DataFrame, newer: pd.DataFrame) -> bool:
    """Whether the median ratio of closes over the first days that both have is close to one."""
    shared = older.index.intersection(newer.index)[:7]
    if not len(shared):
        return False
    ratio = (older["close"][shared] / newer["close"][shared]).median()
    return bool(abs(ratio - 1.0) < SEAM)


def reaches(found: Found, span: Span) -> bool:
    """Whether asking further sources could give no older candles."""
    return not is_short(found, span) or (found.older is not None and reaches(found.older, span))


def _still(note: Finding, there: pd.Index) -> Finding | None:
    """A note as it stands now: a hole that was filled since is none, one filled in part is smaller."""
    if note.kind != "hole" or note.first is None or note.last is None:
        return note
    first, last = (pd.Timestamp(t).tz_convert("UTC").tz_localize(None) for t in (note.first, note.last))
    left = note.count - int(((there >= first) & (there <= last)).sum())
    return replace(note, count=left) if left > 0 else None


def price_set(
    found: dict[str, Found], failures: dict[str, str], interval: Interval, now: datetime, span: Span | None = None
) -> PriceSet:
    """Cleaned closes and volumes of all assets with their provenance, within the span where one is given."""
    frames, provenance, findings = {}, {}, []
    for asset, item in found.items():
        candles = item.candles
        if span is not None:
            candles = candles.loc[pd.Timestamp(span.since, unit="ms") : pd.Timestamp(span.until, unit="ms")]
        frames[asset], noticed = clean_candles(candles, asset, interval, now)
        findings += [*item.findings, *noticed, *_joined(asset, item, frames[asset])]
        provenance[asset] = _provenance(asset, item, frames[asset], interval, span)
    return combine(frames, provenance, findings, interval, failures)


def _joined(asset: str, item: Found, frame: pd.DataFrame) -> list[Finding]:
    if item.older is None:
        return []
    before = frame.index[~frame.index.isin(item.series.candles.index)]
    if not len(before):
        return []
    other = item.older.key
    detail = f"{item.key.source} {item.key.symbol} begins later; older closes from {other.source} {other.symbol}"
    return [
        Finding(
            asset=asset,
            kind="joined",
            count=len(before),
            first=_aware(before[0]),
            last=_aware(before[-1]),
            action="put in front",
            detail=detail,
        )
    ]


def _provenance(asset: str, item: Found, frame: pd.DataFrame, interval: Interval, span: Span | None) -> Provenance:
    first, last = (_aware(frame.index[0]), _aware(frame.index[-1])) if len(frame) else (None, None)
    notes = [item.note, quote_note(item.key)]
    if item.older is not None:
        other = item.older.key
        said = f"before {item.series.candles.index[0]:%Y-%m-%d} from {other.source} {other.symbol}"
        notes += [said, quote_note(other) if quote_note(other) != quote_note(item.key) else ""]
    elif span is not None and is_short(item, span):
        notes.append(_why_short(item))
    fetched = item.series.fetched_at
    text = "; ".join(note for note in notes if note)
    key = item.key
    return Provenance(
        asset=asset,
        source=key.source,
        symbol=key.symbol,
        interval=interval,
        status=item.status,
        fetched_at=fetched,
        first=first,
        last=last,
        rows=len(frame),
        note=text,
    )


def _why_short(item: Found) -> str:
    if (most := kept(item.key.source)) and len(item.series.candles) >= most - 2:
        return f"{item.key.source} keeps only the newest {most} candles"
    return "older candles were not fetched yet"


def quote_note(key: SeriesKey) -> str:
    """What a reader must know about the pair: a dollar stablecoin taken as a dollar, a perpetual taken as spot."""
    if key.source == YAHOO:
        ticker = "" if key.symbol in FUNDS else "no exchange lists it: Yahoo's ticker; "
        return f"{ticker}adjusted for dividends and splits"
    quote = key.symbol.partition("/")[2].partition(":")[0]
    perpetual = key.source in exchanges() and exchanges()[key.source].perpetual_quote
    notes = [f"{quote} taken as USD"] if quote != "USD" else []
    return "; ".join([*notes, *(["perpetual, not spot"] if perpetual else [])])


def age_text(age: timedelta) -> str:
    """'3 days', '5 hours'."""
    count, unit = (age.days, "day") if age.days else (int(age.total_seconds() // 3600), "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def stored_prices(store: Store, interval: Interval = "1d", now: datetime | None = None) -> PriceSet:
    """Everything the store holds, marked stored or stale. Of several series of an asset the one that reaches the latest
    candle counts (for a stablecoin, of those the one against the real dollar), then the longest, then the usual order
    of sources; another that reaches further back is put before it."""
    moment = now or datetime.now(UTC)
    by_asset: dict[str, list[Found]] = {}
    latest = span_of(interval, 1, moment)
    for key in store.keys():  # noqa: SIM118  a method of the store, not of a dict
        series = store.read(key) if key.interval == interval else None
        if series is None or not len(series.candles):
            continue
        found = Found(key=key, series=series, status="stored")
        if not is_fresh(found, latest):
            found = replace(found, status="stale", note=f"fetched {age_text(moment - series.fetched_at)} ago")
        by_asset.setdefault(key.symbol.partition("/")[0], []).append(found)
    chosen: dict[str, Found] = {}
    for asset, items in sorted(by_asset.items()):
        items.sort(key=lambda item: _rank(asset, item), reverse=True)
        whole = replace(latest, since=min(item.first for item in items))
        chosen[asset] = _extended(items[0], items[1:], whole) if is_short(items[0], whole) else items[0]
    return price_set(chosen, {}, interval, moment)


def _rank(asset: str, item: Found) -> tuple[int, bool, int, int]:
    dollar = asset in STABLECOINS and item.key.symbol.endswith("/USD")
    order = -SOURCES.index(item.key.source) if item.key.source in SOURCES else -99
    return item.last, dollar, len(item.series.candles), order


def _ms(moment: pd.Timestamp) -> int:
    return int(moment.timestamp() * 1000)


def _aware(moment: pd.Timestamp) -> datetime:
    return moment.to_pydatetime().replace(tzinfo=UTC)
