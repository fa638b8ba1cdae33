"""Stress grids: what positions in one underlying gain or lose under moves of its price and volatility."""

from collections.abc import Sequence

import numpy as np

from margin.core import options
from margin.core.portfolio import Position
from margin.models.marks import Marks
from margin.venues.base import Grid


def scenario_pnl(
    positions: Sequence[Position], marks: Marks, spots: np.ndarray, vols: np.ndarray, in_coin: bool = False
) -> np.ndarray:
    """(n,) USD PnL of positions in one underlying, its price times `spots` and its volatility times `vols`, both (n,).

    in_coin : contracts settled in the coin are reckoned in it and turned into dollars at today's price, as venues do
    that margin them in the coin
    """
    total = np.zeros(len(spots))
    for p in positions:
        spot = marks.price(p.underlying)
        now, then = marks.mark(p.instrument), spot * spots
        if p.instrument.is_option:
            assert p.instrument.strike is not None and p.instrument.option_type is not None
            shocked = marks.vol(p.underlying) * vols
            then = options.black76(
                then, p.instrument.strike, marks.years(p.instrument), shocked, p.instrument.option_type
            )
        if in_coin and p.instrument.settle == p.underlying:
            gain = (then / spots - now) if p.instrument.is_option else now * (1.0 - 1.0 / spots)
        else:
            gain = then - now
        total = total + p.quantity * gain
    return total


def table(
    title: str, moves: Sequence[float], states: Sequence[str], pnl: np.ndarray, binding: tuple[int, int] | None = None
) -> Grid:
    """A Grid from moves (fractions) and volatility states; pnl (moves, states) USD."""
    return Grid(title, tuple(f"{move:+.1%}".replace("-", "−") for move in moves), tuple(states), pnl, binding)


def worst_cell(pnl: np.ndarray) -> tuple[int, int] | None:
    """Where the largest loss is; None where nothing loses."""
    if pnl.min() >= 0:
        return None
    i, j = np.unravel_index(int(pnl.argmin()), pnl.shape)
    return int(i), int(j)
