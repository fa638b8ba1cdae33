"""Returns behind a forecast: at the finest step the prices have (hourly, never finer), else daily."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin.core.checks import parse_date
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.forecast.volatility import BURN_IN_DAYS

LEAST_DAYS = 2 * BURN_IN_DAYS
HOUR = np.timedelta64(1, "h")
DAY = np.timedelta64(1, "D")
NEARLY_ALL_DAYS = 0.97  # a series with rows on this share of its days trades every day


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """Common returns of several assets.

    values : (n, k) simple returns of successive steps; ends (n,) when each step ended
    steps_per_day : of calendar days: 24 for hourly prices, 1 for daily ones, about 0.69 where exchanges close
    block  : steps in one day (1 for daily prices), the length of a block of the bootstrap
    step   : "hour", "day", or the spacing in words
    """

    values: np.ndarray
    ends: np.ndarray
    assets: tuple[str, ...]
    steps_per_day: float
    block: int
    step: str
    notes: tuple[str, ...] = ()

    @property
    def days(self) -> float:
        """Calendar days of history."""
        return len(self.values) / self.steps_per_day

    def columns(self, assets: Iterable[str]) -> np.ndarray:
        """(n, len(assets)) returns of these assets; 0 for dollars and stablecoins, which do not move here."""
        out = np.zeros((len(self.values), len(names := tuple(assets))))
        for i, asset in enumerate(names):
            if asset in self.assets:
                out[:, i] = self.values[:, self.assets.index(asset)]
        return out


def past_returns(market: Market, assets: Sequence[str], as_of: Any = None) -> Past:
    """Returns of `assets` up to `as_of`: hourly where every one of them has hourly prices over 120 days, else daily.

    Dollar stablecoins are left out: they stay at their price. Nothing after `as_of` is looked at; an as-of without a
    time of day stands for the end of that day. Raises InputError for fewer than 120 days.
    """
    wanted = tuple(sorted({a for a in assets if a not in USD_LIKE}))
    held = sorted({a for a in assets if a in USD_LIKE and a != "USD"})
    notes = [f"{', '.join(held)} held at the present price: a lost peg is not in these odds."] if held else []
    if not wanted:
        raise InputError("positions", "dollars only", "nothing here moves, so there are no odds")
    fine = _fine(market, wanted, as_of)
    if fine is not None and fine.days >= LEAST_DAYS:
        return _with_notes(fine, notes)
    if fine is not None:
        notes.append(f"hourly prices cover {fine.days:.0f} days, too few: daily closes are used")
    daily = market.returns(wanted, as_of)
    span = max(float((daily.dates[-1] - daily.dates[0]) / DAY), 1.0)
    per_day = (len(daily.values) - 1) / span
    if span < LEAST_DAYS or len(daily.values) < LEAST_DAYS * min(per_day, 1.0):
        hint = "Add longer price history, or leave out the youngest asset."
        raise InputError("prices", f"{span:.0f} days", f"too little history: {LEAST_DAYS} days are needed", hint)
    per_day = 1.0 if per_day >= NEARLY_ALL_DAYS else per_day
    if per_day < 1.0:
        notes.append(f"common closes on {per_day:.0%} of days: a step is one such day")
    return _with_notes(
        Past(
            values=daily.values, ends=daily.dates, assets=wanted, steps_per_day=per_day, block=1, step="day",
        ),
        notes,
    )  # fmt: skip


def _with_notes(past: Past, notes: list[str]) -> Past:
    return Past(
        values=past.values, ends=past.ends, assets=past.assets, steps_per_day=past.steps_per_day, block=past.block,
        step=past.step, notes=tuple(notes),
    )  # fmt: skip


def _fine(market: Market, assets: tuple[str, ...], as_of: Any) -> Past | None:
    """Hourly (or coarser, still finer than daily) returns, or None where an asset has none."""
    if market.fine is None or any(a not in market.fine.columns for a in assets):
        return None
    table = market.fine[list(assets)].dropna()
    table = table[table.index >= max(market.dates[market.life(asset, as_of)[0]] for asset in assets)]
    if as_of is not None:
        when = parse_date(as_of)
        table = table[table.index < when + pd.Timedelta(days=1)] if when == when.normalize() else table[:when]
    if len(table) < 3:
        return None
    stamps = pd.DatetimeIndex(table.index).to_numpy().astype("datetime64[s]")
    closes = table.to_numpy(dtype=float)
    hours = stamps.astype("datetime64[h]")
    last = np.append(hours[1:] != hours[:-1], True)  # finer than hourly: the last price of each hour
    hours, closes = hours[last], closes[last]
    gaps = np.diff(hours) // HOUR
    usual = int(np.bincount(np.minimum(gaps, 48)).argmax())
    if usual < 1 or usual > 12 or 24 % usual:
        return None
    values, ends = closes[1:] / closes[:-1] - 1.0, hours[1:]
    regular = gaps == usual
    if regular.sum() < 2:
        return None
    per_day = 24 // usual
    step = "hour" if usual == 1 else f"{usual} hours"
    return Past(
        values=values[regular], ends=ends[regular].astype("datetime64[ns]"), assets=assets,
        steps_per_day=float(per_day), block=per_day, step=step,
    )  # fmt: skip
