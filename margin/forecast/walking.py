"""From a gap to its walk: the book's own profits where it is linear, the margin model at every node where not."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from margin.core.account import SubAccount
from margin.forecast.calibration import Calibration
from margin.forecast.first_passage import Watched
from margin.forecast.gap import Gap
from margin.forecast.nodes import joint_shocks, lowest_at_nodes, shocks_by_asset
from margin.forecast.past import Past
from margin.forecast.paths import Draws
from margin.forecast.volatility import filter_profits
from margin.forecast.walk import Walk, kept_draws, walk_of_profits

ROWS_AT_ONCE = 700_000  # price sets asked of a model that takes them all at once


@dataclass(frozen=True, kw_only=True)
class Way:
    """How paths are made: see `margin.forecast.engine.forecast`. gap : the gap of another form of the sub-account.

    carry : USD a day that funding and borrowing take; reacts : the requirement follows the volatility along the path
    """

    gap: Callable[[SubAccount], Gap]
    steps: int
    watched: Watched
    paths: int
    seed: int
    calibration: Calibration
    carry: float = 0.0
    reacts: bool = False


def walk_of(gap: Gap, past: Past, way: Way) -> Walk:
    """The walk of one gap."""
    values = past.columns(gap.sub.assets)
    profits = values @ gap.exposures
    drift = -way.carry / past.steps_per_day
    if gap.straight:
        return walk_of_profits(
            profits, past.steps_per_day, past.block, way.steps, way.calibration, drift=drift,
            growth=gap.requirement if way.reacts else 0.0, watched=way.watched, paths=way.paths, seed=way.seed,
        )  # fmt: skip
    found = filter_profits(profits, past.steps_per_day)
    draws = kept_draws(len(found.shocks), way.steps, past.block, way.paths, way.watched, way.seed)
    count, every, slow = effort(gap, past, way)
    fewer = Draws(
        starts=draws.starts[:count], clocks=draws.clocks[:count], block=draws.block, steps=draws.steps, rows=draws.rows
    )
    if gap.options:
        rows = shocks_by_asset(past, gap.sub.assets, found.burn_in)
    else:
        rows = joint_shocks(past, gap.sub.assets, gap.exposures, found)
    lows = lowest_at_nodes(gap, past, rows, fewer, every, slow)
    if drift:
        lows = lows + np.minimum(drift, 0.0) * np.arange(1.0, way.steps + 1.0)[:, None]
    sigma = float(np.sqrt(np.mean(lows[-1] ** 2) / way.steps)) if gap.options else found.sigma
    return Walk(
        sigma=sigma, sigma_error=found.sigma_error, lowest_of=lows, steps_per_day=past.steps_per_day,
        watched=way.watched, calibration=way.calibration, drift=drift, only_paths=gap.options,
    )  # fmt: skip


def effort(gap: Gap, past: Past, way: Way) -> tuple[int, int, bool]:
    """(paths, steps between nodes, whether to interpolate) that this model can be asked for in a reasonable time."""
    ladder = ":" not in gap.model.key
    slow = ladder and (gap.options or gap.model.key == "safeguarded")
    every = past.block if ladder or gap.options else 1
    return max(min(way.paths, ROWS_AT_ONCE // -(-way.steps // every)), 200), every, slow
