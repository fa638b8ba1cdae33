"""A price table of any spacing made daily: closes, highs, lows, other instruments and what was noticed on the way."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.core.spacing import days_of, is_dense, last_day_is_open, measure, too_coarse

HIGH, LOW = "_high", "_low"
JUMP, JUMP_SIGMAS, CALM = np.log(1.9), 12.0, 0.1
AROUND = 20  # closes on either side of a jump that say whether the market was calm
PAUSE_DAYS = 4
OTHER_LIFE, OTHER_LIFE_DOWN = np.log(10.0), np.log(0.01)  # a fall through a halt may be real (FTT), such a rise is not
LEAST_JUMP = 1.89  # a factor just below a jump: looked for before any logarithm is taken
NEVER_A_RISE = np.log(20.0)  # no market rises so much from one close to the next; falls may be real (LUNA)
ROUNDING = 1e-6  # highs and lows may be off by a rounding of the source


@dataclass(kw_only=True)
class Daily:
    """Daily tables of one price file. `fine` holds the finer columns as they came; None where all were daily."""

    closes: pd.DataFrame
    highs: pd.DataFrame
    lows: pd.DataFrame
    instruments: pd.DataFrame
    fine: pd.DataFrame | None = None
    findings: list[tuple[str, str]] = field(default_factory=list)  # (asset, one line)


def make_daily(frame: pd.DataFrame) -> Daily:
    """Daily closes of `frame` (ascending unique UTC index, float cells, NaN where unknown).

    Columns `BTC_high` and `BTC_low` beside a column `BTC`, and columns named by a unified symbol (`BTC/USDT:USDT`)
    beside the asset's own, are kept apart from the closes. Raises InputError for an asset with prices further apart
    than a day.
    """
    names = [str(c) for c in frame.columns]
    own = {n for n in names if "/" not in n and not n.endswith((HIGH, LOW))}
    ranges = {n for n in names if n.endswith((HIGH, LOW)) and n.rsplit("_", 1)[0] in own}
    instruments = [n for n in names if "/" in n and n.split("/")[0] in own]
    findings: list[tuple[str, str]] = []
    index = pd.DatetimeIndex(frame.index)
    stamps = index.to_numpy().astype("datetime64[s]")
    midnight = bool((stamps == stamps.astype("datetime64[D]")).all())
    cells = frame.to_numpy(dtype=float)
    series: dict[str, pd.Series] = {}
    fine: dict[str, pd.Series] = {}
    for number, name in enumerate(names):
        held = ~np.isnan(cells[:, number])
        when = stamps[held]
        if midnight and is_dense(when):
            continue
        shown = name.rsplit("_", 1)[0] if name in ranges else name
        if name in ranges:  # as far apart as its asset's closes, however few it has
            held = held & ~np.isnan(cells[:, names.index(shown)])
            when = stamps[held]
            found = measure(stamps[~np.isnan(cells[:, names.index(shown)])])
        else:
            found = measure(when)
        if name not in ranges and (coarse := too_coarse(when)) is not None:
            raise InputError(
                f"prices {shown}",
                f"one close every {coarse}",
                "is coarser than daily and cannot be counted as days",
                "Give daily closes (or finer ones: they become daily).",
            )
        if midnight:
            continue
        how = "max" if name.endswith(HIGH) and name in ranges else "min" if name in ranges else "last"
        if found.kind == "finer":
            fine[name] = pd.Series(cells[held, number], index[held])
            days = when.astype("datetime64[D]")
            text = f"{shown} has a price every {found}: the last one of each UTC day is its daily close"
            if last_day_is_open(when, found.hours):
                keep = days < days[-1]
                text += f"; {days[-1]} is not over and left out"
            else:
                keep = np.ones(len(days), bool)
            if name == shown:
                findings.append((shown, text))
            values = cells[held, number][keep]
            days = days[keep]
        else:
            days, values = days_of(when), cells[held, number]
            twice = len(days) - len(np.unique(days))
            if twice and name == shown:
                findings.append((shown, f"{shown} has {twice} days with more than one close: the last one counts"))
        series[name] = pd.Series(values, days.astype("datetime64[ns]")).groupby(level=0).agg(how)
    if not midnight:
        # Empty columns too keep their place.
        frame = pd.DataFrame({n: series.get(n, pd.Series(dtype=float)) for n in names}).sort_index()
        frame.index = pd.DatetimeIndex(frame.index, name="date")
        frame = frame.reindex(columns=names)
    closes = frame[[n for n in names if n not in ranges and n not in instruments]]
    blank = pd.DataFrame(np.nan, frame.index, closes.columns)
    highs, lows = blank, blank
    if ranges:
        highs, lows = blank.copy(), blank.copy()
        for name in ranges:
            (highs if name.endswith(HIGH) else lows)[name.rsplit("_", 1)[0]] = frame[name]
        findings += _odd_ranges(closes, highs, lows)
    finer = pd.DataFrame(fine) if fine else None
    return Daily(closes=closes, highs=highs, lows=lows, instruments=frame[instruments], fine=finer, findings=findings)


def _odd_ranges(closes: pd.DataFrame, highs: pd.DataFrame, lows: pd.DataFrame) -> list[tuple[str, str]]:
    """A high below the close, or a low above it, becomes the close, in place; a line per asset."""
    with np.errstate(invalid="ignore"):
        wrong = ((highs < closes * (1 - ROUNDING)) | (lows > closes * (1 + ROUNDING))).to_numpy()
    if not wrong.any():
        return []
    highs[:] = np.where(wrong, np.maximum(highs, closes), highs)
    lows[:] = np.where(wrong, np.minimum(lows, closes), lows)
    return [
        (str(asset), f"{asset} has {int(count)} days with a high below the close or a low above it: the close counts")
        for asset, count in zip(closes.columns, wrong.sum(axis=0), strict=True)
        if count
    ]


def life_starts(dates: np.ndarray, closes: np.ndarray) -> np.ndarray:
    """Rows (of n) with which another life of a ticker begins: LUNA in May 2022.

    Prices that go on after a pause of more than four days at ten times what they were, or at a hundredth.
    dates : (n,) datetime64, ascending; closes : (n,) USD, finite and above zero
    """
    pause = np.diff(dates) > np.timedelta64(PAUSE_DAYS, "D")
    if not pause.any():
        return np.zeros(0, np.intp)
    steps = np.diff(np.log(closes))
    return np.flatnonzero(pause & ((steps >= OTHER_LIFE) | (steps <= OTHER_LIFE_DOWN))) + 1


def daily_volumes(volumes: pd.DataFrame) -> pd.DataFrame:
    """USD traded per day out of a table of any spacing: finer rows are summed, stamps moved to their days."""
    stamps = pd.DatetimeIndex(volumes.index).to_numpy().astype("datetime64[s]")
    if bool((stamps == stamps.astype("datetime64[D]")).all()):
        return volumes
    finer = measure(stamps).kind == "finer"
    days = (stamps.astype("datetime64[D]") if finer else days_of(stamps)).astype("datetime64[ns]")
    return volumes.groupby(pd.DatetimeIndex(days, name="date")).sum(min_count=1)


def _middle(values: np.ndarray) -> float:
    """The median of a few numbers, in a twentieth of NumPy's time."""
    ordered: list[float] = sorted(values.tolist())
    return 0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])


