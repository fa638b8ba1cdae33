"""Paths of whole accounts: every asset moves, and the margin model is asked at every node.

For what is not linear in prices: tiers, options, requirements of a diversified pool. Shocks are joint rows of past
returns at today's volatility; prices compound. Between nodes the gap is a Brownian bridge whose volatility depends on
the level of the gap, read off the paths' own steps.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.instruments import USD_LIKE
from margin.core.position import Collateral
from margin.forecast.gap import Gap, of_states
from margin.forecast.past import Past
from margin.forecast.paths import Draws
from margin.forecast.volatility import Filtered, decay_per_step, ewma_variance
from margin.models.base import pinned

LEVELS = 25  # bins of the gap's level in which its volatility is measured
LARGEST_FALL = -0.95  # of a price in one step


def joint_shocks(past: Past, assets: tuple[str, ...], exposures: np.ndarray, filtered: Filtered) -> np.ndarray:
    """(rows, k) returns of one step at the volatility that the book has today.

    Each past row is scaled by today's volatility of the book over the one known before it, so that the book's profit on
    row t is exactly `sigma` x shock t of the linear walk: today's correlations are kept.
    """
    burn = filtered.burn_in
    values, before = past.columns(assets)[burn:], filtered.path[burn:-1]
    usual = float(np.sqrt(np.mean((past.columns(assets) @ exposures) ** 2)))
    scale = np.divide(filtered.sigma, before, out=np.zeros_like(before), where=before > 1e-9 * usual)
    rows = values * scale[:, None]
    centred: np.ndarray = rows - rows.mean(axis=0)
    return centred


def shocks_by_asset(past: Past, assets: tuple[str, ...], burn: int) -> np.ndarray:
    """(rows, k) returns of one step, each asset at its own volatility of today: for books that no slope describes."""
    values = past.columns(assets)
    decay = decay_per_step(past.steps_per_day)
    paths = np.sqrt(ewma_variance(values, decay, np.var(values[:burn], axis=0)))
    before = paths[burn:-1]
    usual = np.sqrt(np.mean(values**2, axis=0))
    shocks = np.divide(values[burn:], before, out=np.zeros_like(before), where=before > 1e-9 * usual)
    rows: np.ndarray = (shocks - shocks.mean(axis=0)) * paths[-1]
    return rows


def lowest_at_nodes(
    gap: Gap, past: Past, rows: np.ndarray, draws: Draws, every: int = 1, days_from: Any = None
) -> np.ndarray:
    """(steps, paths) lowest change of the gap up to each step, at most 0. every : steps between nodes asked.

    Steps between nodes repeat the one before. Options age along the path; one that expires within it is settled at its
    value then, in cash. days_from : the as-of of the paths, else that of the marks.
    """
    sub = pinned(gap.sub, gap.marks)
    start = pd.Timestamp(days_from if days_from is not None else gap.marks.as_of)
    steps, count = draws.steps, len(draws.starts)
    picked = draws.rows_of_steps
    factors = np.ones((count, len(sub.assets)))
    moving = np.array([a not in USD_LIKE for a in sub.assets])
    cash = np.zeros(count)
    levels = np.empty((steps // every + (steps % every > 0) + 1, count))
    levels[0] = gap.usd
    node_of = np.empty(steps, dtype=int)
    node = 0
    for t in range(steps):
        moves = np.maximum(rows[picked[:, t]], LARGEST_FALL)
        factors[:, moving] *= 1.0 + moves[:, moving]
        if (t + 1) % every and t + 1 < steps:
            node_of[t] = node
            continue
        node += 1
        node_of[t] = node
        when = start + pd.Timedelta(days=(t + 1) / past.steps_per_day)
        sub, settled = _expire(gap, sub, factors, when)
        cash += settled
        levels[node] = _gap_at(gap, sub, factors, when) + cash
    lows = _bridged(levels, draws.clocks[:, :node] if draws.clocks.shape[1] else None)
    fallen: np.ndarray = lows[node_of] - gap.usd
    return fallen


def _gap_at(gap: Gap, sub: SubAccount, factors: np.ndarray, when: pd.Timestamp) -> np.ndarray:
    later = when if any(p.instrument.is_option for p in sub.positions) else None
    equity, required = of_states(gap.model.states(sub, gap.marks, factors, as_of=later), gap.target)
    found: np.ndarray = equity - required
    return found


def _expire(
    gap: Gap, sub: SubAccount, factors: np.ndarray, when: pd.Timestamp
) -> tuple[SubAccount, np.ndarray | float]:
    """The sub-account without what has expired by `when`, and the equity that it leaves behind."""
    ends = [None if p.instrument.expiry is None else pd.Timestamp(p.instrument.expiry) for p in sub.positions]
    over = [end for end in ends if end is not None and end < when]
    if not over:
        return sub, 0.0
    gone = [p for p, end in zip(sub.positions, ends, strict=True) if end is not None and end < when]
    rest = replace(sub, positions=tuple(p for p in sub.positions if p not in gone))
    with_them = gap.model.states(sub, gap.marks, factors, as_of=max(min(over), gap.marks.as_of))
    without = gap.model.states(rest, gap.marks, _columns(sub, rest, factors), as_of=None)
    equity = of_states(with_them, gap.target)[0] - of_states(without, gap.target)[0]
    # The columns stay: an asset that nothing holds any more keeps its place through a balance of nothing.
    kept = replace(rest, collateral=(*rest.collateral, *_placeholders(sub, rest)))
    return kept, equity


def _columns(sub: SubAccount, rest: SubAccount, factors: np.ndarray) -> np.ndarray:
    found: np.ndarray = factors[:, [sub.assets.index(a) for a in rest.assets]]
    return found


def _placeholders(sub: SubAccount, rest: SubAccount) -> tuple[Collateral, ...]:
    return tuple(Collateral(a, 0.0) for a in sub.assets if a not in rest.assets)


def _bridged(levels: np.ndarray, clocks: np.ndarray | None) -> np.ndarray:
    """(nodes + 1, paths) running lowest level; with clocks the lowest of a bridge between nodes."""
    after = levels[1:]
    dips = after
    if clocks is not None:
        before = levels[:-1]
        variance = _local_variance(before, after)
        dips = 0.5 * (before + after - np.sqrt((before - after) ** 2 + 2.0 * variance * clocks.T))
    lows = np.vstack([levels[:1], dips])
    return np.minimum.accumulate(lows, axis=0)


def _local_variance(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Variance of one step as a function of the gap's level, by equal-mass bins; 0 where nothing moved at all."""
    level, square = before.ravel(), ((after - before) ** 2).ravel()
    moved = square > 0
    if not moved.any():
        return np.zeros_like(before)
    edges = np.unique(np.quantile(level[moved], np.arange(1, LEVELS) / LEVELS))
    label = np.searchsorted(edges, level, side="left")
    mass = np.bincount(label[moved], minlength=len(edges) + 1)
    means = np.bincount(label[moved], square[moved], minlength=len(edges) + 1) / np.maximum(mass, 1)
    return np.where(moved, means[label], 0.0).reshape(before.shape)
