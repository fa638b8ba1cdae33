"""Stress grids: what positions in one underlying gain or lose under moves of its price and volatility."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from margin.core import options
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Grid


def scenario_pnl(
    positions: Sequence[Position], marks: Marks, spots: np.ndarray, vols: np.ndarray, in_coin: bool = False
) -> np.ndarray:
    """(s,) USD PnL of positions in one underlying, its price times `spots` and its volatility times `vols`, both (s,).

    Marks that are arrays (n,) give (n, s). in_coin : contracts settled in the coin are reckoned in it and turned into
    dollars at today's price, as venues do that margin them in the coin.
    """
    linear: Any = 0.0  # USD gained by a doubling
    inverse: Any = 0.0
    total: Any = np.zeros(len(spots))
    for p in positions:
        instrument = p.instrument
        if instrument.is_option:
            total = total + _option(p, marks, spots, vols, in_coin and instrument.settle == p.underlying)
        elif not instrument.is_inverse:
            linear = linear + p.quantity * marks.contract(instrument)
        elif in_coin:
            inverse = inverse + p.quantity  # the coins won, q (1 - 1 / (1 + move)) / price, at today's price
        else:
            linear = linear + p.exposure(marks.contract(instrument))
    total = total + _column(linear) * (spots - 1.0)
    found: np.ndarray = total + _column(inverse) * (1.0 - 1.0 / spots)
    return found


def _option(p: Position, marks: Marks, spots: np.ndarray, vols: np.ndarray, in_coin: bool) -> np.ndarray:
    """Of one position. At single prices each unit is reckoned once for `marks`: a search asks for many quantities."""
    if isinstance(marks.price(p.underlying), float):
        unit: np.ndarray = marks.remember(
            (p.symbol, in_coin, spots.tobytes(), vols.tobytes()), lambda: _unit(p, marks, spots, vols, in_coin)
        )
    else:
        unit = _unit(p, marks, spots, vols, in_coin)
    found: np.ndarray = p.quantity * unit
    return found


def _unit(p: Position, marks: Marks, spots: np.ndarray, vols: np.ndarray, in_coin: bool) -> np.ndarray:
    strike, kind = p.instrument.strike, p.instrument.option_type
    assert strike is not None and kind is not None
    spot, vol = _column(marks.price(p.underlying)), _column(marks.vol_of(p.instrument))
    then = options.black76(spot * spots, strike, marks.years(p.instrument), vol * vols, kind)
    found: np.ndarray = (then / spots if in_coin else then) - _column(marks.mark(p.instrument))
    return found


def _column(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=float)[..., None]


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
