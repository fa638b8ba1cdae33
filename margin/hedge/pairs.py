"""Two orders that only help together: the legs of a hedged pair, which a search order by order does not begin with."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from margin.hedge.menu import Menu

LARGEST = 6  # choices that are paired
RAYS = (0.3, 0.6, 1.0)  # shares of both at once
SIZES = np.linspace(0.0, 1.0, 11)
SWEEPS = 2


def lowest_pair(
    figure: Callable[[np.ndarray], float], menu: Menu, allowed: Sequence[bool] | np.ndarray | None, least: np.ndarray
) -> np.ndarray:
    """USD of each choice: `least`, or two orders with a lower figure where they were found.

    Pairs of the largest choices are tried along rays, then each size of the best pair on a grid, twice.
    """
    open_ = [j for j in range(len(menu.choices)) if allowed is None or allowed[j]]
    open_ = sorted(open_, key=lambda j: -menu.choices[j].most)[:LARGEST]
    best, lowest = least, figure(least)
    pair: tuple[int, int] | None = None
    for i, j in combinations(open_, 2):
        if menu.orders[i] == menu.orders[j]:
            continue
        for share in RAYS:
            usd = np.zeros(len(menu.choices))
            usd[i], usd[j] = share * menu.choices[i].most, share * menu.choices[j].most
            found = figure(usd)
            if found < lowest * (1 - 1e-9):
                best, lowest, pair = usd, found, (i, j)
    for k in (pair or ()) * SWEEPS:
        for share in SIZES:
            usd = best.copy()
            usd[k] = share * menu.choices[k].most
            found = figure(usd)
            if found < lowest * (1 - 1e-9):
                best, lowest = usd, found
    return best
