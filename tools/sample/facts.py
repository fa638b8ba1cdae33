"""The recorded figures that the sample is built from, and the span it covers."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from margin.sample.events import load_events

FACTS = Path(__file__).resolve().parent / "facts"
STOCKS = ("SPY", "QQQ", "GLD")
STABLECOINS = ("USDC", "USDT")
FIRST, LAST = date(2020, 9, 30), date(2026, 8, 31)
# The calibration window opens the day after AAVE's first close: that is the listing date the record implies.
LISTED = {"AAVE": date(2020, 10, 15)}
EVENT_NAMES = {"USDC": "USDC_USD", "USDT": "USDT_USD"}  # the record's dollar pairs of our stablecoins


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Recorded figures.

    month_ends : DataFrame [month end x asset], USD, the last close of the month; NaN where there is no data
    calibration : the figures of calibration.json, by their names there
    days : DatetimeIndex of every calendar day from FIRST to LAST
    coins : the crypto assets of the calibration, in its order
    approximate : how many month ends are of an approximate source; they pin the sample but count as simulated
    moves : {asset: [(start, end, simple return from the close before start to the close of end), ...]}
    """

    month_ends: pd.DataFrame
    calibration: dict
    days: pd.DatetimeIndex
    coins: tuple[str, ...]
    moves: dict[str, list[tuple[date, date, float]]]
    approximate: int = 0

    @property
    def window(self) -> tuple[str, str]:
        first, last = self.calibration["window"]
        return first, last

    def matrix(self, name: str, assets: tuple[str, ...]) -> np.ndarray:
        """One of the calibration's matrices as a (k, k) array in the order of `assets`."""
        table = self.calibration[name]
        return np.array([[table[a][b] for b in assets] for a in assets])

    def year_vols(self, asset: str) -> dict[int, float]:
        figures = self.calibration["assets"][asset]["annual_vol_by_year"]
        return {int(year): vol for year, vol in figures.items()}

    def alive(self, asset: str) -> np.ndarray:
        """(n_days,) bool: days on which the series runs, from its listing to its last recorded month end."""
        held = self.month_ends[asset].dropna().index
        first = pd.Timestamp(LISTED.get(asset, held[0]))
        return np.asarray((self.days >= first) & (self.days <= held[-1]))


def row_of(days: pd.DatetimeIndex, day: date) -> int:
    """The row of a day that must be there."""
    row = int(days.searchsorted(pd.Timestamp(day)))
    if row >= len(days) or days[row] != pd.Timestamp(day):
        raise ValueError(f"{day} is not among the {len(days)} days from {days[0]:%Y-%m-%d}")
    return row


def read_facts(folder: Path = FACTS) -> Facts:
    month_ends = pd.read_csv(folder / "month_end_closes.csv", index_col="date", parse_dates=["date"])
    calibration = json.loads((folder / "calibration.json").read_text())
    coins = tuple(calibration["assets"])
    moves: dict[str, list[tuple[date, date, float]]] = {}
    for asset in (*coins, *STOCKS, *STABLECOINS):
        name = EVENT_NAMES.get(asset, asset)
        moves[asset] = [
            (event.start, event.end, event.moves[name].close_to_close)
            for event in load_events()
            if event.start > FIRST and name in event.moves
        ]
    flags = pd.read_csv(folder / "month_end_flags.csv", index_col="date", dtype=str)
    approximate = int(flags.apply(lambda column: column.str.startswith("APPROX")).sum().sum())
    return Facts(
        month_ends=month_ends,
        calibration=calibration,
        days=pd.date_range(FIRST, LAST),
        coins=coins,
        moves=moves,
        approximate=approximate,
    )
