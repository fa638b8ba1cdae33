"""The cheapest trades that bring the odds of liquidation down to a wish: steered by a margin, judged by the forecast.

A search finds the cheapest trades for a figure in dollars; the figure is moved until the forecast of the book after the
trades (cost paid, profit realised) says the odds wished. The figure is the capital for the same safety: maintenance +
what the gap may fall by with these odds, by the closed form at today's volatility. The margin itself would steer badly:
a venue's may rise with a hedge that lowers the odds, and ours looks at another window than the forecast.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market
from margin.forecast.calibration import logit
from margin.hedge.judge import Judge
from margin.hedge.menu import Menu, after
from margin.hedge.odds import DECAY, STEP, Backing
from margin.hedge.planner import LadderPlanner, Planner
from margin.hedge.search import SearchPlanner
from margin.ladder.margin_models import LadderModel
from margin.models.base import MarginModel
from margin.models.marks import Marks

STEPS = 8
NEAR = 0.97  # odds this share of those wished are near enough
INSIDE = (0.1, 0.9)  # of the bracket, where the next figure is tried


class CapitalJudge(Judge):
    """USD of capital that the book needs for these odds within `days`: maintenance + z sigma root(days).

    z : 2 Phi(-z) = odds; sigma : of a day, from the EWMA (0.94) covariance of the assets' returns and equity's slopes
    """

    def __init__(
        self, sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, market: Market, odds: float, days: float
    ):
        super().__init__(sub, model, marks, menu, "maintenance")
        self.assets = tuple(sorted({*sub.assets, *(c.asset for c in menu.choices)} - set(USD_LIKE)))
        moves = market.returns(self.assets, marks.as_of).values
        weights = DECAY ** np.arange(len(moves) - 1, -1, -1.0)
        self.covariance = (moves * weights[:, None]).T @ moves / weights.sum()
        self.wide = NormalDist().inv_cdf(1 - odds / 2) * days**0.5
        nothing = np.zeros(len(menu.choices))
        self.quick = _quick(self, sub, model, marks, menu, nothing)
        self.slopes = self._slopes(nothing)
        self.per_dollar = np.zeros((len(nothing), len(self.assets)))
        for j, choice in enumerate(menu.choices):  # slopes move in a straight line with what is traded
            usd = nothing.copy()
            usd[j] = min(choice.most, menu.gross)
            try:
                self.per_dollar[j] = (self._slopes(usd) - self.slopes) / usd[j]
            except InputError:
                continue  # refused: its figure is infinite anyway

    def _slopes(self, usd: np.ndarray) -> np.ndarray:
        """(assets,) USD of equity per 100% move of each, after trading `usd`: by central differences."""
        book = after(self.sub, self.marks, self.menu, usd.tolist())
        moving = [i for i, asset in enumerate(book.assets) if asset in self.assets]
        factors = np.ones((2 * len(moving), len(book.assets)))
        for row, i in enumerate(moving):
            factors[2 * row, i], factors[2 * row + 1, i] = 1 + STEP, 1 - STEP
        equity = self.model.states(book, self.marks, factors).equity
        out = np.zeros(len(self.assets))
        for row, i in enumerate(moving):
            out[self.assets.index(book.assets[i])] = (equity[2 * row] - equity[2 * row + 1]) / (2 * STEP)
        return out

    def __call__(self, usd: np.ndarray) -> float:
        """USD after trading `usd` of each choice; infinite where the model refuses the book."""
        maintenance = super().__call__(usd) if self.quick is None else self.quick(usd)
        slopes = self.slopes + usd @ self.per_dollar
        variance = float(slopes @ self.covariance @ slopes)
        return maintenance + float(self.wide * max(variance, 0.0) ** 0.5)


def _quick(
    judge: Judge, sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, nothing: np.ndarray
) -> Callable[[np.ndarray], float] | None:
    """Maintenance under a method of the ladder by its programme, scaled to the model's own today; None elsewhere."""
    if not isinstance(model, LadderModel):
        return None
    programme = LadderPlanner(sub, model, marks, menu, "maintenance").programme
    own, now = programme.figure(nothing), Judge.__call__(judge, nothing)
    return (lambda usd: programme.figure(usd) * now / own) if own > 0 else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Wish:
    """Odds wished within some days. steer : plans for a figure; judged : odds, 0..1, of the book after trades."""

    odds: float
    steer: Planner
    judged: Callable[[np.ndarray], float]

    def plan(self, least: Callable[[float], np.ndarray | None], lowest: np.ndarray) -> tuple[np.ndarray, float] | None:
        """(USD of each choice, the figure it was planned for): the cheapest trades found with at most the odds wished.

        least : the cheapest trades for a figure; lowest : those with the lowest there is. None where not even they do.
        """
        nothing = np.zeros(len(self.steer.menu.choices))
        now = float(self.steer.figure(nothing))
        best = lowest
        low, at_low = 0.0, float(logit(self.judged(nothing)))
        bottom = float(self.steer.figure(best))
        high, reached = 1.0 - bottom / now, self.judged(best)
        if high <= 0 or reached > self.odds:
            return None
        aim, met, at_high = float(logit(self.odds)), bottom * (1 + 1e-9), float(logit(reached))
        for _ in range(STEPS):
            part = (at_low - aim) / (at_low - at_high) if at_low > at_high else 0.5
            share = low + float(np.clip(part, *INSIDE)) * (high - low)
            usd = least((1.0 - share) * now)
            if usd is None:  # the search missed what the lowest figure shows to be there
                low = share
                continue
            odds = self.judged(usd)
            if odds <= self.odds:
                best, met, high, at_high = usd, (1.0 - share) * now, share, float(logit(odds))
                if odds >= NEAR * self.odds:
                    break
            else:
                low, at_low = share, float(logit(odds))
        return best, met


def wish_of(
    odds: float,
    now: float | None,
    planner: Planner,
    sub: SubAccount,
    model: MarginModel,
    marks: Marks,
    market: Market,
    days: float,
    backing: Backing,
) -> Wish:
    """How trades that reach these odds are planned and judged. now : today's odds.

    Raises InputError where the odds are there already, or the forecast has none for this book.
    """
    if now is None:
        why = "cannot be aimed at: the forecast has no odds for this account"
        raise InputError("odds", f"{odds:.2%}", why, "Aim at a margin.")
    if now <= odds:
        problem = f"are met already: {now:.2%} within {days:g} days"
        raise InputError("odds", f"{odds:.2%}", problem, "Ask for less.")
    judge = backing.model or model
    steer = SearchPlanner(sub, judge, marks, planner.menu)
    steer.judge = CapitalJudge(sub, judge, marks, planner.menu, market, odds, days)
    asked: dict[bytes, float] = {}

    def judged(usd: np.ndarray) -> float:
        key = usd.tobytes()
        if key not in asked:
            book = after(sub, marks, planner.menu, usd.tolist(), planner.cost(usd))
            asked[key] = backing.odds(book, model, market, marks, days)
        return asked[key]

    return Wish(odds=odds, steer=steer, judged=judged)
