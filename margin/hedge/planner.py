"""A planner finds trades for a target or a budget under one margin model; the model itself is the judge.

The ladder's methods go through linear programmes (exact for expected shortfall); what they do not express, the
safeguards above all, is judged by the model: the programme's own target is moved until the model's figure meets the
one wanted. Every other margin model is searched (margin/hedge/search.py).
"""

from typing import Protocol

import numpy as np

from margin.core.account import SubAccount
from margin.core.instruments import parse_symbol
from margin.hedge.judge import Judge
from margin.hedge.menu import Choice, Menu
from margin.hedge.one_trade import low_with, one_trade
from margin.hedge.programme import Chosen, EllipticalProgramme, Programme, ScenarioProgramme, Solved
from margin.ladder.margin_models import POOLED, LadderModel
from margin.models.marks import Marks
from margin.risk.elliptical import Elliptical, simulate, tail_factor

ROUNDS = 12  # of moving the programme's target until the model agrees
MET = 1e-8
CLOSE = 1e-4  # a figure this share below the target is near enough: going on saves less than a basis point of the cost
SHARES = (0.1, 0.25, 0.45, 0.7)  # of the way back from the programme's lowest margin


class Planner(Protocol):
    """Trades under one model. `exact`: proven optimal for the programme's figure; else found by search."""

    menu: Menu
    exact: bool
    judge: Judge

    def figure(self, usd: np.ndarray) -> float:
        """The model's margin after trading `usd` of each choice, USD."""
        ...

    def cost(self, usd: np.ndarray) -> float:
        """USD of trading, impact by its chords."""
        ...

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> np.ndarray | None:
        """USD of each choice, the cheapest that meets the target; None where none was found."""
        ...

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> np.ndarray:
        """USD of each choice that frees most for the budget; None: whatever it costs."""
        ...


class LadderPlanner:
    """Trades under one of the ladder's methods, by linear programmes and the model's own judgement."""

    exact = True

    def __init__(self, sub: SubAccount, model: LadderModel, marks: Marks, menu: Menu, figure: str = "initial"):
        self.menu, self.model, self.sub, self.marks = menu, model, sub, marks
        self.judge = Judge(sub, model, marks, menu, figure)
        self.programme = programme_of(sub, model, marks, menu)
        self.lowest: dict[tuple[int, bytes | None], Solved] = {}
        self.share = model.settings.maintenance if figure == "maintenance" else 1.0

    def figure(self, usd: np.ndarray) -> float:
        """The model's margin after trading `usd` of each choice, USD."""
        return self.judge(usd)

    def cost(self, usd: np.ndarray) -> float:
        """USD of trading, impact by its chords."""
        return self.programme.cost(usd)

    def least_cost(self, target: float, orders: int | None = None, allowed: Chosen = None) -> np.ndarray | None:
        """USD of each choice, the cheapest that meets the target; None where none does."""
        nothing = np.zeros(len(self.menu.choices))
        now, own = self.figure(nothing), self.programme.figure(nothing) * self.share
        if now <= target:
            return nothing
        wanted = target * (own / now) if now > 0 else target
        if orders is not None:
            found = self._limited(wanted / self.share, orders, allowed)
            if found is None:
                return self._widest(target, orders, allowed)
            allowed = self._support(found.usd)
        return self._met(target, wanted / self.share, own / self.share, allowed)

    def _limited(self, wanted: float, orders: int, allowed: Chosen) -> Solved | None:
        single = one_trade(self.programme, wanted) if allowed is None else None
        if orders == 1 and allowed is None:
            return single
        free = self.programme.least_cost(wanted, None, allowed)
        if free is None or self._orders(free.usd) <= orders:  # a vertex of the programme without a limit will do
            return free
        return self.programme.least_cost(wanted, orders, allowed)

    def _widest(self, target: float, orders: int, allowed: Chosen) -> np.ndarray | None:
        """The target by the programme is out of reach: the lowest it goes may still meet the model's."""
        lowest = self._lowest(orders, allowed)
        if self.figure(lowest.usd) > target * (1 + MET):
            return None
        now = self.programme.figure(np.zeros_like(lowest.usd))
        return self._met(target, lowest.figure, now, self._support(lowest.usd))

    def _lowest(self, orders: int, allowed: Chosen) -> Solved:
        """`low_with`, once for each set of choices."""
        key = (orders, None if allowed is None else np.asarray(allowed, dtype=bool).tobytes())
        if key not in self.lowest:
            self.lowest[key] = low_with(self.programme, orders, allowed)
        return self.lowest[key]

    def _met(self, target: float, wanted: float, most: float, allowed: Chosen) -> np.ndarray | None:
        """Move the programme's target between 0 and `most` until the model's figure meets `target`."""
        low, high, best = 0.0, most, None
        at_low, at_high = 0.0, self.figure(np.zeros(len(self.menu.choices)))
        floor = None
        for _ in range(ROUNDS):
            found = self.programme.least_cost(wanted, None, allowed)
            if found is None:
                floor = floor or self.programme.most_freed(None, None, allowed)
                if wanted >= floor.figure:  # only rounding: ask a hair above the floor
                    found = floor
                else:
                    low = wanted = floor.figure * (1 + 1e-12)
                    found = floor
            got = self.figure(found.usd)
            if got <= target * (1 + MET):
                best, low, at_low = found.usd, wanted, got
                if got >= target * (1 - CLOSE):
                    break
            else:
                high, at_high = wanted, got
                if floor is not None and found is floor:
                    return best
            if high - low <= 1e-9 * max(most, 1e-12):
                break
            wanted = _between(low, high, at_low, at_high, target, best is not None)
        return best

    def most_freed(self, budget: float | None = None, orders: int | None = None, allowed: Chosen = None) -> np.ndarray:
        """USD of each choice that frees most of the programme's margin for the budget; None: whatever it costs."""
        found = self.programme.most_freed(budget, None, allowed)
        if orders is not None and self._orders(found.usd) > orders:
            limited = self._lowest(orders, allowed)
            found = limited if budget is None else self.programme.most_freed(budget, orders, allowed)
        tried = [np.zeros_like(found.usd), found.usd]
        now = self.programme.figure(tried[0])
        if self.model.key == "safeguarded":  # the programme's lowest may not be the model's: look on the way there
            used = self._support(found.usd)
            for share in SHARES:
                part = self.programme.least_cost(found.figure + share * (now - found.figure), None, used)
                if part is not None and (budget is None or part.cost <= budget * (1 + MET)):
                    tried.append(part.usd)
        return min(tried, key=self.figure)

    def _orders(self, usd: np.ndarray) -> int:
        used = self._support(usd)
        return len({order for order, use in zip(self.menu.orders, used, strict=True) if use})

    def _support(self, usd: np.ndarray) -> np.ndarray:
        return usd > 1e-9 * max(self.menu.gross, 1e-12)


