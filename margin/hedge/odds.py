"""Odds that a sub-account is liquidated within some days: the first-passage closed form on its own gap.

The gap (equity less maintenance) is made linear in returns at today's marks; its daily standard deviation is the EWMA
of what it would have earned on past days; it starts `gap` above the line. margin/forecast says how far such a form can
be trusted; here it ranks trades and moves of collateral.
"""

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.forecast.first_passage import hit_probability
from margin.ladder.margin_models import LadderModel
from margin.models.base import MarginModel
from margin.models.marks import Marks
from margin.risk.history import ewma_vol_path

STEP = 0.01
DECAY = 0.94
LEAST_RETURNS = 60


def gap_exposures(sub: SubAccount, model: MarginModel, marks: Marks) -> tuple[tuple[str, ...], np.ndarray]:
    """(assets that move, USD of gap per 100% move of each): by central differences of 1%."""
    assets = sub.assets
    moving = [i for i, a in enumerate(assets) if a not in USD_LIKE]
    factors = np.ones((2 * len(moving), len(assets)))
    for row, i in enumerate(moving):
        factors[2 * row, i], factors[2 * row + 1, i] = 1 + STEP, 1 - STEP
    if not moving:
        return (), np.zeros(0)
    gaps = _gaps(sub, model, marks, factors)
    return tuple(assets[i] for i in moving), (gaps[::2] - gaps[1::2]) / (2 * STEP)


def _gaps(sub: SubAccount, model: MarginModel, marks: Marks, factors: np.ndarray) -> np.ndarray:
    """Equity less maintenance, USD (n,). With safeguards maintenance is taken to move as the portfolio margin does.

    (Their `states` go row by row, 10 ms each; the portfolio method's are one matrix product.)
    """
    if isinstance(model, LadderModel) and model.key == "safeguarded":
        plain = LadderModel("portfolio", model.market, model.settings)
        pooled = plain.state(sub, marks).maintenance
        if pooled > 0:
            found = plain.states(sub, marks, factors)
            scaled: np.ndarray = found.equity - found.maintenance * (model.state(sub, marks).maintenance / pooled)
            return scaled
    return model.states(sub, marks, factors).gap


def call_odds(sub: SubAccount, model: MarginModel, marks: Marks, market: Market, days: float) -> float:
    """Probability, 0..1, that equity meets maintenance within `days`; 1 where it has already.

    Raises InputError where there are fewer than 60 common returns to measure the moves by.
    """
    state = model.state(sub, marks)
    if state.maintenance <= 0 and state.equity >= 0:
        return 0.0
    if state.gap <= 0:
        return 1.0
    assets, exposures = gap_exposures(sub, model, marks)
    if not np.any(exposures):
        return 0.0
    key = ("odds returns", assets, marks.as_of)
    returns = market.remember(key, lambda: market.returns(assets, marks.as_of).values)
    if len(returns) < LEAST_RETURNS:
        hint = f"{LEAST_RETURNS} are needed: add price history."
        raise InputError("prices", f"{len(returns)} returns", "too little common history for odds of a call", hint)
    sigma = float(ewma_vol_path((returns @ exposures)[:, None], DECAY)[-1, 0])
    return float(hit_probability(state.gap, sigma, days))


def any_called(odds: list[float]) -> float:
    """Odds that at least one of several accounts is called, as if they were independent: 1 - product of (1 - p)."""
    return float(1.0 - np.prod([1.0 - p for p in odds]))
