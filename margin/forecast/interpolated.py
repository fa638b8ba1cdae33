"""A slow margin model's gap at many nodes: asked at some of them, interpolated at the others.

Options are valued exactly at every node; the rest of the gap (linear profits, collateral, the requirement) is smooth
in prices and time and is interpolated by thin-plate splines through nodes of the paths themselves. Asked at every node
instead, a week of 4,000 paths takes 8 times as long under the portfolio method, and 75 times with safeguards.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.forecast.gap import Gap, of_states
from margin.models.marks import Marks

POINTS, POINTS_PER_ASSET, MOST_POINTS = 60, 40, 220


def gaps(gap: Gap, sub: SubAccount, factors: list[np.ndarray], times: list[pd.Timestamp], seed: int = 5) -> np.ndarray:
    """(nodes, paths) gap of `sub` (entry prices written down) at price factors (paths, k) of each node's time."""
    count = len(factors[0])
    stacked = np.vstack(factors)
    days = np.array([(when - times[0]) / pd.Timedelta(days=1) for when in times])
    at = np.repeat(days, count)
    options = np.concatenate([option_profit(gap, sub, f, when) for f, when in zip(factors, times, strict=True)])
    moving = stacked.std(axis=0) > 0
    where = np.column_stack([np.log(stacked[:, moving]), at[:, None]]) if len(times) > 1 else np.log(stacked[:, moving])
    spread = where.std(axis=0)
    where = where / np.where(spread > 0, spread, 1.0)
    chosen = _chosen(where, seed)
    rest = np.empty(len(chosen))
    for day in np.unique(at[chosen]):
        own = np.flatnonzero(at[chosen] == day)
        when = times[int(np.flatnonzero(days == day)[0])]
        later = when if any(p.instrument.is_option for p in sub.positions) else None
        found = gap.model.states(sub, gap.marks, stacked[chosen[own]], as_of=later)
        equity, required = of_states(found, gap.target)
        rest[own] = equity - required - options[chosen[own]]
    spline = import_module("scipy.interpolate").RBFInterpolator(where[chosen], rest, kernel="thin_plate_spline")
    smooth = np.concatenate([spline(part) for part in np.array_split(where, -(-len(where) // 8192))])
    found_gaps: np.ndarray = (smooth + options).reshape(len(times), count)
    return found_gaps


def _chosen(where: np.ndarray, seed: int) -> np.ndarray:
    """Rows to ask at: the extremes of every coordinate, and others at random; no two alike."""
    wanted = min(POINTS + POINTS_PER_ASSET * where.shape[1], MOST_POINTS)
    ends = np.concatenate([where.argmin(axis=0), where.argmax(axis=0)])
    others = np.random.default_rng(seed).permutation(len(where))[:wanted]
    rows = np.unique(np.concatenate([ends, others]))
    _, first = np.unique(where[rows].round(9), axis=0, return_index=True)
    return rows[np.sort(first)]


def option_profit(gap: Gap, sub: SubAccount, factors: np.ndarray, when: pd.Timestamp) -> np.ndarray:
    """(paths,) USD profit of the options since their entry prices, at these prices and this time."""
    total = np.zeros(len(factors))
    marks: Marks = gap.marks
    moved = {asset: marks.price(asset) * factors[:, i] for i, asset in enumerate(sub.assets)}
    later = replace(marks, prices={**marks.prices, **moved}, as_of=when)  # type: ignore[dict-item]  # arrays
    for p in sub.positions:
        if p.instrument.is_option:
            assert p.entry_price is not None
            total = total + p.quantity * (np.asarray(later.mark(p.instrument)) - p.entry_price)
    return total
