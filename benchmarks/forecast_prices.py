"""Recorded prices for benchmarks/forecast_rows.py: closes by step, and how low and how high each asset went between.

Watched at closes, a book is judged at the ends of steps. Watched all the time, highs and lows are needed: of one coin
they are exact, of several nobody knows whether they came together, so such books are judged between two bounds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.support import SHARED

MARKET = SHARED / "market"
HOURLY = MARKET / "hourly_closes_2021_2025.parquet"
DAILY = MARKET / "daily_closes.csv"
CANDLES = MARKET / "daily_candles.parquet"
HOUR_CANDLES = MARKET / "hourly_candles_2025_q4.parquet"
PERPETUALS = MARKET / "hourly_perp_2025_2026.parquet"
NEEDED = (HOURLY, DAILY, CANDLES, HOUR_CANDLES, PERPETUALS)
DEAD = {"LUNA", "FTT", "LUNA2", "POL", "USDC", "USDC_USD", "USDT_USD"}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """closes (n, k) at `stamps`, the ends of steps; lows, highs (n, k): between the end of the step or day before and
    each stamp; of a day they stand at its last step, NaN elsewhere. None where only closes are watched.

    joined : the row at which a gap in the record was joined: its move is no move
    """

    closes: np.ndarray
    stamps: np.ndarray
    assets: tuple[str, ...]
    lows: np.ndarray | None = None
    highs: np.ndarray | None = None
    joined: int | None = None


def closes(step: str) -> pd.DataFrame:
    """Recorded closes, USD, at the end of each step; coins only, dead and dollar ones left out."""
    if step == "hour":
        table = pd.read_parquet(HOURLY).set_index("open_time")
        table.index = pd.DatetimeIndex(table.index) + pd.Timedelta(hours=1)  # a close stands at the hour's end
        return table
    table = pd.read_csv(DAILY, index_col=0, parse_dates=True)
    table.index = pd.DatetimeIndex(table.index) + pd.Timedelta(days=1)
    return table[[c for c in table.columns if c not in DEAD]]


def recorded(step: str, watched: str) -> Recorded:
    """Closes of hours or days; for watching all the time with the highs and lows of each day."""
    table = closes(step)
    stamps = pd.DatetimeIndex(table.index)
    if watched == "closes":
        return Recorded(closes=table.to_numpy(float), stamps=stamps.to_numpy(), assets=tuple(table.columns))
    candles = pd.read_parquet(CANDLES)
    ends = pd.to_datetime(candles["date"]) + pd.Timedelta(days=1)
    sides = {
        name: candles.assign(end=ends).pivot(index="end", columns="asset", values=name)
        .reindex(index=stamps, columns=table.columns).to_numpy(float)
        for name in ("low", "high")
    }  # fmt: skip
    return Recorded(
        closes=table.to_numpy(float), stamps=stamps.to_numpy(), assets=tuple(table.columns), lows=sides["low"],
        highs=sides["high"],
    )  # fmt: skip


def recorded_hours() -> Recorded:
    """Hours with their own highs and lows, September 2025 to March 2026, behind the closes of 2021 to June 2025."""
    before = closes("hour")
    spot = pd.read_parquet(HOUR_CANDLES).rename(columns={"open_time": "time"})
    perpetual = pd.read_parquet(PERPETUALS)
    perpetual["time"] = pd.to_datetime(perpetual["time"]).dt.tz_localize(None)
    parts = {}
    for name in ("close", "low", "high"):
        one, two = (t.pivot(index="time", columns="asset", values=name) for t in (spot, perpetual))
        both = [c for c in one.columns if c in two.columns and c in before.columns]
        later = pd.concat([one[both], two.loc[two.index > one.index[-1], both]]).dropna()
        later.index = pd.DatetimeIndex(later.index) + pd.Timedelta(hours=1)
        parts[name] = later
    later = parts["close"]
    early = before[later.columns]
    empty = np.full(early.shape, np.nan)
    return Recorded(
        closes=np.vstack([early.to_numpy(float), later.to_numpy(float)]),
        stamps=np.concatenate([early.index.to_numpy(), later.index.to_numpy()]),
        assets=tuple(later.columns),
        lows=np.vstack([empty, parts["low"].to_numpy(float)]),
        highs=np.vstack([empty, parts["high"].to_numpy(float)]),
        joined=len(early),
    )  # fmt: skip
