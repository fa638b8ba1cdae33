"""Hourly candles of the store beside daily ones: whole days of them fill what the daily series lacks."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from data.cleaning.clean import aware, clean_candles
from data.model import Finding, SeriesKey
from data.store.store import StoredSeries

LAST_HOUR = 23  # opens the candle whose close is the day's
SEAM = 0.02  # the same closes where both have one, within this in the median
MOST_KEPT = 64
_made: dict[SeriesKey, "Hours"] = {}


@dataclass(frozen=True, kw_only=True)
class Hours:
    """An hourly series: its cleaned closes by hour, and the daily candles they make; `fresh`: nothing newer is due."""

    key: SeriesKey
    fetched_at: datetime
    closes: pd.Series
    days: pd.DataFrame
    fresh: bool
    mark: Hashable


def hours_of(key: SeriesKey, series: StoredSeries, asset: str, fresh: bool) -> Hours:
    """The series with its days; kept, for a store is looked at every minute and its hours seldom change."""
    mark = hash(series.candles["close"].to_numpy().tobytes()), series.fetched_at, fresh
    known = _made.get(key)
    if known is not None and known.mark == mark:
        return known
    clean, _ = clean_candles(series.candles, asset, "1h", series.fetched_at)
    made = Hours(
        key=key, fetched_at=series.fetched_at, mark=mark, closes=clean["close"], days=daily_of(clean),
        fresh=fresh,
    )  # fmt: skip
    _made[key] = made
    while len(_made) > MOST_KEPT:
        _made.pop(next(iter(_made)), None)
    return made


def daily_of(hourly: pd.DataFrame) -> pd.DataFrame:
    """Daily candles [day x open, high, low, close, volume] of cleaned hourly ones.

    A day has a close where its last hour, from 23:00 UTC, has one: that hour's. Open, high, low and volume need all 24
    hours; else they are NaN. The volume is in units of the asset such that times the close it is the day's dollars.
    """
    stamps = pd.DatetimeIndex(hourly.index)
    day = stamps.floor("D")
    closes = hourly["close"][stamps.hour == LAST_HOUR]
    closes.index = pd.DatetimeIndex(closes.index).floor("D")
    grouped = hourly.groupby(day)
    sides = {"open": grouped["open"].first(), "high": grouped["high"].max(), "low": grouped["low"].min()}
    traded = (hourly["close"] * hourly["volume"]).groupby(day).sum(min_count=24)
    out = pd.DataFrame({**sides, "volume": traded}).where(grouped["close"].count() == 24).reindex(closes.index)
    out["volume"] /= closes
    out["close"] = closes
    out.index = out.index.rename("date")
    return out[["open", "high", "low", "close", "volume"]]


def fitting(own: SeriesKey | None, daily: pd.DataFrame, candidates: Iterable[Hours]) -> Hours | None:
    """The hourly series that may stand beside the daily candles `daily` of `own`; None where none may.

    One may that has closes of the same days within 2% in the median, or that shares no day and is the same pair of the
    same source. The pair of the daily series is tried first, then fresh ones, then the longest. Without a daily series
    the first of them.
    """
    pair = None if own is None else (own.source, own.symbol)
    order = sorted(candidates, key=lambda h: ((h.key.source, h.key.symbol) != pair, not h.fresh, -len(h.days)))
    for hours in order:
        if len(hours.days) and (own is None or _agree(hours, daily, (hours.key.source, hours.key.symbol) == pair)):
            return hours
    return None


def _agree(hours: Hours, daily: pd.DataFrame, same_pair: bool) -> bool:
    shared = hours.days.index.intersection(daily.index)
    if not len(shared):
        return same_pair
    ratio = float(np.median(hours.days["close"][shared].to_numpy() / daily["close"][shared].to_numpy()))
    return abs(ratio - 1.0) < SEAM


def finding_of(asset: str, key: SeriesKey, days: pd.DatetimeIndex, alone: bool) -> Finding:
    """What is said of the days that hours gave; `alone`: there is no daily series."""
    beside = "no daily candles are stored" if alone else "the daily candles lack these days"
    return Finding(
        asset=asset, kind="resampled", count=len(days), first=aware(days[0]), last=aware(days[-1]), action="made daily",
        detail=f"the hour to 24:00 UTC of {key.source} {key.symbol} gives a day's close; {beside}",
    )  # fmt: skip
