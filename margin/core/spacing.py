"""How far apart the rows of a price table are, and daily closes out of finer ones. Rows are never taken for days.

Stamps are UTC and tz-naive. A coin trades seven days a week, a stock five: a step over a weekend is one step of a
stock. What is coarser than daily is refused, because a weekly return counted as a day's is 2.6 times too large.
"""

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
FINER_HOURS = 20.0  # a median step below this is finer than daily
COARSER_DAYS = 1.5  # a median step of so many trading days or more is coarser
WEEKEND_SHARE = 0.05  # fewer weekend days than this: a five-day market
DENSE = 0.6  # closes on this share of all calendar days cannot be coarser than daily (five of seven are 0.71)
# Zones whose midnight, written in UTC, changes between winter and summer: daily stamps that follow it are theirs.
EASTERN_ZONES = (
    "Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Jerusalem", "Australia/Sydney", "Australia/Adelaide",
    "Pacific/Auckland",
)  # fmt: skip


@dataclass(frozen=True)
class Spacing:
    """`kind` of a series' rows beside daily ones; `hours` is the median step, calendar time."""

    kind: Literal["finer", "daily", "coarser"]
    hours: float

    def __str__(self) -> str:
        for unit, size in (("day", 24.0), ("hour", 1.0), ("minute", 1 / 60)):
            if self.hours >= size * 0.99 or unit == "minute":
                count = round(self.hours / size, 1)
                return f"{count:g} {unit}{'' if count == 1 else 's'}"
        raise AssertionError("unreachable")


def ascending(values: np.ndarray) -> np.ndarray:
    """The different values in ascending order, as `np.unique` gives them; a fraction of its time where they are so."""
    if len(values) < 2:
        return values
    rises = values[1:] > values[:-1]
    if rises.all():
        return values
    if not (rises | (values[1:] == values[:-1])).all():
        values = np.sort(values)
        rises = values[1:] > values[:-1]
    different: np.ndarray = values[np.append(True, rises)]
    return different


def measure(stamps: np.ndarray) -> Spacing:
    """The spacing of one series. stamps : datetime64, in any order; fewer than three say nothing and count as daily."""
    known = ascending(stamps[~np.isnat(stamps)].astype("datetime64[s]"))
    if len(known) < 2:
        return Spacing("daily", 24.0)
    hours = float(np.median(np.diff(known) / HOUR))
    if hours < FINER_HOURS:
        return Spacing("finer", hours)
    days = ascending(days_of(known))
    if len(days) < 3:
        return Spacing("daily", 24.0)
    weekday = (days.astype(np.int64) + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday
    five_day_week = float((weekday >= 5).mean()) <= WEEKEND_SHARE
    steps = np.busday_count(days[:-1], days[1:]) if five_day_week else np.diff(days) / DAY
    usual = float(np.min(steps) if len(steps) < 4 else np.median(steps))  # two or three steps: every one must be long
    if usual >= COARSER_DAYS:
        return Spacing("coarser", float(np.median(np.diff(days) / DAY)) * 24.0)
    return Spacing("daily", 24.0)


def too_coarse(stamps: np.ndarray) -> Spacing | None:
    """The spacing of a series that is coarser than daily, also one of bursts of finer rows; None when it is daily."""
    found = measure(stamps)
    if found.kind == "finer":
        found = measure(ascending(stamps.astype("datetime64[D]")))
    return found if found.kind == "coarser" else None


def days_of(stamps: np.ndarray) -> np.ndarray:
    """The day (datetime64[D]) that each stamp of a daily series belongs to.

    Usually the calendar day of the stamp. The next day where the stamps are local midnights east of UTC: they follow a
    zone's change to summer time (22:00 and 23:00 in Frankfurt), or fall on Sunday to Thursday and never on Friday.
    """
    moments = stamps.astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    late = (moments - days) / HOUR
    known = late[~np.isnan(late)]
    if not len(known) or not (known > 0).any():
        return days
    if float(known.min()) >= 23.9:
        return days  # 23:59:59 is a close, not a midnight
    zone = _zone_of_midnights(moments, known)
    if zone is not None:
        local = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).tz_localize(None)
        return local.to_numpy().astype("datetime64[D]")
    if float(known.min()) >= 10.0:
        weekday = (days[~np.isnat(days)].astype(np.int64) + 3) % 7
        counts = np.bincount(weekday, minlength=7)
        if counts[6] > 0 and counts[4] == 0 and counts[5] == 0:
            return days + DAY
    return days


def _zone_of_midnights(moments: np.ndarray, hours: np.ndarray) -> str | None:
    """The zone in which every stamp is a midnight though not every one is the same hour of UTC."""
    distinct = np.unique(hours)
    if len(distinct) != 2 or (not np.isclose(distinct[1] - distinct[0], 1.0) and set(distinct) != {0.0, 23.0}):
        return None
    index = pd.DatetimeIndex(moments[~np.isnat(moments)]).tz_localize("UTC")
    for zone in EASTERN_ZONES:
        try:
            local = index.tz_convert(ZoneInfo(zone))
        except ZoneInfoNotFoundError:  # a system without time zone data
            return None
        if bool((local == local.normalize()).all()):
            return zone
    return None


def last_day_is_open(stamps: np.ndarray, hours: float) -> bool:
    """Whether the last day of a finer series is not over: it ends earlier in the day than the days before it did.

    stamps : datetime64, ascending; hours : their median step
    """
    days = stamps.astype("datetime64[D]")
    ends = np.append(days[1:] != days[:-1], True)
    time_of_day = ((stamps - days) / HOUR)[ends]
    usual = float(np.median(time_of_day[:-1])) if len(time_of_day) > 1 else 24.0 - hours
    return bool(time_of_day[-1] + 0.5 * hours < usual)


def is_dense(stamps: np.ndarray) -> bool:
    """Whether there are so many days that the series cannot be coarser than daily. Costs next to nothing."""
    if not len(stamps):
        return True
    span = float((stamps[-1] - stamps[0]) / DAY) + 1.0
    return len(stamps) >= DENSE * span
