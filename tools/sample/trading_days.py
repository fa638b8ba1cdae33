"""Days on which US stocks trade: weekdays without the exchange's holidays."""

from datetime import date, timedelta

import pandas as pd

# Closed once, by proclamation: the national day of mourning for President Carter.
ONE_OFF = {date(2025, 1, 9)}


def us_holidays(year: int) -> set[date]:
    """Full-day holidays of the New York Stock Exchange, as observed (rules in force since 2022)."""
    days = {
        _nth_weekday(year, 1, 0, 3),  # Martin Luther King Jr.
        _nth_weekday(year, 2, 0, 3),  # Washington's birthday
        easter(year) - timedelta(days=2),  # Good Friday
        _nth_weekday(year, 6, 0, 1) - timedelta(days=7),  # Memorial Day, the last Monday of May
        _nth_weekday(year, 9, 0, 1),  # Labor Day
        _nth_weekday(year, 11, 3, 4),  # Thanksgiving
        _observed(date(year, 7, 4)),
        _observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:  # a New Year's Day on a Saturday is not observed on the Friday before
        days.add(_observed(new_year))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))  # Juneteenth
    return days | {day for day in ONE_OFF if day.year == year}


def us_trading_days(first: date, last: date) -> pd.DatetimeIndex:
    """Trading days from `first` to `last`, both included."""
    holidays = set().union(*(us_holidays(year) for year in range(first.year, last.year + 1)))
    days = pd.bdate_range(first, last)
    return days[[day.date() not in holidays for day in days]]


def easter(year: int) -> date:
    """Easter Sunday (Gregorian computus of Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - ((b - (b + 8) // 25 + 1) // 3) + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - (c % 4)) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))
