"""Sizes that can be traded: whole lots, rounded towards less risk, and the target checked again."""

import numpy as np

from margin.core.instruments import parse_symbol
from margin.hedge.menu import Menu
from margin.hedge.planner import Planner

SLACK = 1e-9


def rounded(usd: np.ndarray, menu: Menu, planner: Planner, target: float | None) -> np.ndarray:
    """Each size down to whole lots; where the target is then missed, up by one lot, the cheapest first.

    Choices without a known lot stay as they are. A cut of the whole position stays whole: what is left of a lot is
    closed with it.
    """
    steps = np.array([_usd_of_lot(menu, j, planner) for j in range(len(usd))])
    if not (steps > 0).any():
        return usd
    most = np.array([c.most for c in menu.choices])
    whole = usd >= most * (1 - SLACK)
    lots = np.divide(usd, steps, out=np.zeros_like(usd), where=steps > 0)
    down = np.where((steps > 0) & ~whole, np.floor(lots + SLACK) * steps, usd)
    if target is None or planner.figure(down) <= target * (1 + SLACK):
        return down
    short = list(np.flatnonzero(down < usd - SLACK * steps))
    for j in sorted(short, key=lambda j: steps[j]):
        down[j] = min(down[j] + steps[j], most[j])
        if planner.figure(down) <= target * (1 + SLACK):
            break
    return down


def _usd_of_lot(menu: Menu, j: int, planner: Planner) -> float:
    choice = menu.choices[j]
    if not choice.lot:
        return 0.0
    if choice.row is not None:
        held = abs(planner.judge.sub.positions[choice.row].quantity)
        return choice.most * choice.lot / held
    return choice.lot if parse_symbol(choice.symbol).is_inverse else choice.lot * choice.price
