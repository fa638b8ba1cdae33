"""Candles made fit for use, with a finding for everything that was noticed or changed.

`clean_candles` looks at one series, `combine` sets several side by side. Nothing is ever filled, forwards or backwards:
a missing price stays missing, because an invented one has no risk. Definitions and thresholds are in
docs/data-store-and-cleaning.md.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data.cleaning.checks import (
    Found,
    bad_prints,
    frozen,
    gaps,
    jumps,
    lives,
    no_trades,
    odd_ranges,
    trades_weekends,
    volumes,
)
from data.model import CANDLE_COLUMNS, Finding, Interval, PriceSet, Provenance
from margin.core.price_table import LARGEST_CLOSE, SMALLEST_CLOSE
from margin.core.spacing import too_coarse

STEP = {"1d": pd.Timedelta(days=1), "1h": pd.Timedelta(hours=1)}
GRID_TOLERANCE = pd.Timedelta(minutes=1)  # a stamp this little after the full hour or day belongs to it
ENDED_AFTER = pd.Timedelta(days=7)  # longer than any weekend with holidays
LATE_AFTER = pd.Timedelta(days=7)


def clean_candles(
    candles: pd.DataFrame, asset: str, interval: Interval, now: datetime
) -> tuple[pd.DataFrame, list[Finding]]:
    """Sorted, unique, finished candles with positive closes, and what was done to get there.

    candles : DataFrame indexed by open time (UTC; aware or naive), `close` and any of CANDLE_COLUMNS
    now     : aware; a candle is finished when its open time plus the interval is not after it
    Returns candles with all CANDLE_COLUMNS (NaN where unknown), index tz-naive UTC, and the findings.
    """
    if now.tzinfo is None:
        raise ValueError(f"now must be aware, got {now!r}")
    log = _Log(asset)
    frame = _on_grid(_columns(candles), STEP[interval], log)
    frame = _unique(frame, log)
    end = pd.Timestamp(now).tz_convert("UTC").tz_localize(None) - STEP[interval]
    frame = log.drop(frame, frame.index > end, "unfinished", "the candle was still open")
    finite = np.isfinite(frame["close"].to_numpy())
    frame = log.drop(frame, ~finite, "empty", "no close")
    frame = log.drop(frame, frame["close"].to_numpy() <= 0, "zero", "a close of zero or less")
    close = frame["close"].to_numpy()
    beyond = (close < SMALLEST_CLOSE) | (close > LARGEST_CLOSE)
    frame = log.drop(frame, beyond, "zero", f"a close below {SMALLEST_CLOSE:g} or above {LARGEST_CLOSE:g} USD")
    for check in (lives, odd_ranges, bad_prints, jumps, frozen, volumes, no_trades, gaps):
        frame, found = check(frame, interval)
        log.add(found)
    return frame, log.findings


def combine(
    candles_by_asset: Mapping[str, pd.DataFrame],
    provenance: Mapping[str, Provenance],
    findings: Iterable[Finding],
    interval: Interval,
    failures: Mapping[str, str],
    fine: Mapping[str, pd.Series] | None = None,
) -> PriceSet:
    """Cleaned series side by side on all their times; a time an asset does not have stays NaN.

    Volumes are USD: close x volume of the candle. `version` is a hash of everything but fetch times.
    fine : closes finer than the interval, kept beside the others for the assets that have them
    An asset without a single candle goes to the failures.
    """
    failed = dict(failures)
    present = {}
    for asset, frame in candles_by_asset.items():
        if frame.empty:
            failed.setdefault(asset, "no usable candle")
        elif (coarse := too_coarse(frame.index.to_numpy())) is not None:
            failed.setdefault(asset, f"one close every {coarse}: coarser than daily, and cannot be counted as days")
        else:
            present[asset] = frame
    closes = _side_by_side({a: f["close"] for a, f in present.items()})
    volume = {a: f["close"] * f["volume"] if "volume" in f else f["close"] * np.nan for a, f in present.items()}
    kept = {a: provenance[a] for a in present if a in provenance}
    noticed = (*findings, *_across(present, kept, closes, interval))
    volumes_usd = _side_by_side(volume)
    highs, lows = (_ranges(present, side) for side in ("high", "low"))
    finer = _side_by_side({a: fine[a] for a in present if a in fine}) if fine else None
    finer = None if finer is None or finer.empty else finer
    version = _version([closes, volumes_usd, highs, lows, finer], kept, interval)
    return PriceSet(
        closes=closes,
        volumes=volumes_usd,
        provenance=kept,
        findings=noticed,
        version=version,
        failures=failed,
        highs=highs,
        lows=lows,
        fine=finer,
    )


ACROSS = ("stale", "delisted", "late listing", "calendar")  # kinds of findings that compare series with each other


def only(prices: PriceSet, assets: Collection[str], interval: Interval = "1d") -> PriceSet:
    """The price set of these assets alone, as if no other had ever stood beside them.

    Times that only others have are gone, and what is found by comparing series is found anew. `version` follows from
    the whole set's and the assets that are left. An asset that is not there is passed over.
    """
    kept = [asset for asset in prices.assets if asset in assets]
    if len(kept) == len(prices.assets):
        return prices
    closes = prices.closes[kept].dropna(how="all")
    provenance = {a: p for a, p in prices.provenance.items() if a in kept}
    own = [f for f in prices.findings if f.kind not in ACROSS and (not f.asset or f.asset in kept)]
    across = _across({a: closes[[a]].dropna() for a in kept}, provenance, closes, interval)
    return PriceSet(
        closes=closes,
        volumes=prices.volumes[kept].reindex(closes.index),
        provenance=provenance,
        findings=(*own, *across),
        version=hashlib.sha256(repr((prices.version, kept)).encode()).hexdigest()[:12],
        failures={a: reason for a, reason in prices.failures.items() if a in assets},
        highs=_of(prices.highs, kept),
        lows=_of(prices.lows, kept),
        fine=_of(prices.fine, kept),
    )


def _of(table: pd.DataFrame | None, assets: Iterable[str]) -> pd.DataFrame | None:
    """These columns of a table that may lack some of them, or all; None where nothing is left."""
    if table is None:
        return None
    left = table[[a for a in assets if a in table.columns]].dropna(how="all")
    return None if left.empty else left


def _ranges(frames: Mapping[str, pd.DataFrame], side: str) -> pd.DataFrame | None:
    """The highs, or the lows, of the assets that have any; None where none has."""
    known = {a: f[side] for a, f in frames.items() if side in f and bool(f[side].notna().any())}
    return _side_by_side(known) if known else None


class _Log:
    """Collects findings of one asset."""

    def __init__(self, asset: str):
        self.asset = asset
        self.findings: list[Finding] = []

    def add(self, found: Iterable[Found]) -> None:
        """Take findings of one check."""
        for item in found:
            times = item.times.dropna()
            first, last = (aware(times.min()), aware(times.max())) if len(times) else (None, None)
            count = len(item.times) if item.count is None else item.count
            self.findings.append(
                Finding(
                    asset=self.asset,
                    kind=item.kind,
                    count=count,
                    first=first,
                    last=last,
                    action=item.action,
                    detail=item.detail,
                )
            )

    def drop(self, frame: pd.DataFrame, bad: np.ndarray, kind: str, detail: str) -> pd.DataFrame:
        """The frame without the rows that are bad, with a finding for them."""
        if not bad.any():
            return frame
        self.add([Found(kind, pd.DatetimeIndex(frame.index[bad]), "dropped", detail)])
        return frame[~bad]


def _columns(candles: pd.DataFrame) -> pd.DataFrame:
    if "close" not in candles.columns:
        raise ValueError("candles need a 'close' column")
    frame = candles.reindex(columns=list(CANDLE_COLUMNS)).astype(np.float64)
    index = pd.DatetimeIndex(frame.index)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    frame.index = index.as_unit("us").rename("date")
    return frame


def _on_grid(frame: pd.DataFrame, step: pd.Timedelta, log: _Log) -> pd.DataFrame:
    """Stamps on full hours or days. A stamp in between moves on, never back: its close is then known in time."""
    frame = log.drop(frame, np.asarray(frame.index.isna()), "bad time", "a time that cannot be read")
    index = pd.DatetimeIndex(frame.index)
    floor = index.floor(step)
    late = (index - floor) > GRID_TOLERANCE
    if late.any():
        log.add([Found("off grid", index[late], "moved to the next full candle time", f"e.g. {index[late][0]}")])
    frame.index = floor.where(~late, floor + step).rename("date")
    return frame


def _unique(frame: pd.DataFrame, log: _Log) -> pd.DataFrame:
    index = pd.DatetimeIndex(frame.index)
    back = np.append(False, index[1:] < index[:-1]) if len(index) else np.zeros(0, bool)
    if back.any():
        log.add([Found("unsorted", index[back], "sorted", "candles were not in order of time")])
    again = np.asarray(index.duplicated(keep="last"))
    frame = log.drop(frame, again, "duplicate", "same time more than once; the last one is kept")
    return frame.sort_index()


def _across(
    present: Mapping[str, pd.DataFrame], provenance: Mapping[str, Provenance], closes: pd.DataFrame, interval: Interval
) -> list[Finding]:
    """What shows only when series stand side by side: ends, beginnings, calendars."""
    if not present:
        return []
    found = []
    first, last = closes.index[0], closes.index[-1]
    around_the_week = any(trades_weekends(f.index) for f in present.values())
    for asset, frame in present.items():
        begins, ends = frame.index[0], frame.index[-1]
        source = provenance.get(asset)
        newest = last
        if source is not None and source.fetched_at is not None and source.status in ("live", "stored"):
            newest = max(newest, pd.Timestamp(source.fetched_at).tz_convert("UTC").tz_localize(None))
        if newest - ends > ENDED_AFTER:
            kind = "stale" if source is not None and source.status == "stale" else "delisted"
            detail = f"no price in the {(newest - ends).days} days after: delisted, renamed or no longer recorded"
            if kind == "stale":
                detail = f"{(newest - ends).days} days older than the newest here; a refresh is due"
            rows = int((closes.index > ends).sum())
            found.append(
                Finding(
                    asset=asset,
                    kind=kind,
                    count=rows,
                    first=aware(ends),
                    last=aware(ends),
                    action="kept to its end",
                    detail=detail,
                )
            )
        if begins - first > LATE_AFTER:
            rows = int((closes.index < begins).sum())
            detail = "its prices begin later than others'; never filled backwards"
            found.append(
                Finding(
                    asset=asset,
                    kind="late listing",
                    count=rows,
                    first=aware(first),
                    last=aware(begins),
                    action="left empty",
                    detail=detail,
                )
            )
        if around_the_week and not trades_weekends(frame.index):
            inside = closes.index[(closes.index > begins) & (closes.index < ends)]
            rows = len(inside.difference(frame.index))
            detail = "trades on fewer days than others here; returns use the days they share"
            found.append(
                Finding(
                    asset=asset,
                    kind="calendar",
                    count=rows,
                    first=aware(begins),
                    last=aware(ends),
                    action="left empty",
                    detail=detail,
                )
            )
    return found


def _side_by_side(series: Mapping[str, pd.Series]) -> pd.DataFrame:
    if not series:
        return pd.DataFrame(index=pd.DatetimeIndex([], dtype="datetime64[us]", name="date"), dtype=np.float64)
    frame = pd.concat(series, axis=1, join="outer", sort=True).astype(np.float64)
    frame.index = pd.DatetimeIndex(frame.index).as_unit("us").rename("date")
    frame.columns.name = None
    return frame.sort_index()


def _version(tables: Iterable[pd.DataFrame | None], provenance: Mapping[str, Provenance], interval: Interval) -> str:
    digest = hashlib.sha256(interval.encode())
    for table in tables:
        if table is None:
            continue
        for asset in table.columns:
            source = provenance.get(asset)
            digest.update(repr((asset, source and (source.source, source.symbol, source.status == "sample"))).encode())
        digest.update(table.index.to_numpy().astype("datetime64[us]").tobytes())
        digest.update(np.ascontiguousarray(table.to_numpy(np.float64)).tobytes())
    return digest.hexdigest()[:12]


def aware(moment: pd.Timestamp) -> datetime:
    """A tz-naive UTC timestamp as an aware datetime."""
    return moment.to_pydatetime(warn=False).replace(tzinfo=UTC)
