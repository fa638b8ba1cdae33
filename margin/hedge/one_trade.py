"""One order, exactly: the margin after it is convex in its size, so golden section and bisection find the best.

No programme is solved: two hundred readings of a tail a choice. The same answer as the mixed-integer programme of one
order (a test says so).
"""

import math
from collections.abc import Callable

import numpy as np

from margin.hedge.programme import Chosen, Programme, Solved

GOLDEN = (5**0.5 - 1) / 2
STEPS = 60
COARSE = 24
ROUNDS = 3


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
    """The smallest size in 0..enough with a figure of at most `target`, which `enough` reaches.

    The size that `steps` halvings would end at: of 2^steps equal parts of `enough`. The straight line through what is
    known says where to look, every third time the middle, so that a few readings do.
    """
    at_low = figure(0.0)
    if at_low <= target:
        return 0.0
    low, high, parts = 0, 1 << steps, float(1 << steps)
    at_high = figure(enough)
    turn = 0
    while high - low > 1:
        turn += 1
        middle = (low + high) // 2
        if turn % 3 and at_low - at_high > 0 and at_low < math.inf:
            middle = low + int((at_low - target) / (at_low - at_high) * (high - low))
            middle = min(max(middle, low + 1), high - 1)
        got = figure(middle / parts * enough)
        if got <= target:
            high, at_high = middle, got
        else:
            low, at_low = middle, got
    return high / parts * enough


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


def low_with(programme: Programme, orders: int, allowed: Chosen = None) -> Solved:
    """A low margin with so many orders, whatever they cost: the best order, the next best on top, both sized again.

    Reached, so a bound from above; not proven to be the lowest (the mixed-integer programme takes seconds for that).
    """
    count = len(programme.menu.choices)
    usd = np.zeros(count)
    open_ = [j for j in range(count) if allowed is None or allowed[j]]

    def at(j: int, size: float, base: np.ndarray) -> float:
        trial = base.copy()
        trial[j] = size
        return programme.figure(trial)

    used: list[int] = []
    for _ in range(orders):
        taken = {programme.menu.orders[j] for j in used}
        best: tuple[float, int, float] | None = None
        for j in open_:
            if j in used or programme.menu.orders[j] in taken:
                continue
            size = lowest(lambda x, j=j: at(j, x, usd), programme.menu.choices[j].most, COARSE)  # type: ignore[misc]
            now = at(j, size, usd)
            if best is None or now < best[0]:
                best = now, j, size
        if best is None or best[0] >= programme.figure(usd):
            break
        used.append(best[1])
        usd[best[1]] = best[2]
        for _ in range(ROUNDS):
            for j in used:
                usd[j] = lowest(lambda x, j=j: at(j, x, usd), programme.menu.choices[j].most, STEPS)  # type: ignore[misc]
    return Solved(usd=usd, cost=programme.cost(usd), figure=programme.figure(usd))
