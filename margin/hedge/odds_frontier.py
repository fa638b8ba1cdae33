"""Cost against odds: what each further dollar buys where odds of liquidation are the goal. Found by search.

As the ways are: trades are planned for a figure in dollars that steers (margin/hedge/least_odds.py), from today's down
to the lowest that they reach, and the forecast says the odds of the book after each. A point that costs more than one
with the same odds or lower is left out.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from margin.hedge.answer import Hedge

SHARES = (0.05, 0.12, 0.22, 0.34, 0.48, 0.64, 0.82, 1.0)  # of the way from today's figure to the lowest
POINTS = 100  # points of odds are hundredths


@dataclass(frozen=True, kw_only=True)
class OddsPoint:
    """cost USD; odds, 0..1, and margin USD after it; per_dollar: points (0.01) of odds less for the next dollar."""

    cost: float
    odds: float
    margin: float
    per_dollar: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON values."""
        return {"cost": self.cost, "odds": self.odds, "margin": self.margin, "per_dollar": self.per_dollar}


@dataclass(frozen=True, kw_only=True)
class OddsFrontier:
    """points : from doing nothing to the lowest odds found, cost rising, odds falling; days : the odds are within."""

    points: tuple[OddsPoint, ...]
    days: float

    @property
    def lowest(self) -> float:
        """The lowest odds found, 0..1."""
        return self.points[-1].odds

    @property
    def per_dollar(self) -> float | None:
        """Points of odds less for the first dollar spent; None where no trade lowers them."""
        return self.points[0].per_dollar


def odds_frontier(found: Hedge) -> OddsFrontier | None:
    """Cost and odds of the cheapest trades for ever lower odds, with as many orders as were allowed.

    None where the answer was not planned for odds.
    """
    wish = found.wish
    if wish is None or found.before.odds is None:
        return None
    steer, orders = wish.steer, found.orders
    nothing = np.zeros(len(steer.menu.choices))
    now = float(steer.figure(nothing))
    lowest = steer.most_freed(None, orders)
    bottom = float(steer.figure(lowest))
    tried = [w.usd for w in found.ways if w.reached and (orders is None or len(w.trades) <= orders)]
    for share in SHARES if bottom < now else ():
        figure = now - share * (now - bottom)
        usd = steer.least_cost(figure, orders) if share < 1.0 else lowest
        tried += [] if usd is None else [usd]
    start = (0.0, found.before.odds, found.before.margin)
    rows = [(float(steer.cost(u)), wish.judged(u), float(found.planner.figure(u))) for u in tried]
    kept = [start]
    for row in sorted(rows):
        if row[0] > kept[-1][0] and row[1] < kept[-1][1]:
            kept.append(row)
    slopes = [POINTS * (p - q) / (d - c) for (c, p, _), (d, q, _) in pairwise(kept)]
    points = tuple(
        OddsPoint(cost=c, odds=p, margin=m, per_dollar=slopes[i] if i < len(slopes) else None)
        for i, (c, p, m) in enumerate(kept)
    )
    return OddsFrontier(points=points, days=found.days)