def odd_jumps(asset: str, dates: np.ndarray, closes: np.ndarray) -> list[str]:
    """What looks like no market move: a jump that stays in a calm market (split, redenomination), another life.

    A jump is a one-step move by a factor of 1.9 or more that is at least 12 times the usual daily move (1.4826 x the
    median absolute log return of the 20 closes before it and after it), with calm on both sides: the usual move is at
    most a tenth of it; or a rise of 20 times, calm or not. Another life: see `life_starts`.
    """
    if len(closes) < 3 or not (closes > 0).all():
        return []
    ratios = closes[1:] / closes[:-1]
    if ratios.max() < LEAST_JUMP and ratios.min() > 1.0 / LEAST_JUMP:
        return []
    logs = np.log(closes)
    steps = np.diff(logs)
    pause = np.diff(dates) / np.timedelta64(1, "D") > PAUSE_DAYS
    found = []
    lives = set((life_starts(dates, closes) - 1).tolist())
    for at in np.flatnonzero(np.abs(steps) >= JUMP).tolist():
        day = str(dates[at + 1])[:10]
        factor = float(np.exp(abs(steps[at])))
        said = f"{factor:.4g}:1 {'up' if steps[at] > 0 else 'down'}"
        if at in lives:
            found.append(
                f"{asset} goes on {said} after a pause until {day}: another life of the ticker; "
                "what came before it is not compared with what came after"
            )
            continue
        if pause[at]:
            if steps[at] <= -OTHER_LIFE:
                found.append(f"{asset} goes on {said} after a pause until {day}: no return is taken across")
            continue
        before, after = np.abs(steps[max(at - AROUND, 0) : at]), np.abs(steps[at + 1 : at + 1 + AROUND])
        known = [part for part in (before, after) if len(part) >= 2]  # at the very end, or start, one side must do
        sudden = steps[at] >= NEVER_A_RISE
        if not known and not sudden:
            continue
        usual = 1.4826 * max([_middle(part) for part in known], default=0.0)
        usual = max(usual, 1e-6)
        level = logs[at + 1 : at + 1 + AROUND]
        stays = abs(_middle(level) - logs[at]) >= 0.5 * abs(steps[at])
        if (sudden or abs(steps[at]) >= max(JUMP_SIGMAS * usual, usual / CALM)) and stays:
            where = "and stays there" if len(after) >= 2 else "at the end of its prices"
            found.append(
                f"{asset} jumps {said} on {day} {where}: a split, a redenomination or a renamed ticker? "
                "It counts as a loss or gain until the earlier closes are adjusted"
            )
    return found
