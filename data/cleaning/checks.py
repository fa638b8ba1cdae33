"""The checks of one series. Each takes sorted, unique candles and returns them with what it found.

A price is only removed when it cannot have been one: the tests for bad prints are set so that every recorded crash
stays (12 March 2020, Luna, FTX, 10 October 2025), because a crash that was cleaned away is a risk that is not shown.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.model import Interval
from margin.core.daily import life_starts, odd_jumps

CANDLES_PER_DAY = {"1d": 1, "1h": 24}
WINDOW, ENOUGH = 60, 15  # returns before a candle that say what is usual, and how many are enough
SMALLEST_SIGMA = 5e-4  # a pegged coin that never moves still gets a scale
BAD_CLOSE, BAD_CLOSE_SIGMAS, RETURNED = np.log(2), 12.0, 0.25
SUSPECT_CLOSE, SUSPECT_SIGMAS = 0.2, 12.0
BAD_WICK, BAD_WICK_SIGMAS = np.log(2), 150.0
FROZEN, LEAST_MOVE = {"1d": 5, "1h": 24}, 0.002  # steps without a move; a series that else moves so much a day
ROUNDING = 1e-6  # highs and lows may be off by a rounding of the source


@dataclass(frozen=True)
class Found:
    """A finding of one series before it has its asset: times concerned; `count` when that is not len(times)."""

    kind: str
    times: pd.DatetimeIndex
    action: str
    detail: str = ""
    count: int | None = None


Checked = tuple[pd.DataFrame, list[Found]]


def usual_move(close: pd.Series, interval: Interval) -> np.ndarray:
    """Robust daily volatility before each candle: 1.4826 x median |log return| of the last 60, per sqrt(day)."""
    size = np.log(close).diff().abs()
    before = size.rolling(WINDOW, min_periods=min(ENOUGH, max(len(size) - 2, 1))).median().shift(1).bfill()
    sigma = 1.4826 * before.to_numpy() * np.sqrt(CANDLES_PER_DAY[interval])
    found: np.ndarray = np.maximum(np.nan_to_num(sigma, nan=SMALLEST_SIGMA), SMALLEST_SIGMA)
    return found


def odd_ranges(frame: pd.DataFrame, interval: Interval) -> Checked:
    """Open, high and low that contradict each other or the close are left empty; the close stays."""
    open_, high, low = frame["open"], frame["high"], frame["low"]
    body = frame[["open", "close"]]
    wrong = (high < body.max(axis=1) * (1 - ROUNDING)) | (low > body.min(axis=1) * (1 + ROUNDING)) | (high < low)
    wrong |= (open_ <= 0) | (high <= 0) | (low <= 0) | np.isinf(open_) | np.isinf(high) | np.isinf(low)
    if not wrong.any():
        return frame, []
    row = frame[wrong].iloc[0]
    frame = frame.copy()
    frame.loc[wrong, ["open", "high", "low"]] = np.nan
    detail = f"e.g. high {row['high']:g}, low {row['low']:g}, close {row['close']:g}"
    return frame, [Found("range", times(frame, wrong), "open, high and low left empty", detail)]


def bad_prints(frame: pd.DataFrame, interval: Interval) -> Checked:
    """A close or a wick that no market made: far outside the usual, for one candle, and back again."""
    frame, closes = _bad_closes(frame, interval)
    frame, wicks = _bad_wicks(frame, interval)
    return frame, closes + wicks


def _bad_closes(frame: pd.DataFrame, interval: Interval) -> Checked:
    if len(frame) < 3:
        return frame, []
    log_close = np.log(frame["close"].to_numpy())
    there, back = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    there[1:], back[:-1] = np.diff(log_close), np.diff(log_close)
    size = np.minimum(np.abs(there), np.abs(back))
    with np.errstate(invalid="ignore"):
        returned = (there * back < 0) & (np.abs(there + back) <= RETURNED * size)
        if not (returned & (size >= min(BAD_CLOSE, SUSPECT_CLOSE))).any():
            return frame, []  # the usual move need not be measured: most of the time a file takes
        sigmas = size / usual_move(frame["close"], interval)
        # The next candle opens where this one closed: it did trade there.
        next_open = np.log(np.append(frame["open"].to_numpy()[1:], np.nan))
        traded = np.abs(next_open - log_close) <= RETURNED * size
        bad = returned & (size >= BAD_CLOSE) & (sigmas >= BAD_CLOSE_SIGMAS) & ~traded
        suspect = returned & (size >= SUSPECT_CLOSE) & (sigmas >= SUSPECT_SIGMAS) & ~bad
    found = []
    if suspect.any():
        detail = _example(frame, suspect)
        found.append(Found("suspect print", times(frame, suspect), "kept", f"{detail}; it may have traded there"))
    if bad.any():
        found.append(Found("bad print", times(frame, bad), "dropped", _example(frame, bad)))
    return frame[~bad], found


def _example(frame: pd.DataFrame, where: np.ndarray) -> str:
    row = int(np.flatnonzero(where)[0])
    before, close, after = frame["close"].iloc[row - 1 : row + 2]
    return f"close {close:g} between {before:g} and {after:g}"


def _bad_wicks(frame: pd.DataFrame, interval: Interval) -> Checked:
    if len(frame) < 3:
        return frame, []
    usual: np.ndarray | None = None
    body = frame[["open", "close"]]
    found = []
    for side, depth in (
        ("low", np.log(body.min(axis=1) / frame["low"])),
        ("high", np.log(frame["high"] / body.max(axis=1))),
    ):
        if not (depth >= BAD_WICK).any():
            continue
        usual = usual_move(frame["close"], interval) if usual is None else usual
        bad = ((depth >= BAD_WICK) & (depth / usual >= BAD_WICK_SIGMAS)).to_numpy()
        if bad.any():
            row = frame[bad].iloc[0]
            frame = frame.copy()
            frame.loc[bad, side] = np.nan
            detail = f"{side} {row[side]:g} in a candle that opened at {row['open']:g} and closed at {row['close']:g}"
            found.append(Found("bad print", times(frame, bad), f"{side} left empty", detail))
    return frame, found


def volumes(frame: pd.DataFrame, interval: Interval) -> Checked:
    """A negative or infinite volume is unknown."""
    wrong = (frame["volume"] < 0) | np.isinf(frame["volume"])
    if not wrong.any():
        return frame, []
    frame = frame.copy()
    frame.loc[wrong, "volume"] = np.nan
    return frame, [Found("volume", times(frame, wrong), "volume left empty", "a volume below zero or infinite")]


def no_trades(frame: pd.DataFrame, interval: Interval) -> Checked:
    """Candles without a trade repeat an old price; they stay, but they make a market look calmer than it is."""
    idle = (frame["volume"] == 0).to_numpy()
    if not idle.any():
        return frame, []
    detail = f"volume 0 in {idle.mean():.1%} of the candles: the price is carried on, not traded"
    return frame, [Found("no trades", times(frame, idle), "kept", detail)]


def lives(frame: pd.DataFrame, interval: Interval) -> Checked:
    """Two lives of one ticker (LUNA): after a pause prices go on at ten times, or a hundredth; see `life_starts`.

    Only the later life is kept: nothing about the earlier one says anything of what trades under the name now.
    """
    if len(frame) < 2:
        return frame, []
    starts = life_starts(frame.index.to_numpy(), frame["close"].to_numpy())
    if not len(starts):
        return frame, []
    start = int(starts[-1])
    before, after = frame["close"].iloc[start - 1], frame["close"].iloc[start]
    detail = f"close {before:g}, then {after:g} from {frame.index[start]:%Y-%m-%d}: another life of the ticker"
    return frame.iloc[start:], [Found("two lives", pd.DatetimeIndex(frame.index[:start]), "dropped", detail)]


def jumps(frame: pd.DataFrame, interval: Interval) -> Checked:
    """A jump that stays in a calm market: a split, a redenomination, a renamed ticker. Kept, and named."""
    found = odd_jumps("it", frame.index.to_numpy(), frame["close"].to_numpy())
    if not found:
        return frame, []
    times_ = pd.DatetimeIndex([pd.Timestamp(day) for day in _days_in(found)])
    return frame, [Found("jump", times_, "kept", found[0].removeprefix("it "))]


def frozen(frame: pd.DataFrame, interval: Interval) -> Checked:
    """The same close many times in a row where the price else moves: carried forward, not traded. Kept, and named.

    At least `FROZEN` steps without a move, in a series whose other steps move (at most a twentieth do not), by 0.2% a
    day or more in the median: a coin pegged to the dollar and a market closed on weekends are none.
    """
    close = frame["close"].to_numpy()
    if len(close) < 2 * FROZEN[interval]:
        return frame, []
    still = np.concatenate(([False], close[1:] == close[:-1]))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], still.astype(int), [0]))))
    runs = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start >= FROZEN[interval]]
    inside = np.zeros(len(close), dtype=bool)
    for start, end in runs:
        inside[start:end] = True
    moves = np.abs(np.diff(np.log(close)))[~still[1:]]
    rest = ~inside[1:]
    usual = float(np.median(moves)) * np.sqrt(CANDLES_PER_DAY[interval]) if len(moves) else 0.0
    if not runs or usual < LEAST_MOVE or still[1:][rest].mean() > 0.05:
        return frame, []
    start, end = max(runs, key=lambda run: run[1] - run[0])
    first = frame.index[start - 1].date()
    detail = (
        f"the same close {end - start + 1} times in a row from {first}: carried forward, so it looks calmer than it was"
    )
    return frame, [Found("frozen", times(frame, inside), "kept", detail)]


def _days_in(texts: list[str]) -> list[str]:
    return [match[0] for text in texts if (match := re.search(r"\d{4}-\d{2}-\d{2}", text))]


def trades_weekends(index: pd.Index) -> bool:
    """Whether a series has the seven-day week of a coin market. Decided by its own stamps."""
    days = pd.DatetimeIndex(index)
    span = (days[-1] - days[0]).days if len(days) else 0
    return span < 7 or float((days.day_of_week >= 5).mean()) > 0.05


def gaps(frame: pd.DataFrame, interval: Interval) -> Checked:
    """Candles missing between the first and the last; for a five-day market two missing weekdays in a row or more."""
    if len(frame) < 2:
        return frame, []
    index = pd.DatetimeIndex(frame.index)
    if trades_weekends(index):
        unit = "days" if interval == "1d" else "hours"
        step = pd.Timedelta(1, unit="D" if interval == "1d" else "h")
        missing = pd.date_range(index[0], index[-1], freq=step, unit="us").difference(index)
        runs = _runs(missing, step)
        detail = f"longest {len(max(runs, key=len))} {unit} from {max(runs, key=len)[0]:%Y-%m-%d}" if runs else ""
        return frame, [Found("gap", missing, "left empty", detail)] if runs else []
    weekdays = pd.bdate_range(index[0].normalize(), index[-1].normalize()).as_unit("us")
    runs = _runs(weekdays.difference(index.normalize()), None)
    holidays, long = [r for r in runs if len(r) == 1], [r for r in runs if len(r) > 1]
    if not long:
        return frame, []
    days = pd.DatetimeIndex(np.concatenate([r.to_numpy() for r in long]))
    detail = f"longest {len(max(long, key=len))} weekdays from {max(long, key=len)[0]:%Y-%m-%d}"
    single = f"; {len(holidays)} single weekdays are taken for holidays" if holidays else ""
    return frame, [Found("gap", days, "left empty", detail + single)]


def _runs(missing: pd.DatetimeIndex, step: pd.Timedelta | None) -> list[pd.DatetimeIndex]:
    """Stretches of neighbouring times: `step` apart, or successive weekdays when step is None."""
    if not len(missing):
        return []
    if step is None:
        day = missing.to_numpy().astype("datetime64[D]")
        apart = np.busday_count(day[:-1], day[1:]) > 1
    else:
        apart = np.asarray((missing[1:] - missing[:-1]) > step)
    return [missing[part] for part in np.split(np.arange(len(missing)), np.flatnonzero(apart) + 1)]


def times(frame: pd.DataFrame, where: "np.ndarray | pd.Series") -> pd.DatetimeIndex:
    """The open times of the rows where `where` is true."""
    return pd.DatetimeIndex(frame.index[np.asarray(where)])
