"""Which trade frees most margin per dollar: cut, hedge, or both, side by side. docs/hedge.md.

hedge(sub, model, market, marks)          one sub-account under any margin model
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from margin.core import checks
from margin.core.account import SubAccount
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.position import joined
from margin.core.settings import Settings
from margin.core.words import by_reason
from margin.forecast.accounts import assumed_money
from margin.hedge.answer import DEAD, Hedge
from margin.hedge.costs import Costs
from margin.hedge.credit import hedge_credit
from margin.hedge.hedge_prices import with_hedges
from margin.hedge.least_odds import wish_of
from margin.hedge.menu import HEDGES, Menu, hedge_symbol, menu_of
from margin.hedge.odds import Backing
from margin.hedge.planner import LadderPlanner, Planner
from margin.hedge.search import SearchPlanner
from margin.hedge.ways import allowed_choices, find_way, no_choice, no_worse, standing_of, unreached
from margin.ladder.margin_models import LadderModel
from margin.models.base import MarginModel, pinned, without_refused
from margin.models.marks import Marks

TARGET = 0.30
TRADES = 2
DAYS = 7.0
DEARER = "A hedge asks for more margin here, and still lowers the odds: the account loses less when prices move."
NOT_PROVEN = "Found by search: not proven optimal."


def hedge(
    sub: SubAccount,
    model: MarginModel,
    market: Market,
    marks: Marks,
    *,
    target: float | None = None,
    budget: float | None = None,
    odds: float | None = None,
    orders: int | None = TRADES,
    hedges: Sequence[str] = HEDGES,
    keep: Iterable[str] = (),
    costs: Costs | None = None,
    figure: str = "initial",
    days: float = DAYS,
    lots: Mapping[str, float] | None = None,
    out_of_sample: bool = True,
    among: Sequence[str] = (),
    odds_model: MarginModel | None = None,
) -> Hedge:
    """Cut, hedge or both: the cheapest way to a margin or to odds of liquidation, or the most freed for a budget.

    target : USD of margin wanted; default 70% of what is asked now. budget : USD to spend instead
    odds   : 0..1, of liquidation within `days`, wanted instead of a margin; every way is planned for them
    orders : at most so many, 1 to 3 under the ladder's methods; None: no limit
    hedges : assets or symbols; keep : symbols or assets that are not cut; lots : least step in units by symbol
    figure : "initial" or "maintenance"; days : of the odds, which are the forecast's own
    among  : assets of the portfolio's other accounts, so that the odds are those of a forecast of all of them
    odds_model : judges the odds, where another one judges the margin (with safeguards the portfolio method)
    Raises InputError for what the model refuses, an empty account, a target that is not below today's margin, odds
    that are met already.
    """
    if sum(x is not None for x in (target, budget, odds)) > 1:
        field, value = ("budget", budget) if odds is None else ("odds", odds)
        raise InputError(field, value, "stands beside another aim", "Give one: a target, a budget or odds.")
    if orders is not None and not 1 <= orders <= 3:
        raise InputError("trades", orders, "must be 1, 2 or 3", "Leave it out for any number.")
    days = checks.number(days, "days", above=0.0, most=365.0)
    if not any(p.quantity for p in sub.positions):
        raise InputError("positions", "none", "this account holds no position that is margined", "Add one.")
    reproduced, refused = without_refused(model, sub)
    notes = [f"Without {said}." for said in by_reason((x.symbol, x.reason) for x in refused)]
    if not any(p.quantity for p in reproduced.positions):
        model.check(sub)  # nothing is left: why
    sub = pinned(reproduced, marks)
    sub = replace(sub, positions=joined(sub.positions))  # rows of one contract are cut by one order
    marks, left_out = with_hedges(marks, market, sub, hedges, model)
    usable = [h for h in hedges if h not in left_out]
    menu = menu_of(sub, marks, market, costs or Costs(), usable, keep, dict(lots or {}))
    menu = replace(menu, left_out=(*menu.left_out, *((hedge_symbol(sub, h), why) for h, why in left_out.items())))
    planner = planner_of(sub, model, marks, menu, figure)
    nothing = np.zeros(len(menu.choices))
    if menu.gross <= 0:
        hint = "See the moves of collateral: add money, or repay."
        raise InputError("positions", "only balances", "hold nothing that could be cut or hedged", hint)
    now = planner.figure(nothing)
    if odds is not None:
        odds = checks.number(odds, "odds", above=0.0, most=1.0)
    elif target is None and budget is None:
        target = (1 - TARGET) * now
    if target is not None:
        checks.number(target, "target", least=0.0)
        if target >= now > 0:
            hint = "Give a lower one, or a share such as -30%."
            raise InputError("target", target, f"is not below today's margin of {now:,.2f}", hint)
    if budget is not None:
        checks.number(budget, "budget", above=0.0)
    backing = replace(_backing(sub, model, market, marks, tuple(among), notes), model=odds_model)
    before = standing_of(sub, model, marks, market, figure, days, notes, backing)
    if not menu.choices:
        raise InputError("keep", "everything", "nothing is left to trade", "Keep fewer positions, or name hedges.")
    credit = hedge_credit(sub, model, marks, menu, figure)
    wish = None
    if odds is not None:
        wish = wish_of(odds, before.odds, planner, sub, model, marks, market, days, backing)
    ways = []
    for key, allowed in allowed_choices(menu).items():
        if now <= 0 or not any(allowed):
            why = "Nothing to free." if now <= 0 else no_choice(key, sub, credit)
            ways.append(unreached(key, nothing, None, why))
            continue
        ways.append(
            find_way(
                key,
                allowed,
                planner,
                sub,
                model,
                marks,
                market,
                figure,
                days,
                target,
                budget,
                orders,
                out_of_sample,
                credit,
                backing,
                wish,
            )
        )
    ways = no_worse(ways, budget, orders)
    if odds is not None and credit.frees is False and any(w.key == "hedge" and w.reached for w in ways):
        notes.append(DEARER)
    if not planner.exact:
        notes.append(NOT_PROVEN)
    unknown = sorted({c.asset for c in menu.choices if c.tariff.volume is None})
    if unknown:
        notes.append(f"No traded volume of {', '.join(unknown)} is known: no impact is charged for it.")
    if before.margin and before.equity < before.maintenance:
        notes.append(DEAD)
    return Hedge(
        sub=sub, model=model, marks=marks, menu=menu, planner=planner, figure=figure, target=target, budget=budget,
        odds=odds, orders=orders, days=days, before=before, ways=tuple(ways), credit=credit,
        notes=tuple(dict.fromkeys(notes)), backing=backing, wish=wish,
    )  # fmt: skip


def _backing(
    sub: SubAccount, model: MarginModel, market: Market, marks: Marks, among: tuple[str, ...], notes: list[str]
) -> Backing:
    """What the odds rest on; a book that posts no money gets what the forecast assumes for it, and a note says so."""
    if sub.collateral or sub.isolated:
        return Backing(among=among)
    own = model.settings if isinstance(model, LadderModel) else Settings()
    try:
        money = assumed_money(sub, market, own.with_(as_of=date_text(marks.as_of)), marks)
    except InputError as error:
        notes.append(f"No collateral is given, and none can be assumed: {error.problem}.")
        return Backing(among=among)
    notes.append(f"No collateral is given: the odds assume ${money:,.2f}, 1.5 x the portfolio margin.")
    return Backing(among=among, assumed=money)


def planner_of(sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, figure: str = "initial") -> Planner:
    """Programmes for the ladder's methods, the search for every other model."""
    if isinstance(model, LadderModel):
        return LadderPlanner(sub, model, marks, menu, figure)
    return SearchPlanner(sub, model, marks, menu, figure)
