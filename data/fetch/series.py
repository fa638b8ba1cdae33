"""Of several series of one asset: which one counts, and what is put before it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from data.exchange.registry import YAHOO, kept
from data.model import Finding, Interval, SeriesKey, Status
from data.store.store import StoredSeries
from data.universe import step_ms

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
        return ms(self.series.candles.index[0])

    @property
    def last(self) -> int:
        """Open time of the newest candle, ms."""
        return ms(self.series.candles.index[-1])

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
    return extended(chosen, usable, span)


def extended(chosen: Found, others: Iterable[Found], span: Span) -> Found:
    """The chosen series with older candles of the longest other one that agrees with it where the two meet."""
    edge = whole_from(chosen)
    longer = sorted((c for c in others if c.first < edge and c is not chosen), key=lambda c: max(c.first, span.since))
    for other in longer:
        if _meet(other.series.candles, chosen.series.candles):
            rest = [c for c in others if c is not other]
            older = extended(other, rest, span) if is_short(other, span) else other
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


def age_text(age: timedelta) -> str:
    """'3 days', '5 hours'."""
    count, unit = (age.days, "day") if age.days else (int(age.total_seconds() // 3600), "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def ms(moment: pd.Timestamp) -> int:
    """A tz-naive UTC moment in milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
