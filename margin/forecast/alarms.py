"""At which odds should one be woken? Past lives of this book: alarms, calls, and how long between them.

A life: the book as it stands with money for a distance, left alone for 28 days or until it is called. An alarm rings
when the odds over the horizon pass the line and rings again only after they fell to half of it. It was right if a call
follows within the horizon, false otherwise. Odds are those of the closed form, corrected. docs/forecast.md.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.forecast.calibration import Calibration
from margin.forecast.first_passage import hit_probability
from margin.forecast.past import LEAST_DAYS, Past
from margin.forecast.volatility import decay_per_step, ewma_variance

LIFE_DAYS = 28
LINES = (0.02, 0.05, 0.10, 0.20, 0.30, 0.50)
DISTANCES = (1.5, 2.0, 2.5, 3.0)  # of the life, in long-run sigmas of the horizon, at its start
FEWEST_CALLS = 10


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One line. None where there were no alarms, or too few calls.

    false_a_month : alarms without a call within the horizon, per account-month
    caught : share of calls with an alarm within the horizon before them; lead_hours: median time between the two
    precision : share of alarms that a call followed
    """

    line: float
    false_a_month: float
    caught: float | None
    lead_hours: float | None
    precision: float | None


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """What each line would have meant. lives, calls, months : how much that rests on."""

    days: float
    lives: int
    calls: int
    months: float
    rows: tuple[Alarm, ...]


def alarms(
    past: Past,
    exposures: np.ndarray,
    assets: tuple[str, ...],
    days: float,
    calibration: Calibration,
    lines: tuple[float, ...] = LINES,
) -> Alarms:
    """Every non-overlapping life of 28 days in `past`, at each distance. Raises InputError where none fits."""
    values = past.columns(assets)
    life = round(LIFE_DAYS * past.steps_per_day)
    ahead = max(round(days * past.steps_per_day), 1)
    burn = round(LEAST_DAYS / 2 * past.steps_per_day)
    x = values @ exposures
    if len(x) < 2 * burn + life:
        raise InputError("prices", f"{past.days:.0f} days", f"too short for a life of {LIFE_DAYS} days", "Add prices.")
    variance = ewma_variance(x, decay_per_step(past.steps_per_day), float(np.var(x[:burn])))
    counted = [_Count() for _ in lines]
    lives = calls = 0
    lived = 0.0
    for start in range(2 * burn, len(x) - life + 1, life):
        moved = np.cumprod(1.0 + values[start : start + life], axis=0) @ exposures - exposures.sum()
        spread = float(np.std(x[:start])) * np.sqrt(ahead)
        sigma = np.sqrt(variance[start + 1 : start + 1 + life])
        for d in DISTANCES:
            gap = d * spread + moved
            hit = np.flatnonzero(gap <= 0)
            end = int(hit[0]) if len(hit) else life
            odds = calibration.apply(hit_probability(gap[:end], sigma[:end], float(ahead), watched="closes"), days)
            lives, calls, lived = lives + 1, calls + bool(len(hit)), lived + end / past.steps_per_day
            for line, count in zip(lines, counted, strict=True):
                count.add(odds, line, end if len(hit) else None, ahead)
    return Alarms(
        days=days,
        lives=lives,
        calls=calls,
        months=lived / 30.0,
        rows=tuple(
            c.row(line, calls, lived / 30.0, past.steps_per_day) for line, c in zip(lines, counted, strict=True)
        ),
    )


class _Count:
    """Alarms at one line, over all lives."""

    def __init__(self) -> None:
        self.false = self.right = 0
        self.leads: list[int] = []

    def add(self, odds: np.ndarray, line: float, call: int | None, ahead: int) -> None:
        armed, first = True, None
        for t in _changes(odds, line):
            if armed and odds[t] >= line:
                armed = False
                if call is not None and call - t <= ahead:
                    self.right += 1
                    first = t if first is None else first
                else:
                    self.false += 1
            elif not armed and odds[t] < line / 2.0:
                armed = True
        if call is not None and first is None and not armed and len(odds):
            # It rang long before and never stopped: known all the time of the horizon.
            first = call - ahead
        if call is not None and first is not None:
            self.leads.append(call - max(first, 0))

    def row(self, line: float, calls: int, months: float, steps_per_day: float) -> Alarm:
        rung = self.false + self.right
        enough = calls >= FEWEST_CALLS
        return Alarm(
            line=line,
            false_a_month=self.false / months if months > 0 else 0.0,
            caught=len(self.leads) / calls if enough else None,
            lead_hours=float(np.median(self.leads)) * 24.0 / steps_per_day if enough and self.leads else None,
            precision=self.right / rung if rung and enough else None,
        )


def _changes(odds: np.ndarray, line: float) -> list[int]:
    """Steps at which the odds pass the line or half of it, either way; the first one too."""
    zone = (odds >= line).astype(int) + (odds >= line / 2.0)
    return np.flatnonzero(np.concatenate(([True], zone[1:] != zone[:-1])))[: len(odds)].tolist() if len(odds) else []
