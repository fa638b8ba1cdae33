"""A table of closes or volumes as a person gives it: its dates, its numbers, and what can be no price."""

import numpy as np
import pandas as pd

from margin.core.daily import daily_volumes
from margin.core.errors import InputError
from margin.core.spacing import measure

EARLIEST, LATEST = pd.Timestamp("1970-01-01"), pd.Timestamp("2200-01-01")
SMALLEST_CLOSE, LARGEST_CLOSE = 1e-15, 1e12
LARGEST_VOLUME = 1e16  # USD a day; our own bound, so that sums and products stay finite


def check_closes(frame: pd.DataFrame) -> None:
    """Raise InputError for the first close that is none: not above zero, or beyond what a price can be."""
    values = frame.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        bad = np.argwhere((values < SMALLEST_CLOSE) | (values > LARGEST_CLOSE))
    if not bad.size:
        return
    row, column = bad[0]
    where = f"prices {frame.columns[column]} {str(frame.index[row])[:10]}"
    value = float(values[row, column])
    if value <= 0 or np.isinf(value):
        with np.errstate(invalid="ignore"):
            negative = float((values[:, column] < 0).mean())
        hint = "Leave the cell empty where there is no close."
        if negative > 0.2:
            hint = "These look like returns (or traded volumes): give USD closes."
        raise InputError(where, value, "a close must be a finite number above zero", hint)
    raise InputError(where, value, f"a close must be from {SMALLEST_CLOSE:g} to {LARGEST_CLOSE:g} USD")


def volume_array(table: pd.DataFrame, closes: pd.DataFrame) -> np.ndarray:
    """(n, k) USD traded per day on the dates and for the assets of `closes`."""
    numbers = pd.DataFrame(float_array(table, "volumes"), table.index, [str(c) for c in table.columns])
    values = numbers.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        bad = np.argwhere((values < 0) | (values > LARGEST_VOLUME))
    if bad.size:
        row, column = bad[0]
        where = f"volumes {numbers.columns[column]} {str(numbers.index[row])[:10]}"
        hint = "Give USD traded per day; leave the cell empty where it is not known."
        raise InputError(where, float(values[row, column]), f"must be from 0 to {LARGEST_VOLUME:g} USD", hint)
    daily = daily_volumes(numbers.loc[:, ~numbers.columns.duplicated()])
    return np.ascontiguousarray(daily.reindex(index=closes.index, columns=closes.columns).to_numpy(dtype=float))


def _local_if_daily(index: pd.DatetimeIndex, local: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Naive stamps: the wall time where they were written for daily prices, UTC for finer ones."""
    utc = index.tz_convert("UTC").tz_localize(None)
    return utc if measure(utc.to_numpy()).kind == "finer" else local


def _from_text(index: pd.Index) -> pd.DatetimeIndex:
    """ISO stamps with or without a distance to UTC: 2024-11-15 00:00:00+01:00 is the 15th of the place it names."""
    utc = pd.DatetimeIndex(pd.to_datetime(index, utc=True, format="ISO8601"))
    zone = pd.Series(index.astype(str)).str.extract(r"\d{2}:\d{2}\S*([+-])(\d{2}):?(\d{2})$")
    if zone[0].isna().all():
        return utc.tz_localize(None)
    minutes = (zone[1].astype(float) * 60 + zone[2].astype(float)) * zone[0].map({"+": 1.0, "-": -1.0})
    local = utc.tz_localize(None) + pd.to_timedelta(minutes.fillna(0.0).to_numpy(), unit="m")
    return _local_if_daily(utc, pd.DatetimeIndex(local))


def with_date_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a tz-naive DatetimeIndex, taken from a `date` column when that comes first.

    UTC, but for daily stamps with a time zone, which keep the day of their place.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError("prices", type(frame).__name__, "must be a DataFrame", "One column of closes per asset.")
    if not isinstance(frame.index, pd.DatetimeIndex):
        if len(frame.columns) and str(frame.columns[0]).lower() == "date":
            frame = frame.set_index(frame.columns[0])
        try:
            if pd.api.types.is_numeric_dtype(frame.index):
                raise ValueError(f"{frame.index[0] if len(frame) else 'numbers'}")
            frame = frame.set_axis(_from_text(frame.index), axis=0)
        except (ValueError, TypeError, OverflowError) as error:
            hint = "Give it a date index or a first column 'date', as 2025-10-10."
            raise InputError("prices", str(error)[:60], "its dates cannot be read", hint) from None
    if isinstance(frame.index, pd.DatetimeIndex) and frame.index.tz is not None:
        frame = frame.set_axis(_local_if_daily(frame.index, frame.index.tz_localize(None)), axis=0)
    if frame.index.hasnans:
        raise InputError("prices", "empty date", "a row has no date")
    if not frame.index.is_monotonic_increasing:
        frame = frame.sort_index(kind="stable")
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise InputError("prices", str(twice)[:19], "a date appears twice", "Keep one row per date.")
    if not len(frame):
        raise InputError("prices", "0 rows", "is empty")
    for moment in (frame.index[0], frame.index[-1]):
        if not EARLIEST <= moment < LATEST:
            raise InputError("prices", str(moment)[:19], "is a date outside 1970 to 2200", "Check the date column.")
    return frame


def float_array(frame: pd.DataFrame, field: str) -> np.ndarray:
    """(n, k) numbers of the frame, NaN where a cell is empty. Raises InputError, naming `field` and the cell."""
    for column, kind in frame.dtypes.items():
        if kind == bool:  # noqa: E721 - numpy would take it for 0 and 1
            raise InputError(f"{field} {column}", bool(frame[column].iloc[0]), "is not a number")
    try:
        return np.ascontiguousarray(frame.to_numpy(dtype=float, na_value=np.nan))
    except (ValueError, TypeError):
        for column in frame.columns:
            numbers = pd.to_numeric(frame[column], errors="coerce")
            bad = frame[column][numbers.isna() & frame[column].notna()]
            if len(bad):
                where = f"{field} {column} {str(bad.index[0])[:10]}"
                raise InputError(where, bad.iloc[0], "is not a number") from None
        raise InputError(field, "", "holds cells that are not numbers") from None
