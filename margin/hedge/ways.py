"""One way to the target (cut alike, cut, hedge, both): planned, rounded, priced and judged."""

from dataclasses import replace

import numpy as np

from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.market import Market
from margin.forecast.results import printed
from margin.hedge.answer import Standing, Way
from margin.hedge.credit import Credit
from margin.hedge.least_odds import Wish
from margin.hedge.lots import rounded
from margin.hedge.menu import Menu, after, gross
from margin.hedge.odds import Backing
from margin.hedge.orders import trades_of
from margin.hedge.out_of_sample import held_back
from margin.hedge.planner import Planner
from margin.ladder.margin_models import POOLED, LadderModel
from margin.models.base import MarginModel
from margin.models.marks import Marks

TITLES = {
    "pro_rata": "Cut everything alike",
    "cut": "Cut",
    "hedge": "Hedge",
    "mix": "Cut and hedge",
}


def allowed_choices(menu: Menu) -> dict[str, list[bool]]:
    """By way (pro_rata, cut, hedge, mix): which of the menu's choices it may use."""
    cuts = [not c.is_hedge for c in menu.choices]
    hedges = [c.is_hedge and not c.flips for c in menu.choices]
    return {"pro_rata": cuts, "cut": cuts, "hedge": hedges, "mix": [True] * len(cuts)}


def no_worse(ways: list[Way], budget: float | None, orders: int | None) -> list[Way]:
    """What is open to one way is open to the wider one: a search that missed it takes it over."""
    if budget is not None:
        return ways
    out: dict[str, Way] = {}
    for way in ways:
        for narrower in {"cut": ("pro_rata",), "mix": ("cut", "hedge")}.get(way.key, ()):
            found = out[narrower]
            few = orders is None or len(found.trades) <= orders
            if found.reached and few and (not way.reached or found.cost < way.cost):
                way = replace(found, key=way.key, title=way.title)
        out[way.key] = way
    return list(out.values())


def no_choice(key: str, sub: SubAccount, credit: Credit) -> str:
    """Why a way has nothing to choose from, as a sentence."""
    if key == "hedge":
        return credit.why if sub.isolated else "No hedge can be used."
    return "Every position is to be kept."


def unreached(key: str, usd: np.ndarray, floor: float | None, why: str) -> Way:
    """A way that does not meet the target: `floor` is the least margin it can reach, USD; `why` a sentence."""
    return Way(
        key=key, title=TITLES[key], usd=usd, trades=(), cost=0.0, after=None, reached=False, floor=floor, held=None,
        why=why,
    )  # fmt: skip


def find_way(
    key: str,
    allowed: list[bool],
    planner: Planner,
    sub: SubAccount,
    model: MarginModel,
    marks: Marks,
    market: Market,
    figure: str,
    days: float,
    target: float | None,
    budget: float | None,
    orders: int | None,
    out_of_sample: bool,
    credit: Credit,
    backing: Backing,
    wish: Wish | None = None,
) -> Way:
    """Plan one way (`key` of TITLES) to `target`, within `budget`, USD, or to the odds wished: whole lots, judged by
    the model."""
    menu = planner.menu
    limited = None if all(allowed) else allowed
    steer = planner if wish is None else wish.steer
    usd: np.ndarray | None
    if wish is not None:
        found, lowest = _wished(key, allowed, wish, orders)
        if found is None:
            return unreached(key, lowest, None, _no_odds(key, wish, lowest, credit, orders))
        usd, target = found
    elif key == "pro_rata":
        usd = _pro_rata(planner, allowed, target, budget)
    elif target is not None:
        usd = planner.least_cost(target, orders, limited)
    else:
        usd = planner.most_freed(budget, orders, limited)
    if usd is None:
        lowest = planner.most_freed(None, orders, limited)
        floor = float(planner.figure(lowest))
        if key == "hedge" and credit.frees is False:
            return unreached(key, lowest, floor, credit.why)
        if key == "hedge" and floor >= planner.figure(np.zeros(len(allowed))) * (1 - 1e-9):
            return unreached(key, lowest, floor, "No hedge of these frees any margin here.")
        many = "" if orders is None else f" with {orders} {'order' if orders == 1 else 'orders'}"
        return unreached(key, lowest, floor, f"Out of reach: it goes down to ${floor:,.0f}{many}.")
    planned, usd = usd, rounded(usd, menu, steer, target)
    if wish is not None and not np.array_equal(planned, usd):
        usd = _still_wished(planned, usd, menu, wish, target)
    bought = trades_of(usd, menu, planner, marks)
    cost = sum(t.bill.total for t in bought)
    notes: list[str] = []
    then = standing_of(after(sub, marks, menu, usd.tolist(), cost), model, marks, market, figure, days, notes, backing)
    held = held_back(planner, usd, target, allowed) if out_of_sample else None
    if not bought:
        return unreached(key, usd, planner.figure(usd), "Nothing it could trade frees margin.")
    return Way(
        key=key, title=TITLES[key], usd=usd, trades=bought, cost=cost, after=then, reached=True, floor=None, held=held
    )


