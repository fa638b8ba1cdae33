"""Prices -> aligned returns: the only place that decides which dates count and what "as of" means."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from margin.core import edition
from margin.core.checks import date_text, parse_date, whole_number
from margin.core.daily import LEAST_JUMP, life_starts, make_daily, odd_jumps
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import USD_STABLECOINS
from margin.core.price_table import check_closes, float_array, volume_array, with_date_index

MAX_STEP_DAYS = 4  # a return across a longer pause (halt, delisting, missing data) is not one day's risk
KEPT_RESULTS = 32
MAX_STALE_DAYS = 4  # a collateral price older than this is not a price


@dataclass(frozen=True, kw_only=True)
class Returns:
    """Simple returns over the horizon on dates common to all assets.

    values : (n, k) ndarray, fraction; row i ends on dates[i]
    dates  : (n,) datetime64[ns], the end of each return
    prices : (k,) USD, closes at `as_of`
    as_of  : Timestamp, the last common date not after the one asked for
    closes : (m, k) USD, the aligned closes up to `as_of`, with their dates in close_dates
    """

    values: np.ndarray
    dates: np.ndarray
    assets: tuple[str, ...]
    prices: np.ndarray
    as_of: pd.Timestamp
    horizon: int
    closes: np.ndarray
    close_dates: np.ndarray

    def column(self, asset: str) -> int:
        """The column of an asset."""
        return self.assets.index(asset)


class Market:
    """Closes (and traded USD volumes) of many assets as arrays; NaN where there is no close.

    closes  : DataFrame, date index ascending and unique, one column per asset, USD. Finer rows than daily become daily
              closes (the last of each UTC day); `BTC_high`, `BTC_low` beside `BTC` and columns named by a unified
              symbol beside their asset's are kept apart
    volumes : DataFrame of the same form, USD traded per row, or None
    fine    : closes finer than daily of some of the assets, kept beside daily `closes`; None takes them from `closes`

    highs, lows : (n, k) USD like `closes`, NaN where unknown
    fine        : DataFrame of the columns that came finer than daily, as they came, or None
    instruments : symbols with closes of their own, in the columns of `instrument_closes` (n, m)
    findings    : (asset, one line) of what was done to its rows; `findings_of` adds the jumps that stay
    Raises InputError for duplicate dates, dates outside 1970 to 2200, rows coarser than daily, text cells, zero or
    negative closes, volumes below zero or beyond 1e16 USD.
    """

    def __init__(self, closes: pd.DataFrame, volumes: pd.DataFrame | None = None, *, fine: pd.DataFrame | None = None):
        table = with_date_index(closes)
        numbers = pd.DataFrame(float_array(table, "prices"), table.index, [str(c) for c in table.columns])
        if numbers.columns.has_duplicates:
            twice = str(numbers.columns[numbers.columns.duplicated()][0])
            raise InputError("prices", twice, "an asset has two columns", "Keep one of them.")
        check_closes(numbers)
        daily = make_daily(numbers)
        frame = daily.closes
        if not len(frame) or not len(frame.columns):
            raise InputError("prices", "no finished day", "holds no daily close", "Give at least one whole day.")
        self.dates: np.ndarray = frame.index.to_numpy().astype("datetime64[ns]")
        self.assets: tuple[str, ...] = tuple(str(c) for c in frame.columns)
        self._column = {asset: i for i, asset in enumerate(self.assets)}
        self.closes = np.ascontiguousarray(frame.to_numpy(dtype=float))
        self.highs = np.ascontiguousarray(daily.highs.to_numpy(dtype=float))
        self.lows = np.ascontiguousarray(daily.lows.to_numpy(dtype=float))
        self.instruments: tuple[str, ...] = tuple(daily.instruments.columns)
        self.instrument_closes = np.ascontiguousarray(daily.instruments.to_numpy(dtype=float))
        self.fine = daily.fine if fine is None else fine
        self.findings: tuple[tuple[str, str], ...] = tuple(daily.findings)
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()
        self._lives = _lives(self.dates, self.closes)
        self.volumes: np.ndarray | None = None
        if volumes is not None:
            self.volumes = volume_array(with_date_index(volumes), frame)

    def __contains__(self, asset: str) -> bool:
        return asset in self._column

    def remember(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """`compute()`, kept for the next time: prices never change, so what follows from them alone need not either.

        Holds the 32 results used last, of the edition of the rules in force; safe to share between threads.
        """
        key = (edition.current(), key)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        result = compute()
        with self._lock:
            self._kept[key] = result
            while len(self._kept) > KEPT_RESULTS:
                self._kept.popitem(last=False)
        return result

    def findings_of(self, assets: Iterable[str], as_of: Any = None) -> tuple[str, ...]:
        """What was noticed about the prices of `assets` up to `as_of`, one sentence each, for the notes of a result."""
        asked = tuple(a for a in dict.fromkeys(assets) if a in self._column)
        upto = self._upto(as_of)
        found: tuple[str, ...] = self.remember(("findings", asked, upto), lambda: self._findings(asked, upto))
        return found

    def _findings(self, assets: tuple[str, ...], upto: int) -> tuple[str, ...]:
        found = [text for asset, text in self.findings if asset in assets or not asset]
        for asset in _uneven(assets, self.closes[:upto, [self._column[a] for a in assets]]):
            column = self.closes[:upto, self._column[asset]]
            held = ~np.isnan(column)
            found += odd_jumps(asset, self.dates[:upto][held], column[held])
        return tuple(found)

    def instrument(self, symbol: str) -> np.ndarray:
        """(n,) USD closes of one instrument on `dates`, NaN where unknown. Raises MissingPriceError."""
        if symbol not in self.instruments:
            raise MissingPriceError([symbol], self.instruments)
        return self.instrument_closes[:, self.instruments.index(symbol)]

    def columns(self, assets: Sequence[str]) -> list[int]:
        """Columns of the assets. Raises MissingPriceError naming those without prices."""
        missing = [a for a in assets if a not in self._column]
        if missing:
            raise MissingPriceError(missing, self.assets)
        return [self._column[a] for a in assets]

    def life(self, asset: str, moment: Any = None) -> tuple[int, int]:
        """(first row, row after the last) of the life of a ticker that `moment` falls into; the last one for None."""
        starts = self._lives.get(self._column.get(asset, -1))
        if starts is None:
            return 0, len(self.dates)
        upto = self._upto(moment)
        number = int(np.searchsorted(starts, upto - 1, side="right"))
        edges = (0, *starts.tolist(), len(self.dates))
        return edges[number], edges[number + 1]

    def aligned(self, assets: Sequence[str], as_of: Any = None, life_at: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """(dates (m,), closes (m, k)) on which every asset has a close, up to and including `as_of`.

        assets  : also symbols of `instruments`, which stand for their own closes
        life_at : of a ticker with several lives the one this date falls into counts, else that of `as_of`
        Raises MissingPriceError for an unknown asset, InputError when no common date is left.
        """
        block = self._block(assets)
        upto = self._upto(as_of)
        keep = ~np.isnan(block[:upto]).any(axis=1)
        if self._lives:
            for asset in assets:
                first, last = self.life(asset.split("/")[0], as_of if life_at is None else life_at)
                keep[:first] = keep[last:] = False
        dates, rows = self.dates[:upto][keep], block[:upto][keep]
        if not len(dates):
            raise InputError("as_of", _day(as_of), self._why_empty(assets, upto), "Pick a later date or other assets.")
        return dates, rows

    def _block(self, names: Sequence[str]) -> np.ndarray:
        """(n, k) USD closes of assets, and of instruments with closes of their own."""
        if not self.instruments or not set(names) & set(self.instruments):
            return self.closes[:, self.columns(names)]
        return np.column_stack([self._series(name) for name in names])

    def _series(self, name: str) -> np.ndarray:
        if name in self.instruments:
            return self.instrument(name)
        column: np.ndarray = self.closes[:, self.columns([name])[0]]
        return column

    def _upto(self, as_of: Any) -> int:
        if as_of is None:
            return len(self.dates)
        return int(np.searchsorted(self.dates, parse_date(as_of).to_datetime64(), side="right"))

    def _why_empty(self, assets: Sequence[str], upto: int) -> str:
        for asset in assets:
            held = np.flatnonzero(~np.isnan(self._series(asset)))
            if not len(held):
                return f"{asset} has no close at all"
            if held[0] >= upto:
                return f"{asset} has no close before {str(self.dates[held[0]])[:10]}"
        return f"no date has a close of every one of {', '.join(assets)}"

    def _no_close_by(self, asset: str, as_of: Any) -> str:
        """Why there is no price then, with the day it has its first."""
        held = np.flatnonzero(~np.isnan(self._series(asset)))
        first = f": its first is of {str(self.dates[held[0]])[:10]}" if len(held) else ": it has none at all"
        return f"no close by {str(self.dates[-1])[:10] if as_of is None else date_text(parse_date(as_of))}{first}"

    def price(self, asset: str, as_of: Any = None) -> float:
        """Last close of one asset not after `as_of` and at most four days old, USD. USD itself is 1."""
        if asset == "USD":
            return 1.0
        column = self._series(asset)[: self._upto(as_of)]
        held = np.flatnonzero(~np.isnan(column))
        if not len(held):
            raise MissingPriceError([asset], self.assets, self._no_close_by(asset, as_of))
        asked = parse_date(as_of).to_datetime64() if as_of is not None else self.dates[-1]
        age = (asked - self.dates[held[-1]]) / np.timedelta64(1, "D")
        if age > MAX_STALE_DAYS:
            problem = f"last close is {age:.0f} days old"
            raise MissingPriceError([asset], self.assets, problem)
        return float(column[held[-1]])

    def collateral_price(self, asset: str, as_of: Any = None) -> tuple[float, str]:
        """(USD price, note). A dollar stablecoin without a recent close is taken at par, and the note says so.

        Raises MissingPriceError for any other asset without a recent close.
        """
        if asset in USD_STABLECOINS and asset not in self._column and asset not in self.instruments:
            return 1.0, f"{asset} is taken at 1 USD: no price history"  # the common case, without an error in between
        try:
            return self.price(asset, as_of), ""
        except MissingPriceError as error:
            if asset not in USD_STABLECOINS:
                raise
            return 1.0, f"{asset} is taken at 1 USD: {error.problem}"

    def median_volume(self, asset: str, as_of: Any = None, days: int = 90) -> float | None:
        """Median USD traded per day over the last `days` rows up to `as_of`; None when unknown."""
        if self.volumes is None or asset not in self._column:
            return None
        upto = self._upto(as_of)
        medians = self.remember(("median volumes", upto, days), lambda: self._medians(upto, days))
        found = float(medians[self._column[asset]])
        return found if np.isfinite(found) else None

    def _medians(self, upto: int, days: int) -> np.ndarray:
        """(k,) median of each asset's known volumes over the last `days` rows; NaN where none is known."""
        assert self.volumes is not None
        window = self.volumes[:upto][-days:]
        for column in self._lives:
            first = self.life(self.assets[column], self.dates[upto - 1])[0] if upto else 0
            window = window.copy()
            window[: max(first - (upto - len(window)), 0), column] = np.nan
        window = np.sort(window, axis=0)  # NaN last
        counts = (~np.isnan(window)).sum(axis=0)
        if not len(window):
            return np.full(window.shape[1], np.nan)
        at = np.arange(window.shape[1])
        below = window[np.maximum(counts - 1, 0) // 2, at]
        above = window[np.minimum(counts // 2, len(window) - 1), at]
        medians: np.ndarray = np.where(counts > 0, (below + above) / 2.0, np.nan)
        return medians

    def returns(
        self, assets: Iterable[str], as_of: Any = None, horizon: int = 1, lookback: int | None = None
    ) -> Returns:
        """Overlapping `horizon`-step simple returns on the assets' common dates.

        A step of more than four calendar days (a halt, a hole in the data) drops every return across it.
        lookback : keep the last so many; None keeps all
        Raises InputError when fewer than two returns are left.
        """
        names = tuple(assets)
        horizon = whole_number(horizon, "horizon", 1, 365)
        if lookback is not None:
            lookback = whole_number(lookback, "lookback", 2, 100_000)
        dates, closes = self.aligned(names, as_of)
        values, ends = step_returns(dates, closes, horizon)
        if lookback is not None:
            values, ends = values[-lookback:], ends[-lookback:]
        if len(values) < 2:
            hint = "Use a later as-of date, a shorter horizon or longer price history."
            raise InputError("prices", f"{len(values)} returns", "too little common history", hint)
        as_of_used = pd.Timestamp(dates[-1])
        return Returns(
            values=values,
            dates=ends,
            assets=names,
            prices=closes[-1],
            as_of=as_of_used,
            horizon=horizon,
            closes=closes,
            close_dates=dates,
        )


def step_returns(dates: np.ndarray, closes: np.ndarray, horizon: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(returns (n, k), end dates (n,)) over `horizon` successive rows, without those that cross a long pause.

    dates : (m,) datetime64, closes : (m, k) USD without NaN
    """
    if len(dates) <= horizon:
        return np.empty((0, closes.shape[1])), dates[:0]
    values = closes[horizon:] / closes[:-horizon]
    values -= 1.0
    pauses = np.concatenate(([0], np.cumsum(np.diff(dates) > np.timedelta64(MAX_STEP_DAYS, "D"))))
    if not pauses[-1]:
        return values, dates[horizon:]
    keep = pauses[horizon:] == pauses[:-horizon]
    return values[keep], dates[horizon:][keep]


def _uneven(assets: Sequence[str], closes: np.ndarray) -> list[str]:
    """The assets that may have a jump: with a step of that size, or a hole, where the step across is not seen here."""
    if len(closes) < 2:
        return []
    with np.errstate(invalid="ignore"):
        ratios = closes[1:] / closes[:-1]
        large = (ratios >= LEAST_JUMP) | (ratios <= 1.0 / LEAST_JUMP)
    held = ~np.isnan(closes)
    begins, ends = held.argmax(axis=0), len(held) - held[::-1].argmax(axis=0)
    holes = held.sum(axis=0) < ends - begins
    return [a for a, odd in zip(assets, large.any(axis=0) | holes, strict=True) if odd]


def _lives(dates: np.ndarray, closes: np.ndarray) -> dict[int, np.ndarray]:
    """By column: the rows with which another life of its ticker begins; only columns that have one."""
    found = {}
    held = ~np.isnan(closes)
    count, first, last = held.sum(axis=0), held.argmax(axis=0), len(held) - held[::-1].argmax(axis=0)
    paused = bool((np.diff(dates) > np.timedelta64(MAX_STEP_DAYS, "D")).any())
    for column in np.flatnonzero((count > 1) & (paused | (count < last - first))):
        rows = np.flatnonzero(held[:, column])
        starts = life_starts(dates[rows], closes[rows, column])
        if len(starts):
            found[int(column)] = rows[starts]
    return found


def as_market(prices: "pd.DataFrame | Market", volumes: pd.DataFrame | None = None) -> Market:
    """`prices` itself when it is a Market, else a Market of the frame."""
    return prices if isinstance(prices, Market) else Market(prices, volumes)


def _day(as_of: Any) -> str:
    return "the last date" if as_of is None else str(parse_date(as_of))[:10]
