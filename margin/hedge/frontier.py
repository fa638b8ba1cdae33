"""Cost against margin: what each further dollar buys. The curve of the ladder's methods is convex, piecewise linear."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from margin.hedge.planner import LadderPlanner, Planner

SEEN = 1e-6  # of the model's margin: less than that in the programme is nothing
SHARES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9)


@dataclass(frozen=True, kw_only=True)
class Point:
    """cost USD, margin USD after it; per_dollar: USD of margin that the next dollar frees, None at the start's end."""

    cost: float
    margin: float
    per_dollar: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON values."""
        return {"cost": self.cost, "margin": self.margin, "per_dollar": self.per_dollar}


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """points : from doing nothing to the floor; floor : USD, the least margin these trades can reach at any cost.

    per_dollar : USD of margin freed by the first dollar spent
    """

    points: tuple[Point, ...]
    floor: float

    @property
    def per_dollar(self) -> float | None:
        """USD of margin freed for the first dollar spent."""
        return self.points[0].per_dollar


def frontier(planner: Planner, orders: int | None = None) -> Frontier:
    """Least cost for 5% to 90% less margin; under the ladder's methods no limit of orders, an exact hedge is cut alike.

    The slope is between neighbouring points: of a convex curve it never rises along it.
    """
    nothing = np.zeros(len(planner.menu.choices))
    now = float(planner.figure(nothing))
    found: list[tuple[float, float]] = [(0.0, now)]
    ladder = isinstance(planner, LadderPlanner)
    alike = _alike(planner, now)
    lowest = planner.most_freed(None, None if ladder else orders) if alike is None else alike
    floor = float(min(planner.figure(lowest), now))
    for share in SHARES if now > 0 else ():
        usd = _point(planner, share, now, floor, orders) if alike is None else share * alike
        if usd is None:
            break
        cost, margin = float(planner.cost(usd)), float(planner.figure(usd))
        if cost > found[-1][0] and margin < found[-1][1]:
            found.append((cost, margin))
    slopes = [(m0 - m1) / (c1 - c0) for (c0, m0), (c1, m1) in pairwise(found)]
    points = tuple(
        Point(cost=c, margin=m, per_dollar=slopes[i] if i < len(slopes) else None) for i, (c, m) in enumerate(found)
    )
    return Frontier(points=points, floor=min(floor, found[-1][1]))


def _alike(planner: Planner, now: float) -> np.ndarray | None:
    """Every position cut, where the programme sees no margin to save but the model does: an exact hedge's basis.

    There cutting everything alike is what is left to do. None elsewhere.
    """
    if not isinstance(planner, LadderPlanner) or now <= 0:
        return None
    if planner.programme.figure(np.zeros(len(planner.menu.choices))) > SEEN * now:
        return None
    return np.array([0.0 if c.is_hedge else c.most for c in planner.menu.choices])


def _point(planner: Planner, share: float, now: float, floor: float, orders: int | None) -> np.ndarray | None:
    """The cheapest trades that free `share`; under the ladder's methods of the programme's own margin.

    With safeguards that share differs from the model's a little, but the trades are the cheapest for what they reach:
    every safeguarded target is met by such a point.
    """
    if isinstance(planner, LadderPlanner):
        own = planner.programme.figure(np.zeros(len(planner.menu.choices)))
        found = planner.programme.least_cost((1 - share) * own) if own > 0 else None
        return None if found is None else found.usd
    target = now * (1 - share)
    return None if target < floor * (1 + 1e-9) else planner.least_cost(target, orders)
