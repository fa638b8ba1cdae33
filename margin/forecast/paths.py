"""Paths of the gap: a filtered bootstrap of one-day blocks, with a Brownian bridge between the nodes.

Source: Barone-Adesi, Giannopoulos and Vosper (1999), filtered historical simulation; Kuensch (1989), block bootstrap.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.forecast import by_step
from margin.forecast.first_passage import Watched

PATHS = 4000
SEED = 20261126


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Random numbers of one simulation; the same ones serve every account, size and what-if.

    starts : (paths, blocks) row at which each block of `block` steps begins, within `rows` rows of history
    clocks : (paths, steps) standard exponential draws for the bridge; of no columns where only closes are watched
    """

    starts: np.ndarray
    clocks: np.ndarray
    block: int
    steps: int
    rows: int

    @cached_property
    def rows_of_steps(self) -> np.ndarray:
        """(paths, steps) row of history behind each step."""
        within = np.arange(self.steps)
        return self.starts[:, within // self.block] + within % self.block


def draw(
    rows: int, steps: int, block: int, paths: int = PATHS, watched: Watched = "continuous", seed: int = SEED
) -> Draws:
    """The same seed gives the same draws on every machine and with any number of threads."""
    if rows < block:
        raise InputError("prices", f"{rows} steps", f"too little history for blocks of {block} steps", "Add prices.")
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, rows - block + 1, (paths, -(-steps // block)))
    clocks = rng.standard_exponential((paths, steps)) if watched == "continuous" else np.empty((paths, 0))
    return Draws(starts=starts, clocks=clocks, block=block, steps=steps, rows=rows)


def lowest(
    shocks: np.ndarray,
    sigma: float,
    draws: Draws,
    marks: np.ndarray,
    drift: float = 0.0,
    growth: float = 0.0,
    decay: float = 0.94,
) -> np.ndarray:
    """(paths, len(marks)) lowest point of each path, at most 0, in the money of `sigma`, up to each step of `marks`.

    shocks : (rows,) standardised steps (mean 0, variance about 1); sigma : per step; marks : ascending steps
    drift  : per step; growth : USD of requirement gained as the volatility along the path doubles, by `decay`
    """
    shocks = np.ascontiguousarray(shocks, dtype=float)
    ends = np.asarray(marks, dtype=np.int64)
    if len(shocks) != draws.rows or (np.diff(ends) <= 0).any() or ends[0] < 1 or ends[-1] > draws.steps:
        raise InputError("marks", ends, "do not fit these draws")
    out = np.empty((len(draws.starts), len(ends)))
    # Short walks go by array: the compiled loop would have numba loaded.
    loops: Any = by_step if ends[-1] <= by_step.SHORT else import_module("margin.forecast.kernels")
    loops.lowest_points(shocks, draws.starts, draws.block, float(sigma), float(drift), float(decay), float(growth),
                        draws.clocks, ends, out)  # fmt: skip
    return out


def share_reaching(minima: np.ndarray, line: np.ndarray | float) -> np.ndarray:
    """Share of paths whose lowest point is at or below -line. minima : (paths,); line : any shape, USD."""
    ordered = np.sort(minima)
    return np.searchsorted(ordered, -np.asarray(line, dtype=float), side="right") / len(ordered)


def first_hits(shocks: np.ndarray, sigma: float, draws: Draws, line: float, drift: float = 0.0) -> np.ndarray:
    """(steps,) share of paths that have reached -line by the end of each step."""
    minima = lowest(shocks, sigma, draws, np.arange(1, draws.steps + 1), drift)
    hit: np.ndarray = (minima <= -line).mean(axis=0)
    return hit
