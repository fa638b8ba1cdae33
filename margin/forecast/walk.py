"""How far the gap may fall: one simulation beside one closed form, and the odds of any line under it.

A walk answers every question about money and size from the same paths: the odds that the gap falls by `line` dollars
are a share of the paths' lowest points, pooled with the closed form and corrected; read backwards, a quantile.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from margin.core.errors import InputError
from margin.forecast.calibration import Calibration, pool
from margin.forecast.first_passage import Watched, hit_probability
from margin.forecast.paths import PATHS, SEED, Draws, draw, lowest
from margin.forecast.volatility import filter_profits

BAND = 1.6449  # standard errors of the volatility on either side: 90%
WIDEST = 60.0  # sigmas of the horizon beyond which no line is looked for


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """The fall of a gap in dollars.

    sigma       : USD per step; sigma_error : its relative standard error
    lowest_of   : (steps, paths) the lowest point of every path up to each step, at most 0
    only_paths  : no closed form describes it (options): the paths alone count
    drift       : USD per step; steps_per_day; watched; calibration
    """

    sigma: float
    sigma_error: float
    lowest_of: np.ndarray
    steps_per_day: float
    watched: Watched
    calibration: Calibration
    drift: float = 0.0
    only_paths: bool = False

    _sorted: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    _first: dict[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    @property
    def steps(self) -> int:
        """Steps of each path."""
        return len(self.lowest_of)

    def step_of(self, days: float) -> int:
        """The step (from 1) at which a horizon of `days` ends."""
        return min(max(round(days * self.steps_per_day), 1), self.steps)

    def _ordered(self, step: int) -> np.ndarray:
        if step not in self._sorted:
            self._sorted[step] = np.sort(self.lowest_of[step - 1])
        return self._sorted[step]

    def closed_form(self, line: np.ndarray | float, days: float, louder: float = 1.0) -> np.ndarray:
        """First passage of a Brownian motion. line : USD; louder : multiple of the volatility."""
        if self.only_paths:  # what no path did is not impossible
            found = self.simulated(line, days, louder)
            return np.maximum(found, 0.5 / self.lowest_of.shape[1]) if self.sigma > 0 else found
        time = float(self.step_of(days))
        return hit_probability(line, self.sigma * louder, time, self.drift, self.watched)

    def simulated(self, line: np.ndarray | float, days: float, louder: float = 1.0) -> np.ndarray:
        """Share of paths that fall by `line` USD."""
        ordered = self._ordered(self.step_of(days))
        line = np.asarray(line, dtype=float)
        found = np.searchsorted(ordered, -line / louder, side="right") / len(ordered)
        return np.where(line <= 0, 1.0, found)

    def raw(self, line: np.ndarray | float, days: float, louder: float = 1.0) -> np.ndarray:
        """Both averaged in logits."""
        return pool(self.closed_form(line, days, louder), self.simulated(line, days, louder))

    def odds(self, line: np.ndarray | float, days: float, louder: float = 1.0) -> np.ndarray:
        """Corrected odds that the gap falls by `line` USD within `days`. Falls with `line`, rises with `days`."""
        return self.calibration.apply(self.raw(line, days, louder), days)

    def band(self, line: float, days: float) -> tuple[float, float]:
        """Odds with the volatility at either end of its 90% interval."""
        off = BAND * self.sigma_error
        low, high = (float(self.odds(line, days, at)) for at in (1.0 / (1.0 + off), 1.0 + off))
        return low, high

    def survival(self, line: float) -> np.ndarray:
        """(steps,) odds of still being there at the end of each step; never rises."""
        after = np.arange(1.0, self.steps + 1.0) / self.steps_per_day
        hit = self.calibration.apply(pool(self.closed_hits(line), self.hits(line)), after)
        standing: np.ndarray = 1.0 - np.maximum.accumulate(hit)
        return standing

    def closed_hits(self, line: float) -> np.ndarray:
        """(steps,) the closed form at the end of each step."""
        if self.only_paths:
            least = 0.5 / self.lowest_of.shape[1] if self.sigma > 0 else 0.0
            found: np.ndarray = np.maximum(self.hits(line), least)
            return found
        return hit_probability(line, self.sigma, np.arange(1.0, self.steps + 1.0), self.drift, self.watched)

    def hits(self, line: float) -> np.ndarray:
        """(steps,) share of paths that have fallen by `line` USD by the end of each step."""
        return (self.lowest_of <= -line).mean(axis=1) if line > 0 else np.ones(self.steps)

    def line_for(self, odds: float, days: float) -> float:
        """USD of gap at which the corrected odds within `days` are `odds`: a quantile of the same paths.

        Exact to a hundredth of a percent of the horizon's standard deviation; 0 where nothing moves.
        Raises InputError for odds outside 0.1% to 99%: the paths say nothing there.
        """
        if not 0.001 <= odds <= 0.99:
            raise InputError("odds", odds, "must lie between 0.1% and 99%")
        spread = self.sigma * np.sqrt(self.step_of(days))
        if not spread > 0:
            return max(-self.drift * self.step_of(days), 0.0)
        grid, reached = self._coarse(days)
        for _ in range(2):
            at = self._reaches(odds, reached)
            grid = np.linspace(grid[max(at - 1, 0)], grid[at], 65)
            reached = self.odds(grid, days)
        return float(grid[self._reaches(odds, reached)])

    @staticmethod
    def _reaches(odds: float, reached: np.ndarray) -> int:
        """Place of the first line with these odds or lower; of none the last."""
        low_enough = reached <= odds
        return int(np.argmax(low_enough)) if low_enough.any() else len(reached) - 1

    def _coarse(self, days: float) -> tuple[np.ndarray, np.ndarray]:
        """Lines over all that is looked at and their odds, kept: every search for a line begins with them."""
        step = self.step_of(days)
        if days not in self._first:
            spread = float(self.sigma * np.sqrt(step))
            grid = np.linspace(0.0, WIDEST * spread + max(-self.drift * step, 0.0), 241)
            self._first[days] = grid, self.odds(grid, days)
        return self._first[days]


@lru_cache(maxsize=16)
def kept_draws(rows: int, steps: int, block: int, paths: int, watched: Watched, seed: int) -> Draws:
    """`draw`, kept: the same numbers serve every account and every what-if."""
    return draw(rows, steps, block, paths, watched, seed)


def walk_of_profits(
    profits: np.ndarray,
    steps_per_day: float,
    block: int,
    steps: int,
    calibration: Calibration,
    *,
    drift: float = 0.0,
    growth: float = 0.0,
    watched: Watched = "continuous",
    paths: int = PATHS,
    seed: int = SEED,
) -> Walk:
    """The walk of a book whose gap is linear in prices. profits : (n,) USD of each past step at today's exposures.

    growth : USD of requirement per doubling of the volatility along the path
    """
    found = filter_profits(profits, steps_per_day)
    draws = kept_draws(len(found.shocks), steps, block, paths, watched, seed)
    marks = np.arange(1, steps + 1)
    minima = lowest(found.shocks, found.sigma, draws, marks, drift, growth, found.decay).T
    return Walk(
        sigma=found.sigma,
        sigma_error=found.sigma_error,
        lowest_of=minima,
        steps_per_day=steps_per_day,
        watched=watched,
        calibration=calibration,
        drift=drift,
    )