def _between(low: float, high: float, at_low: float, at_high: float, target: float, bracketed: bool) -> float:
    """The next target of the programme: by the straight line through what is known, kept off the ends."""
    if not bracketed or at_high <= at_low:
        return high * target / at_high if not bracketed and at_high > 0 else (low + high) / 2
    guess = low + (target * (1 - CLOSE / 2) - at_low) / (at_high - at_low) * (high - low)
    room = 0.02 * (high - low)
    return min(max(guess, low + room), high - room)


def programme_of(sub: SubAccount, model: LadderModel, marks: Marks, menu: Menu) -> Programme:
    """The method's convex programme: expected shortfall over its scenarios, or its closed form.

    Value at risk is not convex: the programme then takes expected shortfall at the same level, and the model judges.
    """
    more = [parse_symbol(c.symbol) for c in menu.choices if c.is_hedge]
    book, past, drawn = model.scenario_book(sub, marks, more)
    key = "portfolio" if model.key in POOLED else model.key
    if isinstance(drawn, Elliptical) and key == "portfolio":
        weights = book.linear_weights()
        relief = np.zeros((len(menu.choices), len(past.assets)))
        for j, choice in enumerate(menu.choices):
            if choice.row is not None:
                relief[j] = weights[choice.row] / choice.most
            else:
                relief[j, _column(past.assets, choice)] = -choice.side
        settings = model.settings
        factor = tail_factor(settings.measure, settings.level, drawn.dof)
        return EllipticalProgramme(menu, weights.sum(axis=0), relief, drawn.covariance, factor)
    if isinstance(drawn, Elliptical):
        drawn = simulate(drawn)
    losses = book.losses(drawn.returns)
    relief = np.zeros((len(menu.choices), len(losses)))
    for j, choice in enumerate(menu.choices):
        if choice.row is not None:
            relief[j] = losses[:, choice.row] / choice.most
        else:
            relief[j] = choice.side * drawn.returns[:, _column(past.assets, choice)]
    group, count = _groups(sub, menu, key)
    own = np.zeros((count, len(losses)))
    for i in range(losses.shape[1]):
        label = 0 if key == "portfolio" else group[1][i]
        own[label] += losses[:, i]
    return ScenarioProgramme(menu, own, relief, group[0], model.settings.level)


def _column(series: tuple[str, ...], choice: Choice) -> int:
    """The scenario column a choice moves with: its own instrument's where there is one, else its asset's."""
    return series.index(choice.symbol if choice.symbol in series else choice.asset)


def _groups(sub: SubAccount, menu: Menu, key: str) -> tuple[tuple[list[int], list[int]], int]:
    """((group of each choice, group of each position), how many): one, one an underlying, or one a position."""
    if key == "portfolio":
        return ([0] * len(menu.choices), [0] * len(sub.positions)), 1
    names: list[str] = []
    positions = []
    for i, p in enumerate(sub.positions):
        name = p.underlying if key == "netted" else f"{i}"
        names += [] if name in names else [name]
        positions.append(names.index(name))
    choices = []
    for c in menu.choices:
        if c.row is not None:
            choices.append(positions[c.row])
            continue
        same = next((i for i, p in enumerate(sub.positions) if p.symbol == c.symbol), None)
        name = c.asset if key == "netted" else f"{same}" if same is not None else c.symbol
        names += [] if name in names else [name]
        choices.append(names.index(name))
    return (choices, positions), len(names)