def _wished(
    key: str, allowed: list[bool], wish: Wish, orders: int | None
) -> tuple[tuple[np.ndarray, float] | None, np.ndarray]:
    """(trades for odds wished and the steering figure they were planned for, None without; the lowest there is)."""
    steer, limited = wish.steer, None if all(allowed) else allowed
    if key == "pro_rata":
        lowest = np.array([c.most if ok else 0.0 for c, ok in zip(steer.menu.choices, allowed, strict=True)])
        return wish.plan(lambda figure: _pro_rata(steer, allowed, figure, None), lowest), lowest
    lowest = steer.most_freed(None, orders, limited)
    return wish.plan(lambda figure: steer.least_cost(figure, orders, limited), lowest), lowest


def _still_wished(planned: np.ndarray, usd: np.ndarray, menu: Menu, wish: Wish, target: float | None) -> np.ndarray:
    """Whole lots that still have the odds wished: a lower figure is asked until they do."""
    for less in (0.98, 0.95, 0.9, 0.8):
        if wish.judged(usd) <= wish.odds or target is None:
            break
        usd = rounded(planned, menu, wish.steer, less * target)
    return usd


def _no_odds(key: str, wish: Wish, lowest: np.ndarray, credit: Credit, orders: int | None) -> str:
    many = "" if orders is None or key == "pro_rata" else f" with {orders} {'order' if orders == 1 else 'orders'}"
    now, best = wish.judged(np.zeros_like(lowest)), wish.judged(lowest)
    reach = f"they go down to {printed(best)}" if best < now else "none of these trades lowers them"
    why = f"Odds of {wish.odds:.1%} are out of reach{many}: {reach}."
    return f"{why} {credit.why}" if key == "hedge" and credit.frees is False else why


def _pro_rata(planner: Planner, allowed: list[bool], target: float | None, budget: float | None) -> np.ndarray | None:
    """The same share of every position: by the straight line (exact where margin is homogeneous), then bisection."""
    most = np.array([c.most if ok else 0.0 for c, ok in zip(planner.menu.choices, allowed, strict=True)])
    if target is None:
        assert budget is not None
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if planner.cost(middle * most) <= budget else (low, middle)
        return low * most
    now = planner.figure(np.zeros(len(most)))
    share = 1.0 - target / now
    got = planner.figure(share * most)
    if target * (1 - 1e-6) <= got <= target * (1 + 1e-8):
        return share * most
    if planner.figure(most) > target:
        return None
    low, high, at_low, at_high = 0.0, 1.0, now, planner.figure(most)
    for _ in range(16):  # the straight line between the ends, kept off them
        part = (at_low - target * (1 - 1e-5)) / (at_low - at_high) if at_low > at_high else 0.5
        middle = low + min(max(part, 0.02), 0.98) * (high - low)
        got = planner.figure(middle * most)
        if got <= target:
            high, at_high = middle, got
            if got >= target * (1 - 1e-4):
                break
        else:
            low, at_low = middle, got
    return high * most


def standing_of(
    sub: SubAccount, model: MarginModel, marks: Marks, market: Market, figure: str, days: float, notes: list[str],
    backing: Backing,
) -> Standing:  # fmt: skip
    """Where `sub` stands, USD; a reason is added to `notes` where the odds can't be computed."""
    state = model.state(sub, marks)
    try:
        odds = backing.odds(sub, model, market, marks, days)
    except InputError as error:
        odds = None
        notes.append(f"Odds not computed: {error.problem}.")
    return Standing(
        margin=float(getattr(state, figure)),
        initial=float(state.initial),
        maintenance=float(state.maintenance),
        equity=float(state.equity),
        health=None if state.health is None else float(state.health),
        odds=odds,
        gross=float(gross(sub, marks)),
        **_pooled(sub, model, marks),
    )


def _pooled(sub: SubAccount, model: MarginModel, marks: Marks) -> dict[str, float]:
    """The portfolio margin with and without safeguards, for the ladder's pooled methods."""
    if not isinstance(model, LadderModel) or model.key not in POOLED:
        return {}
    return {key: float(LadderModel(key, model.market, model.settings).state(sub, marks).initial) for key in POOLED}
