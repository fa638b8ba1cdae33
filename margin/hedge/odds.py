"""Odds of liquidation for trades and moves: the forecast's own figure, and a quick form that only ranks.

`forecast_odds` and `any_odds` are `margin.forecast` itself, same paths and random numbers for every answer, so that the
odds shown here are those of the Forecast page. `quick_odds` is a first-passage closed form on the gap made linear at
today's marks, with the EWMA volatility of what it would have earned on past days: a hundred books are ranked by it
before the best of them are judged by the forecast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral
from margin.core.settings import Settings
from margin.forecast.engine import HORIZONS, judge
from margin.forecast.first_passage import hit_probability
from margin.ladder.margin_models import LadderModel
from margin.models.base import MarginModel
from margin.models.marks import Marks
from margin.risk.history import ewma_vol_path

STEP = 0.01
DECAY = 0.94
LEAST_RETURNS = 60


def horizons_of(days: float) -> tuple[float, ...]:
    """The forecast's own horizons where `days` is one of them, so that its paths are the same; else `days` alone."""
    return HORIZONS if days in HORIZONS else (days,)


def forecast_odds(
    sub: SubAccount, model: MarginModel, market: Market, marks: Marks, days: float, among: Sequence[str] = ()
) -> float:
    """Odds, 0..1, that equity meets maintenance within `days`, by `margin.forecast`; 1 where it has already.

    among : assets of the other sub-accounts, whose common days the forecast of all of them rests on
    Raises InputError where the forecast refuses: fewer than 120 days of prices, a horizon over a quarter of them.
    """
    if not any(p.quantity for p in sub.positions):
        return 0.0
    found = judge(sub, market, model=model, horizons=horizons_of(days), marks=marks, among=among)
    return next(o.probability for o in found.horizons if o.days == days)


@dataclass(frozen=True, kw_only=True)
class Backing:
    """What the odds rest on beside the sub-account itself.

    among : assets of the other sub-accounts; assumed : USD behind a book that posts none, as the forecast assumes
    model : judges the odds where it is another one than judges the margin
    """

    among: tuple[str, ...] = ()
    assumed: float = 0.0
    model: MarginModel | None = None

    def odds(self, sub: SubAccount, model: MarginModel, market: Market, marks: Marks, days: float) -> float:
        """Odds of liquidation within `days` by the forecast. Raises InputError where it refuses."""
        if self.assumed:
            sub = replace(sub, collateral=(*sub.collateral, Collateral("USD", self.assumed)))
        return forecast_odds(sub, self.model or model, market, marks, days, self.among)


def any_odds(
    portfolio: Portfolio, market: Market, marks: Marks, settings: Settings, model: str | None, days: float
) -> float:
    """Odds that any sub-account is liquidated, counted on the same paths. Raises InputError as `forecast_odds`."""
    if not any(p.quantity for a in portfolio.accounts for p in a.margined):
        return 0.0
    found = judge(portfolio, market, settings, model=model, horizons=horizons_of(days), marks=marks)
    return next(o.probability for o in found.horizons if o.days == days)


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


def quick_odds(sub: SubAccount, model: MarginModel, marks: Marks, market: Market, days: float) -> float:
    """Odds by the closed form, 0..1, to rank by; 1 where equity is at maintenance already.

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


def quick_any(odds: list[float]) -> float:
    """Odds that at least one of several accounts is called, as if independent: 1 - product of (1 - p). To rank by."""
    return float(1.0 - np.prod([1.0 - p for p in odds]))
