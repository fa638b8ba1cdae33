"""Paths of whole accounts: every asset moves, and the margin model is asked at every node.

For what is not linear in prices: tiers, options, requirements of a diversified pool. Shocks are joint rows of past
returns at today's volatility; prices compound. Between nodes the gap is a Brownian bridge whose volatility depends on
the level of the gap, read off the paths' own steps.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.instruments import USD_LIKE
from margin.core.options import SETTLEMENT, valuation_time
from margin.core.position import Collateral, Position
from margin.forecast import interpolated
from margin.forecast.gap import Gap, of_states
from margin.forecast.past import Past
from margin.forecast.paths import Draws
from margin.forecast.volatility import Filtered, decay_per_step, ewma_variance
from margin.models.base import pinned

LEVELS = 25  # bins of the gap's level in which its volatility is measured
A_SECOND = pd.Timedelta(seconds=1)
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
    gap: Gap, past: Past, rows: np.ndarray, draws: Draws, every: int = 1, interpolate: bool = False
) -> np.ndarray:
    """(steps, paths) lowest change of the gap up to each step, at most 0.

    every : steps between nodes asked; those between repeat the one before. interpolate : for models that reckon row by
    row, see margin/forecast/interpolated.py. Options age along the path; one that expires within it is settled at its
    value then, in cash.
    """
    nodes = _Nodes(gap, interpolate)
    start = valuation_time(gap.marks.as_of) - A_SECOND  # midnight itself would stand for the next one
    steps, count = draws.steps, len(draws.starts)
    picked = draws.rows_of_steps
    factors = np.ones((count, len(gap.sub.assets)))
    moving = np.array([a not in USD_LIKE for a in gap.sub.assets])
    node_of = np.empty(steps, dtype=int)
    for t in range(steps):
        moves = np.maximum(rows[picked[:, t]], LARGEST_FALL)
        factors[:, moving] *= 1.0 + moves[:, moving]
        if (t + 1) % every == 0 or t + 1 == steps:
            nodes.add(factors, start + pd.Timedelta(days=(t + 1) / past.steps_per_day))
        node_of[t] = len(nodes)
    levels = np.vstack([np.full((1, count), gap.usd), nodes.levels()])
    lows = _bridged(levels, draws.clocks[:, : len(nodes)] if draws.clocks.shape[1] else None)
    fallen: np.ndarray = lows[node_of] - gap.usd
    return fallen


class _Nodes:
    """The gap at one node after the other; what expires on the way leaves its payoff in cash."""

    def __init__(self, gap: Gap, interpolate: bool):
        self.gap, self.interpolate = gap, interpolate
        self.sub = pinned(gap.sub, gap.marks)
        self.cash: np.ndarray | float = 0.0
        self.done: list[np.ndarray] = []
        self.waiting: list[tuple[np.ndarray, pd.Timestamp]] = []

    def __len__(self) -> int:
        return len(self.done) + len(self.waiting)

    def add(self, factors: np.ndarray, when: pd.Timestamp) -> None:
        """One node: (paths, k) factors at a time."""
        rest, settled = _expire(self.gap, self.sub, factors, when, self.interpolate)
        if rest is not self.sub:
            self._reckon()
            self.sub, self.cash = rest, self.cash + settled
        if self.interpolate:
            self.waiting.append((factors.copy(), when))
        else:
            self.done.append(_gap_at(self.gap, self.sub, factors, when) + self.cash)

    def levels(self) -> np.ndarray:
        """(nodes, paths)."""
        self._reckon()
        return np.array(self.done)

    def _reckon(self) -> None:
        if self.waiting:
            factors, times = ([part[i] for part in self.waiting] for i in (0, 1))
            found = interpolated.gaps(self.gap, self.sub, factors, times)  # type: ignore[arg-type]
            self.done += list(found + self.cash)
            self.waiting = []


def _gap_at(gap: Gap, sub: SubAccount, factors: np.ndarray, when: pd.Timestamp) -> np.ndarray:
    later = when if any(p.instrument.is_option for p in sub.positions) else None
    equity, required = of_states(gap.model.states(sub, gap.marks, factors, as_of=later), gap.target)
    found: np.ndarray = equity - required
    return found


def _expire(
    gap: Gap, sub: SubAccount, factors: np.ndarray, when: pd.Timestamp, by_profit: bool
) -> tuple[SubAccount, np.ndarray | float]:
    """The sub-account without what has expired by `when`, and the equity that it leaves behind."""
    ends = [
        None if p.instrument.expiry is None else pd.Timestamp(p.instrument.expiry) + SETTLEMENT for p in sub.positions
    ]
    over = [end for end in ends if end is not None and end < when]
    if not over:
        return sub, 0.0
    gone = [p for p, end in zip(sub.positions, ends, strict=True) if end is not None and end < when]
    rest = replace(sub, positions=tuple(p for p in sub.positions if p not in gone))
    then = min(over)
    if by_profit:  # methods of ours count what an option earned since its entry
        equity: np.ndarray = interpolated.option_profit(gap, replace(sub, positions=tuple(gone)), _columns(
            sub, replace(sub, positions=tuple(gone)), factors), then)  # fmt: skip
        equity = equity + _futures(gap, gone, sub, factors)
    else:
        with_them = gap.model.states(sub, gap.marks, factors, as_of=then)
        without = gap.model.states(rest, gap.marks, _columns(sub, rest, factors), as_of=None)
        equity = of_states(with_them, gap.target)[0] - of_states(without, gap.target)[0]
    # The columns stay: an asset that nothing holds any more keeps its place through a balance of nothing.
    kept = replace(rest, collateral=(*rest.collateral, *_placeholders(sub, rest)))
    return kept, equity


def _futures(gap: Gap, gone: list[Position], sub: SubAccount, factors: np.ndarray) -> np.ndarray | float:
    """Profit of dated futures that expired."""
    total: np.ndarray | float = 0.0
    for p in gone:
        if not p.instrument.is_option:
            price = gap.marks.contract(p.instrument) * factors[:, sub.assets.index(p.underlying)]
            total = total + p.profit(price)  # type: ignore[arg-type, operator]  # an array of prices
    return total


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
