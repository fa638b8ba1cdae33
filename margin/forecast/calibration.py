"""Odds corrected by how such odds came true: P = 1 / (1 + exp(-(a + b logit p))), a and b by horizon.

Source: Platt (1999), "Probabilistic outputs for support vector machines".
"""

import json
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.forecast.first_passage import Watched

CLIP = 1e-4  # structural odds below or above 1 - this say no more than that
LARGE_CHANGE = 3.0  # a correction by more than this factor is shown beside the uncorrected odds


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """a, b at horizons in days (ascending), interpolated linearly in the log of the horizon, flat outside.

    source : "table", "own" or "none"; fitted : date; sample : what on; rows, windows : how much that was
    """

    days: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    source: str
    sample: str = ""
    fitted: str | None = None
    rows: int = 0
    windows: int = 0

    def __post_init__(self) -> None:
        if not self.days or len(self.a) != len(self.days) or len(self.b) != len(self.days):
            raise InputError("calibration", self.days, "needs as many a and b as horizons")
        if any(b <= 0 for b in self.b):
            raise InputError("calibration", min(self.b), "a slope must be above 0: more distance, lower odds")

    def coefficients(self, days: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Intercept and slope in logits for horizons of so many days, between table rows by log time."""
        if isinstance(days, float):
            return _at(self, days)
        at, known = np.log(np.asarray(days, dtype=float)), np.log(self.days)
        return np.interp(at, known, self.a), np.interp(at, known, self.b)

    def apply(self, odds: np.ndarray | float, days: np.ndarray | float) -> np.ndarray:
        """Corrected odds. odds, days : broadcast. Odds of exactly 0 or 1 stay: nothing can, or everything must, hit."""
        p = np.asarray(odds, dtype=float)
        a, b = self.coefficients(days)
        found = 1.0 / (1.0 + np.exp(-(a + b * logit(p))))
        return np.where(p <= 0.0, 0.0, np.where(p >= 1.0, 1.0, found))


@lru_cache(maxsize=256)
def _at(known: Calibration, days: float) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients of one horizon, kept: a search for a line asks for them a hundred times."""
    return known.coefficients(np.asarray(days))


TABLE = Path(__file__).with_name("calibration_table.json")


@cache
def table(step: str, watched: Watched = "continuous") -> Calibration:
    """The stored correction for forecasts from hourly ("hour" and anything finer than a day) or daily prices.

    Made by `python -m benchmarks.bench_forecast --write` on recorded prices, for each way of watching on labels watched
    that way; docs/forecast.md says what it rests on.
    """
    own = _stored(step, watched)
    return Calibration(
        days=tuple(map(float, own["days"])), a=tuple(own["a"]), b=tuple(own["b"]), source="table",
        sample=own["sample"], fitted=own["fitted"], rows=own["rows"], windows=own["windows"],
    )  # fmt: skip


def scoreboard(step: str, watched: Watched = "continuous") -> tuple[dict[str, Any], ...]:
    """The scores behind the stored correction, out of sample: model, brier, log, skill with low and high (percent)."""
    return tuple(_stored(step, watched)["scores"])


def _stored(step: str, watched: Watched) -> dict[str, Any]:
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    return {"fitted": read["fitted"], **read["day" if step == "day" else "hour"][watched]}


NONE = Calibration(days=(1.0,), a=(0.0,), b=(1.0,), source="none", sample="odds as the paths give them")


def logit(p: np.ndarray | float) -> np.ndarray:
    """Log odds, clipped at 1 in 10,000."""
    held = np.minimum(np.maximum(np.asarray(p, dtype=float), CLIP), 1.0 - CLIP)
    found: np.ndarray = np.log(held / (1.0 - held))
    return found


def pool(first: np.ndarray | float, second: np.ndarray | float) -> np.ndarray:
    """Odds averaged in logits; both 0 stay 0 and both 1 stay 1."""
    p, q = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    mean = (logit(p) + logit(q)) / 2.0
    found = 1.0 / (1.0 + np.exp(-mean))
    return np.where((p <= 0) & (q <= 0), 0.0, np.where((p >= 1) & (q >= 1), 1.0, found))


def fit(odds: np.ndarray, outcomes: np.ndarray, ridge: float = 1e-3) -> tuple[float, float]:
    """(a, b) of largest likelihood, by Newton's steps; a little ridge towards (0, 1) where the data hardly say.

    Raises InputError where all outcomes are alike.
    """
    y = np.asarray(outcomes, dtype=float)
    if y.min() == y.max():
        raise InputError("outcomes", float(y[0]), "are all alike: nothing to calibrate on", "Use a longer history.")
    x = np.column_stack([np.ones(len(y)), logit(odds)])
    at = np.array([0.0, 1.0])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(x @ at)))
        slope = x.T @ (y - p) - ridge * (at - [0.0, 1.0])
        curve = (x * (p * (1.0 - p))[:, None]).T @ x + ridge * np.eye(2)
        move = np.linalg.solve(curve, slope)
        at = at + move * min(1.0, 2.0 / max(float(np.abs(move).max()), 1e-12))
        if float(np.abs(move).max()) < 1e-10:
            break
    return float(at[0]), float(at[1])


def large_change(before: float, after: float) -> bool:
    """Whether a correction moves odds so far that both are shown; odds below 1% both are "below 1%"."""
    if max(before, after) < 0.01 or min(before, after) <= 0.0:
        return False
    return abs(math.log(after / before)) > math.log(LARGE_CHANGE)
