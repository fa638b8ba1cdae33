"""A sub-account made linear for the simulation of rules: deltas, gross, equity and what a hedge asks."""

from dataclasses import dataclass

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.hedge.costs import BP, Costs
from margin.hedge.menu import notional
from margin.models.base import MarginModel
from margin.models.marks import Marks


@dataclass(frozen=True, kw_only=True, eq=False)
class Book:
    """What the simulation needs of a sub-account, USD at today's marks.

    values : (k,) exposures of what can be cut; held : (k,) of coins held as collateral, which stay
    gross  : (k,) notional without sign of what can be cut; hedge : the column that hedges, None for none
    hedge_margin : maintenance per dollar of hedge, below 0 where the model gives it credit
    """

    assets: tuple[str, ...]
    values: np.ndarray
    held: np.ndarray
    gross: np.ndarray
    equity: float
    maintenance: float
    hedge: int | None
    hedge_margin: float
    cost: float
    hedge_cost: float

    def kept(self, size: np.ndarray, hedge: np.ndarray) -> np.ndarray:
        """(n,) maintenance USD, 0 or more, of positions of `size` (n,) USD without sign and `hedge` (n,) USD beside."""
        rate = self.maintenance / max(float(self.gross.sum()), 1e-12)
        found: np.ndarray = np.maximum(rate * size + self.hedge_margin * np.abs(hedge), 0.0)
        return found

    def exposed(self, values: np.ndarray, held: np.ndarray, hedge: np.ndarray) -> np.ndarray:
        """(n, k) exposures USD of what can be cut, of coins held and of the hedge (n,) together."""
        total: np.ndarray = values + held
        if self.hedge is not None:
            total[:, self.hedge] += hedge
        return total


def book_of(
    sub: SubAccount, model: MarginModel, market: Market, marks: Marks, costs: Costs, hedge: str | None = "BTC",
    hedge_margin: float | None = None,
) -> Book:  # fmt: skip
    """The sub-account made linear: deltas by central differences of its equity."""
    state = model.state(sub, marks)
    moving = [a for a in sub.assets if a not in USD_LIKE]
    if not moving:
        raise InputError("positions", "only dollars", "nothing here moves", "Add a position.")
    names = tuple(dict.fromkeys([*moving, *([hedge] if hedge and hedge in market else [])]))
    factors = np.ones((2 * len(moving), len(sub.assets)))
    for row, asset in enumerate(moving):
        column = sub.assets.index(asset)
        factors[2 * row, column], factors[2 * row + 1, column] = 1.01, 0.99
    equity = model.states(sub, marks, factors).equity
    total = np.zeros(len(names))
    total[: len(moving)] = (equity[::2] - equity[1::2]) / 0.02
    held, gross = np.zeros(len(names)), np.zeros(len(names))
    for c in sub.collateral:
        if c.asset in names:
            held[names.index(c.asset)] += c.quantity * marks.price(c.asset)
    for p in sub.positions:
        if p.underlying in names:
            gross[names.index(p.underlying)] += notional(p, marks.price(p.underlying))
    held = np.where(gross > 0, held, total)  # a coin alone: all of its exposure is the balance's, after its haircut
    size = max(float(gross.sum()), 1e-12)
    rate = costs.fee_bp * BP + sum(costs.half_spread(a) * g for a, g in zip(names, gross, strict=True)) / size
    own = costs.fee_bp * BP + costs.half_spread(hedge or "")
    margin = hedge_margin if hedge_margin is not None else state.maintenance / size
    return Book(
        assets=names, values=total - held, held=held, gross=gross, equity=float(state.equity),
        maintenance=float(state.maintenance), hedge=names.index(hedge) if hedge in names else None,
        hedge_margin=float(margin), cost=rate, hedge_cost=own,
    )  # fmt: skip
