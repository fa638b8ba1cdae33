"""Rows of a file into daily candles: which day each row belongs to, finer rows to daily ones, coarser ones refused."""

import numpy as np
import pandas as pd

from data.cleaning.checks import bad_prints
from data.files.cells import Dates
from data.files.table import note
from data.model import Finding
from margin.core.errors import InputError
from margin.core.price_table import LARGEST_CLOSE, SMALLEST_CLOSE
from margin.core.spacing import days_of, last_day_is_open, measure

HOW = {"close": "last", "open": "first", "high": "max", "low": "min"}
COARSE_HINT = "Give daily closes (finer ones become daily)."


def daily_candles(
    frames: dict[str, pd.DataFrame], when: Dates, name: str
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.Series], list[Finding]]:
    """Candles by asset on whole days, the closes that came finer (on their UTC stamps), and what was noticed.

    frames : raw numbers by asset, indexed by the row of the file; when : the rows' dates
    A daily stamp keeps the calendar day of its own time zone; UTC stamps that are midnights further east are moved to
    their day. InputError where no asset is left; one whose rows are more than a day apart is left out by name.
    """
    utc = when.local - (when.offset * 1e6).astype("timedelta64[us]")
    daily: dict[str, pd.DataFrame] = {}
    fine: dict[str, pd.Series] = {}
    findings: list[Finding] = []
    coarse: list[tuple[str, str]] = []
    clocks = 0
    for asset, frame in frames.items():
        rows = frame.index.to_numpy()
        closed = frame["close"].notna().to_numpy()
        spacing = measure(utc[rows[closed]])
        if spacing.kind == "coarser":
            coarse.append((asset, str(spacing)))
            detail = f"one close every {spacing}: coarser than daily, and cannot be counted as days"
            findings.append(note("spacing", len(rows), "dropped", detail, asset))
            continue
        if spacing.kind == "finer":
            daily[asset], noticed = _from_finer(frame[closed], utc[rows[closed]], spacing.hours, str(spacing), asset)
            findings += noticed
            fine[asset] = _finer_closes(frame["close"][closed], utc[rows[closed]])
            continue
        local = bool((when.offset[rows] != 0).any())
        days = when.local[rows].astype("datetime64[D]") if local else days_of(utc[rows])
        stamps = when.local[rows] if local else utc[rows]
        clocks += int((stamps != stamps.astype("datetime64[D]")).sum())
        daily[asset] = _on_days(frame, days, closed)
    if clocks:
        findings.append(note("time of day", clocks, "dropped", "daily prices: the calendar day of each stamp is kept"))
    if coarse and not daily:
        asset, spacing_text = coarse[0]
        problem = f"has one close of {asset} every {spacing_text}, coarser than daily"
        raise InputError(name, spacing_text, problem, COARSE_HINT)
    return daily, fine, findings


def _finer_closes(closes: pd.Series, stamps: np.ndarray) -> pd.Series:
    """Closes on their stamps, ascending, one each; without what no market printed."""
    series = closes.set_axis(pd.DatetimeIndex(stamps.astype("datetime64[us]"), name="date")).sort_index(kind="stable")
    series = series[~series.index.duplicated(keep="last") & (series >= SMALLEST_CLOSE) & (series <= LARGEST_CLOSE)]
    blank = pd.DataFrame({"open": np.nan, "high": np.nan, "low": np.nan, "close": series})
    kept: pd.Series = bad_prints(blank, "1h")[0]["close"]
    return kept


def _on_days(frame: pd.DataFrame, days: np.ndarray, closed: np.ndarray) -> pd.DataFrame:
    """Rows on their days; an empty row, or one of zero, goes where the same day has a close (a dividend line)."""
    good = closed & (frame["close"].to_numpy() > 0)
    keep = good if good.all() else good | ~np.isin(days, days[good])
    return frame[keep].set_axis(pd.DatetimeIndex(days[keep].astype("datetime64[us]"), name="date"), axis=0)


def _from_finer(
    frame: pd.DataFrame, stamps: np.ndarray, hours: float, spacing: str, asset: str
) -> tuple[pd.DataFrame, list[Finding]]:
    order = np.argsort(stamps, kind="stable")
    frame, stamps = frame.iloc[order], stamps[order].astype("datetime64[s]")
    days = stamps.astype("datetime64[D]")
    detail = f"one price every {spacing}: the last one of each UTC day is its daily close"
    if last_day_is_open(stamps, hours):
        detail += f"; {days[-1]} is not over and left out"
        frame, days = frame[days < days[-1]], days[days < days[-1]]
    usd = frame["close"] * frame["volume"] if "volume" in frame else None
    grouped = frame.groupby(pd.DatetimeIndex(days.astype("datetime64[us]"), name="date"))
    out = pd.DataFrame({role: getattr(grouped[role], how)() for role, how in HOW.items() if role in frame})
    if usd is not None:
        traded = usd.groupby(pd.DatetimeIndex(days.astype("datetime64[us]"), name="date")).sum(min_count=1)
        out["volume"] = traded / out["close"]
    return out, [note("resampled", len(frame), "made daily", detail, asset)]
