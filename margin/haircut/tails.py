"""What an asset's own history says about a haircut, at any number of dates, each from data up to that date only."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.checks import parse_date
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import MAX_STALE_DAYS, Market, step_returns
from margin.haircut.settings import HaircutSettings
from margin.risk.elliptical import tail_factor
from margin.risk.history import ewma_vol_path
from margin.risk.tail import expected_shortfall

STRESS_STEP = 5  # the worst window is searched in steps of so many returns, counted from the first
LEAST_RETURNS = 50


@dataclass(frozen=True, kw_only=True)
class TailView:
    """Fractions of value, size apart, at one date.

    tail     : expected shortfall over `wait` days by the chosen estimator; stressed: of the worst window so far
                 (the long run, while there are fewer returns than one window)
    long_run : historical expected shortfall over up to ten years; depeg: stablecoins only, else 0
    daily_vol, long_vol : EWMA volatility now, and its root mean square over the long run, per day
    volume   : USD traded per day, None when unknown
    """

    asset: str
    date: np.datetime64
    price: float
    tail: float
    stressed: float
    long_run: float
    depeg: float
    daily_vol: float
    long_vol: float
    volume: float | None
    returns: int


class AssetTails:
    """One asset's closes and everything that follows from them; `view` picks a date. Build it once for many dates.

    Of a ticker with several lives each object knows one; `of` hands out the one that a date falls into.
    """

    def __init__(self, market: Market, asset: str, settings: HaircutSettings, life: tuple[int, int] | None = None):
        self.market, self.asset, self.settings = market, asset, settings
        column = market.columns([asset])[0]
        first, last = self.life = market.life(asset) if life is None else life
        self.rows = first + np.flatnonzero(~np.isnan(market.closes[first:last, column]))
        if not len(self.rows):
            raise MissingPriceError([asset], market.assets, "no close at all")
        self.dates, self.closes = market.dates[self.rows], market.closes[self.rows, column]
        table = self.closes[:, None]
        daily, self.daily_dates = step_returns(self.dates, table, 1)
        self.path = ewma_vol_path(daily, settings.ewma_lambda)[:, 0] if len(daily) else np.zeros(1)
        over, self.ends = step_returns(self.dates, table, settings.wait)
        self.losses = -over[:, 0]
        before = np.searchsorted(self.daily_dates, self.ends) - settings.wait + 1
        self.vol_before = self.path[np.maximum(before, 0)]
        self.worst_so_far = _worst_windows(self.losses, settings.lookback, settings.level)
        self.squares = np.concatenate(([0.0], np.cumsum(daily[:, 0] ** 2)))
        self.lowest = np.minimum.accumulate(self.closes)
        self.volumes = None if market.volumes is None else market.volumes[:, column]

    def of(self, as_of: Any = None) -> "AssetTails":
        """The tails of the life that the date falls into."""
        life = self.market.life(self.asset, as_of)
        return self if life == self.life else AssetTails(self.market, self.asset, self.settings, life)

    def view(self, as_of: Any = None) -> TailView:
        """The figures at the last close not after as-of, which must be at most four days old.

        Raises MissingPriceError for a stale price, InputError for less than 50 returns.
        """
        mine = self.of(as_of)
        if mine is not self:
            return mine.view(as_of)
        s = self.settings
        asked = self.market.dates[-1] if as_of is None else parse_date(as_of).to_datetime64()
        upto = int(np.searchsorted(self.market.dates, asked, side="right"))
        held = int(np.searchsorted(self.rows, upto))  # closes known by then
        if not held:
            raise MissingPriceError([self.asset], self.market.assets, "no close by then")
        date = self.dates[held - 1]
        age = (asked - date) / np.timedelta64(1, "D")
        if age > MAX_STALE_DAYS:
            raise MissingPriceError([self.asset], self.market.assets, f"last close is {age:.0f} days old")
        count = int(np.searchsorted(self.ends, date, side="right"))
        if count < LEAST_RETURNS:
            problem = f"has {count} returns over {s.wait} days by then, {LEAST_RETURNS} are needed"
            raise InputError(f"prices {self.asset}", str(date)[:10], problem, "Pick a later date.")
        days = int(np.searchsorted(self.daily_dates, date, side="right"))
        now = float(self.path[days])
        losses = self.losses[:count]
        long_days = min(days, s.long_run)
        long_run, stressed = _shortfall(losses[-s.long_run :], s.level), float(self.worst_so_far[count - 1])
        return TailView(
            asset=self.asset,
            date=date,
            price=float(self.closes[held - 1]),
            tail=self._tail(losses, count, now),
            stressed=long_run if np.isnan(stressed) else stressed,
            long_run=long_run,
            depeg=self._depeg(held),
            daily_vol=now,
            long_vol=float(np.sqrt(max(self.squares[days] - self.squares[days - long_days], 0.0) / long_days)),
            volume=self._volume(upto),
            returns=count,
        )

    def _tail(self, losses: np.ndarray, count: int, now: float) -> float:
        s = self.settings
        recent = losses[-s.lookback :]
        if s.tail == "ewma":
            return tail_factor("es", s.level, s.degrees_of_freedom) * now * float(np.sqrt(s.wait))
        if s.tail == "filtered":
            before = self.vol_before[:count][-s.lookback :]
            recent = recent * np.divide(now, before, out=np.ones_like(before), where=before > 0)
        return _shortfall(recent, s.level)

    def _depeg(self, held: int) -> float:
        """Stablecoins: expected shortfall of the deviation below par over the long run, or weight x the worst close."""
        if self.asset not in USD_STABLECOINS:
            return 0.0
        below = np.maximum(1.0 - self.closes[max(held - self.settings.long_run, 0) : held], 0.0)
        worst = max(1.0 - float(self.lowest[held - 1]), 0.0)
        return max(_shortfall(below, self.settings.level), self.settings.depeg_weight * worst)

    def _volume(self, upto: int) -> float | None:
        if self.volumes is None:
            return None
        window = self.volumes[self.life[0] : upto][-self.settings.volume_days :]
        window = window[~np.isnan(window)]
        median = float(np.median(window)) if len(window) else 0.0
        return median if median > 0 else None


def asset_tails(market: Market, asset: str, settings: HaircutSettings) -> AssetTails:
    """`AssetTails`, kept by the market: one drawer per settings, so that many assets do not crowd out other results."""
    drawer: dict[str, AssetTails] = market.remember(("haircut tails", settings), dict)
    if asset not in drawer:
        drawer[asset] = AssetTails(market, asset, settings)
    return drawer[asset]


def _shortfall(losses: np.ndarray, level: float) -> float:
    return max(float(expected_shortfall(losses, level)), 0.0)


def _worst_windows(losses: np.ndarray, length: int, level: float) -> np.ndarray:
    """(n,) largest expected shortfall of any window of `length` losses that had ended by then; NaN before the first."""
    n = len(losses)
    if n < length:
        return np.full(n, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(losses, length)[::STRESS_STEP]
    found = np.maximum.accumulate(np.maximum(expected_shortfall(windows.T, level), 0.0))
    ends = length - 1 + STRESS_STEP * np.arange(len(windows))
    at = np.searchsorted(ends, np.arange(n), side="right") - 1
    return np.where(at >= 0, found[np.maximum(at, 0)], np.nan)
