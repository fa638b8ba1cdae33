"""The target that brings the odds of liquidation down to a wish: bisection over the margin, judged by the forecast.

Each step solves the least-cost programme for a margin and asks the forecast for the odds of the book after its trades
(cost paid, profit realised). The programme's margin only steers; what is promised are the forecast's odds.
"""

import numpy as np

from margin.core import checks
from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.market import Market
from margin.hedge.menu import after
from margin.hedge.odds import Backing
from margin.hedge.planner import Planner
from margin.models.base import MarginModel
from margin.models.marks import Marks

STEPS = 8


def target_for_odds(
    wanted: float, planner: Planner, sub: SubAccount, model: MarginModel, marks: Marks, market: Market,
    days: float, orders: int | None, backing: Backing | None = None,
) -> float:  # fmt: skip
    """USD of margin at which the cheapest trades leave odds of at most `wanted` within `days`.

    The largest share that has to be freed is looked for between nothing and all; less margin is taken to mean lower
    odds. Raises InputError where the odds are there already, or out of reach of these trades.
    """
    wanted = checks.number(wanted, "odds", above=0.0, most=1.0)
    nothing = np.zeros(len(planner.menu.choices))
    now = float(planner.figure(nothing))
    rests_on = backing or Backing()

    def odds(usd: np.ndarray) -> float:
        book = after(sub, marks, planner.menu, usd.tolist(), planner.cost(usd))
        return rests_on.odds(book, model, market, marks, days)

    start = odds(nothing)
    if start <= wanted:
        raise InputError("odds", f"{wanted:.2%}", f"are met already: {start:.2%} within {days:g} days", "Ask for less.")
    low, high, met = 0.0, 1.0, None
    for step in range(STEPS):
        share = 0.98 if step == 0 else (low + high) / 2
        usd = planner.least_cost((1 - share) * now, orders)
        if usd is not None and odds(usd) <= wanted:
            high, met = share, share
        elif step == 0 and usd is None:
            high = 0.98
        else:
            low = share if usd is not None else low
            high = high if usd is not None else share
    if met is None:
        raise InputError(
            "odds", f"{wanted:.2%}", "are out of reach of these trades", "Allow more orders, or add money."
        )
    return (1 - met) * now
