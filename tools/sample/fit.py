"""Moves simulated returns, as little as possible, until their statistics meet the goals and every pin still holds.

Each round is one Gauss-Newton step of least norm: among all changes that meet the goals to first order and leave
every pinned sum as it is, take the smallest, measuring each day's change against that day's variance. There are
some hundred goals and tens of thousands of free returns, so the path stays the one that was drawn.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tools.sample.pins import Groups
from tools.sample.stats import Goal

DAMPING = 1e-3  # keeps a round from chasing goals that contradict each other


def fit(
    x: np.ndarray,
    spread: np.ndarray,
    groups: Sequence[Groups],
    goals: Callable[[np.ndarray], list[Goal]],
    limits: tuple[np.ndarray, np.ndarray],
    rounds: int,
) -> np.ndarray:
    """Returns (n, k) near x that meet the goals.

    x, spread : (n, k) log returns (0 where an asset does not trade) and their variances (0 there)
    groups    : k groups of pinned days; x must lie on them
    goals     : x -> goals at x
    limits    : (k,) lowest and highest log return allowed on days that are not fixed
    """
    x = x.copy()
    for _ in range(rounds):
        x = x + _step(x, spread, groups, goals(x))
        for i, group in enumerate(groups):
            x[:, i] = within_limits(x[:, i], spread[:, i], group, limits[0][i], limits[1][i])
    return x


def within_limits(x: np.ndarray, spread: np.ndarray, group: Groups, low: float, high: float) -> np.ndarray:
    """x with free days cut to the limits and what was cut off spread over the rest of their group."""
    for _ in range(100):
        cut = np.where(group.fixed, x, np.clip(x, low, high))
        if (cut == x).all():
            return x
        room = np.where((cut > low) & (cut < high), spread, spread * 1e-6)
        x = group.bridge(cut, np.where(group.label >= 0, room, 1.0))
    raise ValueError("the pins leave no room inside the limits")


def _step(x: np.ndarray, spread: np.ndarray, groups: Sequence[Groups], goals: list[Goal]) -> np.ndarray:
    m = len(goals)
    normal = np.zeros((m, m))
    rows: list[np.ndarray] = []
    pushes: list[np.ndarray] = []
    for i, group in enumerate(groups):
        index = np.array([g for g, goal in enumerate(goals) if i in goal.gradient], dtype=int)
        slopes = np.array([goals[g].gradient[i] for g in index]).reshape(len(index), len(x))
        push = group.project(slopes * spread[:, i], np.maximum(spread[:, i], 1e-300))
        normal[np.ix_(index, index)] += slopes @ push.T
        rows.append(index)
        pushes.append(push)
    scale = np.sqrt(np.diag(normal)) + 1e-300
    normal /= np.outer(scale, scale)
    normal[np.diag_indices(m)] += DAMPING
    weights = np.linalg.solve(normal, np.array([goal.miss for goal in goals]) / scale) / scale
    change = np.zeros_like(x)
    for i, (index, push) in enumerate(zip(rows, pushes, strict=True)):
        change[:, i] = weights[index] @ push
    return change
