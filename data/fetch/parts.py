"""What the store lacks of a span, and what the exchange's pages are joined to."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from data.exchange.client import to_frame
from data.exchange.pagination import DAY_MS
from data.fetch.series import Span, asked_from, asked_until
from data.store.store import StoredSeries

LATE_MS = 7 * DAY_MS  # candles this much older than the last fetch are asked for again: an exchange may lag


@dataclass(frozen=True)
class Part:
    """A stretch to ask for, from `start` to `end` (ms, open times, both included).

    joint     : one stored candle, or none: the one the stretch is to be joined to without a hole
    closes_at : once the whole stretch is there, everything from here on was asked for
    older     : whether it lies before what is stored, not after
    """

    start: int
    end: int
    joint: pd.DataFrame
    closes_at: datetime
    older: bool = False


def missing(series: StoredSeries | None, span: Span) -> list[Part]:
    """What the store lacks of the span, the newer part first: it matters more when the fetch is stopped.

    The newest stored candle is asked for again: it joins old and new.
    """
    since = datetime.fromtimestamp(span.since / 1000, UTC)
    nothing = to_frame([])
    whole = [Part(span.since, span.until, nothing, since)]
    complete = None if series is None else asked_from(series)
    if series is None or complete is None or not len(series.candles):
        return whole
    last, asked = int(series.candles.index[-1].timestamp() * 1000), asked_until(series, span.step)
    if last < span.since - span.step:
        return whole
    parts = []
    if asked < span.until:
        start = max(min(last, span.until), asked - LATE_MS)
        promised = datetime.fromtimestamp(complete / 1000, UTC)
        parts.append(Part(start, span.until, series.candles.iloc[-1:], promised))
    if complete > span.since:
        joint = series.candles.loc[pd.Timestamp(complete, unit="ms") :].iloc[:1]
        parts.append(Part(span.since, min(complete - span.step, span.until), joint, since, older=True))
    return parts
