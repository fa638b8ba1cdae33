"""One order, exactly: the margin after it is convex in its size, so golden section and bisection find the best.

No programme is solved: two hundred readings of a tail a choice. The same answer as the mixed-integer programme of one
order (a test says so), in a tenth of its time.
"""

from collections.abc import Callable

import numpy as np

from margin.hedge.programme import Programme, Solved

GOLDEN = (5**0.5 - 1) / 2
STEPS = 60


def lowest(figure: Callable[[float], float], most: float, steps: int = STEPS) -> float:
    """The size in 0..most where a convex figure is smallest (the smaller one of equals, up to the search's width)."""
    low, high = 0.0, most
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = figure(a), figure(b)
    for _ in range(steps):
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = figure(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = figure(b)
    return min((0.0, (low + high) / 2, most), key=figure)


def smallest(figure: Callable[[float], float], target: float, enough: float, steps: int = STEPS) -> float:
    """The smallest size in 0..enough with a figure of at most `target`, which `enough` reaches."""
    low, high = 0.0, enough
    if figure(0.0) <= target:
        return 0.0
    for _ in range(steps):
        middle = (low + high) / 2
        if figure(middle) <= target:
            high = middle
        else:
            low = middle
    return high


def one_trade(programme: Programme, target: float) -> Solved | None:
    """The cheapest single order that brings the margin to `target` USD; None where no single one does."""
    count = len(programme.menu.choices)
    best: Solved | None = None
    for j, choice in enumerate(programme.menu.choices):

        def figure(size: float, j: int = j) -> float:
            usd = np.zeros(count)
            usd[j] = size
            return programme.figure(usd)

        enough = lowest(figure, choice.most)
        if figure(enough) > target:
            continue
        usd = np.zeros(count)
        usd[j] = smallest(figure, target, enough)
        cost = programme.cost(usd)
        if best is None or cost < best.cost:
            best = Solved(usd=usd, cost=cost, figure=programme.figure(usd))
    return best
