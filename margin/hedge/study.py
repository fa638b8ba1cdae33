"""Which trade frees most margin per dollar: cut, hedge, or both, side by side. docs/hedge.md.

hedge(sub, model, market, marks)          one sub-account under any margin model
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from margin.core import checks
from margin.core.account import SubAccount
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.core.market import Market
from margin.hedge.costs import Bill, Costs
from margin.hedge.credit import Credit, hedge_credit
from margin.hedge.lots import rounded
from margin.hedge.menu import HEDGES, Menu, after, gross, hedge_symbol, menu_of
from margin.hedge.odds import call_odds
from margin.hedge.out_of_sample import Held, held_back
from margin.hedge.planner import LadderPlanner, Planner
from margin.hedge.search import SearchPlanner
from margin.ladder.margin_models import POOLED, LadderModel
from margin.models.base import MarginModel, pinned
from margin.models.marks import Marks

TARGET = 0.30
TRADES = 2
DAYS = 7.0
TITLES = {
    "pro_rata": "Cut everything alike",
    "cut": "Cut",
    "hedge": "Hedge",
    "mix": "Cut and hedge",
}
LISTED = 3  # orders that a headline names
NOT_PROVEN = "Found by search: not proven optimal."


def amount_text(amount: float) -> str:
    """Units for a sentence: whole from 1,000 up, four digits below."""
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.4g}"


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One order: what is traded, and what it costs and frees.

    amount : units, above 0 (of a coin-settled contract USD of face); usd : notional; freed : USD of margin that would
    come back if this one order were left out of the set
    """

    symbol: str
    side: str
    amount: float
    usd: float
    price: float
    cut: bool
    reduce_only: bool
    bill: Bill
    freed: float

    @property
    def freed_per_dollar(self) -> float | None:
        """USD of margin freed for each dollar of cost; None for a free trade."""
        return self.freed / self.bill.total if self.bill.total > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("symbol", "side", "amount", "usd", "price", "cut", "reduce_only", "freed", "freed_per_dollar")
        return {**{name: getattr(self, name) for name in names}, "cost": self.bill.to_dict()}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the sub-account stands, USD: `margin` is the figure that is judged, `odds` of liquidation within the days.

    portfolio, safeguarded : both pooled figures of the ladder, None for other models
    gross : all positions without sign; odds None with the reason in the result's notes
    """

    margin: float
    initial: float
    maintenance: float
    equity: float
    health: float | None
    odds: float | None
    gross: float
    portfolio: float | None = None
    safeguarded: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = (
            "margin", "initial", "maintenance", "equity", "health", "odds", "gross", "portfolio", "safeguarded",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """One way to the target: its orders, cost and where it leads.

    reached : whether the target is met; where it is not, `floor` is the least margin this way can reach at any cost
    held    : the loss ratio on the days that were not used to choose it, None where it does not apply
    """

    key: str
    title: str
    usd: np.ndarray
    trades: tuple[Trade, ...]
    cost: float
    after: Standing | None
    reached: bool
    floor: float | None
    held: Held | None
    why: str = ""

    @property
    def freed(self) -> float:
        """USD of margin that its trades free."""
        return sum(t.freed for t in self.trades)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "key": self.key,
            "title": self.title,
            "reached": self.reached,
            "cost": self.cost,
            "after": None if self.after is None else self.after.to_dict(),
            "trades": [t.to_dict() for t in self.trades],
            "floor": self.floor,
            "out_of_sample": None if self.held is None else self.held.to_dict(),
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Hedge:
    """The answer for one sub-account. `best` is the cheapest way that meets the target, None where none does."""

    sub: SubAccount
    model: MarginModel
    marks: Marks
    menu: Menu
    planner: Planner
    figure: str
    target: float | None
    budget: float | None
    orders: int | None
    days: float
    before: Standing
    ways: tuple[Way, ...]
    credit: Credit
    notes: tuple[str, ...]

    @property
    def best(self) -> Way | None:
        """The cheapest way that reaches the target; None without one."""
        found = [w for w in self.ways if w.reached and w.trades]
        if self.orders is not None:  # more orders than were asked for are advice only where fewer will not do
            found = [w for w in found if len(w.trades) <= (self.orders or 0)] or found
        if self.budget is not None:
            return max(found, key=lambda w: self.before.margin - (w.after.margin if w.after else 0.0), default=None)
        return min(found, key=lambda w: (round(w.cost, 4), len(w.trades), w.key == "pro_rata"), default=None)

    def way(self, key: str) -> Way:
        """One way by its key. Raises InputError."""
        found = next((w for w in self.ways if w.key == key), None)
        if found is None:
            raise InputError("way", key, "is not one of the ways", f"One of {', '.join(w.key for w in self.ways)}.")
        return found

    @property
    def headline(self) -> str:
        """One sentence: what to trade, what it frees and costs."""
        best = self.best
        if not self.before.margin:
            return "Nothing is required of this account: there is no margin to free."
        if best is None:
            lowest = min((w.floor for w in self.ways if w.floor is not None), default=None)
            reach = "" if lowest is None else f" The lowest that these trades can reach is ${lowest:,.0f}."
            return f"No such trade brings the margin of ${self.before.margin:,.0f} to ${self.target or 0:,.0f}.{reach}"
        assert best.after is not None
        freed = self.before.margin - best.after.margin
        if len(best.trades) > LISTED:
            said = f"{best.title}, {len(best.trades)} orders"
        else:
            said = " and ".join(f"{t.side} {amount_text(t.amount)} {t.symbol}" for t in best.trades)
        per = f" (${freed / best.cost:,.0f} per dollar)" if best.cost > 0 else ""
        return f"{said[:1].upper()}{said[1:]}: frees ${freed:,.0f} of margin for ${best.cost:,.2f}{per}."

    def to_dict(self) -> dict[str, Any]:
        """The contract of `hedge --json`."""
        best = self.best
        return {
            "as_of": date_text(self.marks.as_of),
            "account": self.sub.name,
            "model": self.model.key,
            "figure": self.figure,
            "proven_optimal": self.planner.exact,
            "headline": self.headline,
            "target": self.target,
            "budget": self.budget,
            "days": self.days,
            "before": self.before.to_dict(),
            "after": None if best is None or best.after is None else best.after.to_dict(),
            "best": None if best is None else best.key,
            "trades": [] if best is None else [t.to_dict() for t in best.trades],
            "floor": min((w.floor for w in self.ways if w.floor is not None), default=None),
            "alternatives": {w.key: w.to_dict() for w in self.ways},
            "venue": self.credit.to_dict(),
            "left_out": [{"symbol": s, "why": w} for s, w in self.menu.left_out],
            "notes": list(self.notes),
        }


def hedge(
    sub: SubAccount,
    model: MarginModel,
    market: Market,
    marks: Marks,
    *,
    target: float | None = None,
    budget: float | None = None,
    orders: int | None = TRADES,
    hedges: Sequence[str] = HEDGES,
    keep: Iterable[str] = (),
    costs: Costs | None = None,
    figure: str = "initial",
    days: float = DAYS,
    lots: Mapping[str, float] | None = None,
    out_of_sample: bool = True,
) -> Hedge:
    """Cut, hedge or both: the cheapest way to a margin, or the most freed for a budget.

    target : USD of margin wanted; default 70% of what is asked now. budget : USD to spend instead
    orders : at most so many, 1 to 3 under the ladder's methods; None: no limit
    hedges : assets or symbols; keep : symbols or assets that are not cut; lots : least step in units by symbol
    figure : "initial" or "maintenance"; days : of the odds
    Raises InputError for what the model refuses, an empty account, a target that is not below today's margin.
    """
    if target is not None and budget is not None:
        raise InputError("budget", budget, "stands beside a target", "Give one of the two.")
    if orders is not None and not 1 <= orders <= 3:
        raise InputError("trades", orders, "must be 1, 2 or 3", "Leave it out for any number.")
    days = checks.number(days, "days", above=0.0, most=365.0)
    if not any(p.quantity for p in sub.positions):
        raise InputError("positions", "none", "this account holds no position that is margined", "Add one.")
    sub, notes = _reproduced(sub, model)
    sub = pinned(sub, marks)
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
    if target is None and budget is None:
        target = (1 - TARGET) * now
    if target is not None:
        checks.number(target, "target", least=0.0)
        if target >= now > 0:
            hint = "Give a lower one, or a share such as -30%."
            raise InputError("target", target, f"is not below today's margin of {now:,.2f}", hint)
    if budget is not None:
        checks.number(budget, "budget", above=0.0)
    before = _stand(sub, model, marks, market, figure, days, notes)
    if not menu.choices:
        raise InputError("keep", "everything", "nothing is left to trade", "Keep fewer positions, or name hedges.")
    credit = hedge_credit(sub, model, marks, menu, figure)
    ways = []
    for key, allowed in _allowed(menu).items():
        if now <= 0 or not any(allowed):
            why = "Nothing to free." if now <= 0 else _no_choice(key, sub, credit)
            ways.append(_unreached(key, nothing, None, why))
            continue
        ways.append(
            _way(
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
            )
        )
    ways = _no_worse(ways, budget, orders)
    if not planner.exact:
        notes.append(NOT_PROVEN)
    unknown = sorted({c.asset for c in menu.choices if c.tariff.volume is None})
    if unknown:
        notes.append(f"No traded volume of {', '.join(unknown)} is known: no impact is charged for it.")
    if before.margin and before.equity < before.maintenance:
        notes.append(
            "Liquidation has already been reached: equity is below maintenance margin. Adding money comes first."
        )
    return Hedge(
        sub=sub, model=model, marks=marks, menu=menu, planner=planner, figure=figure, target=target, budget=budget,
        orders=orders, days=days, before=before, ways=tuple(ways), credit=credit, notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _reproduced(sub: SubAccount, model: MarginModel) -> tuple[SubAccount, list[str]]:
    """What the model margins, and a note for each position that can be left out. Raises InputError for the rest."""
    refused = model.refuses(sub)
    if any(not r.alone for r in refused):
        first = next(r for r in refused if not r.alone)
        raise InputError("positions", first.symbol, f"{model.title}: {first.reason}", "Choose another margin model.")
    out = {r.symbol for r in refused}
    kept = replace(sub, positions=tuple(p for p in sub.positions if p.symbol not in out))
    return kept, [f"Without {r.symbol}: {r.reason}." for r in refused]


def with_hedges(
    marks: Marks, market: Market, sub: SubAccount, hedges: Sequence[str], model: MarginModel
) -> tuple[Marks, dict[str, str]]:
    """Marks with a price for each hedge, and why a hedge can't be used: no price, or no history on the book's days."""
    prices, out = dict(marks.prices), {}
    held = [p.underlying for p in sub.positions if p.underlying != "USD" and p.underlying in market]

    for name in hedges:
        asset = parse_symbol(hedge_symbol(sub, name), "with").base
        if asset not in market:
            out[name] = f"no prices of {asset}"
            continue
        try:
            prices.setdefault(asset, market.price(asset, marks.as_of))
        except InputError as error:
            out[name] = error.problem
            continue
        if isinstance(model, LadderModel) and held and not _same_days(market, held, asset, model, marks):
            out[name] = f"{asset} has no price on all of the days that this account is measured on"

    return replace(marks, prices=prices), out


def _same_days(market: Market, held: list[str], asset: str, model: LadderModel, marks: Marks) -> bool:
    if asset in held:
        return True
    settings = model.settings
    as_of = settings.as_of or marks.as_of
    key = ("hedge days", tuple(sorted(held)), asset, str(as_of), settings.horizon, settings.lookback)

    def same() -> bool:
        own = market.returns(sorted(set(held)), as_of, settings.horizon, settings.lookback).dates
        try:
            both = market.returns(sorted({*held, asset}), as_of, settings.horizon, settings.lookback).dates
        except InputError:
            return False
        return len(own) == len(both) and bool((own == both).all())

    found: bool = market.remember(key, same)
    return found


def planner_of(sub: SubAccount, model: MarginModel, marks: Marks, menu: Menu, figure: str = "initial") -> Planner:
    """Programmes for the ladder's methods, the search for every other model."""
    if isinstance(model, LadderModel):
        return LadderPlanner(sub, model, marks, menu, figure)
    return SearchPlanner(sub, model, marks, menu, figure)


def _allowed(menu: Menu) -> dict[str, list[bool]]:
    cuts = [not c.is_hedge for c in menu.choices]
    hedges = [c.is_hedge and not c.flips for c in menu.choices]
    return {"pro_rata": cuts, "cut": cuts, "hedge": hedges, "mix": [True] * len(cuts)}


def _no_worse(ways: list[Way], budget: float | None, orders: int | None) -> list[Way]:
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


def _no_choice(key: str, sub: SubAccount, credit: Credit) -> str:
    if key == "hedge":
        return credit.why if sub.isolated else "No hedge can be used."
    return "Every position is to be kept."


def _unreached(key: str, usd: np.ndarray, floor: float | None, why: str) -> Way:
    return Way(
        key=key, title=TITLES[key], usd=usd, trades=(), cost=0.0, after=None, reached=False, floor=floor, held=None,
        why=why,
    )  # fmt: skip


def _way(
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
) -> Way:
    menu = planner.menu
    limited = None if all(allowed) else allowed
    if key == "pro_rata":
        usd = _pro_rata(planner, allowed, target, budget)
    elif target is not None:
        usd = planner.least_cost(target, orders, limited)
    else:
        usd = planner.most_freed(budget, orders, limited)
    if usd is None:
        lowest = planner.most_freed(None, orders, limited)
        floor = float(planner.figure(lowest))
        if key == "hedge" and credit.frees is False:
            return _unreached(key, lowest, floor, credit.why)
        many = "" if orders is None else f" with {orders} {'order' if orders == 1 else 'orders'}"
        return _unreached(key, lowest, floor, f"Out of reach: it goes down to ${floor:,.0f}{many}.")
    usd = rounded(usd, menu, planner, target)
    bought = trades_of(usd, menu, planner, marks)
    cost = sum(t.bill.total for t in bought)
    notes: list[str] = []
    stand = _stand(after(sub, marks, menu, usd.tolist(), cost), model, marks, market, figure, days, notes)
    held = held_back(planner, usd, target, allowed) if out_of_sample else None
    if not bought:
        return _unreached(key, usd, planner.figure(usd), "Nothing it could trade frees margin.")
    return Way(
        key=key, title=TITLES[key], usd=usd, trades=bought, cost=cost, after=stand, reached=True, floor=None, held=held
    )


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


def trades_of(usd: np.ndarray, menu: Menu, planner: Planner, marks: Marks) -> tuple[Trade, ...]:
    """One order a symbol: a cut that goes on past nothing is one order that flips, and is not reduce-only."""
    dust = 1e-7 * max(menu.gross, 1e-12)
    whole = planner.figure(usd)
    by_symbol: dict[str, list[int]] = {}
    for j, amount in enumerate(usd):
        if amount > dust:
            by_symbol.setdefault(menu.choices[j].symbol, []).append(j)
    out = []
    for symbol, members in by_symbol.items():
        units = sum(signed_units(menu, j, usd[j], planner) for j in members)
        if not units:
            continue
        without = usd.copy()
        without[members] = 0.0
        instrument = parse_symbol(symbol)
        bills = [menu.choices[j].tariff.bill(float(usd[j])) for j in members]
        bill = Bill(
            **{
                n: sum(getattr(b, n) for b in bills)
                for n in ("fee", "spread", "impact", "unwind", "funding", "receipt")
            }
        )
        cut = not any(menu.choices[j].is_hedge for j in members)
        out.append(
            Trade(
                symbol=symbol,
                side="buy" if units > 0 else "sell",
                amount=abs(units),
                usd=float(sum(usd[j] for j in members)),
                price=marks.mark(instrument),
                cut=cut,
                reduce_only=cut and instrument.kind in ("perpetual", "future", "option"),
                bill=bill,
                freed=float(planner.figure(without) - whole),
            )
        )
    return tuple(sorted(out, key=lambda t: -t.usd))


def signed_units(menu: Menu, j: int, usd: float, planner: Planner) -> float:
    """Units bought (> 0) or sold of one choice; of a coin-settled contract USD of face."""
    choice = menu.choices[j]
    if choice.row is None:
        return choice.units(float(usd))
    held = planner.judge.sub.positions[choice.row].quantity
    return -held * min(float(usd) / choice.most, 1.0)


def _stand(
    sub: SubAccount, model: MarginModel, marks: Marks, market: Market, figure: str, days: float, notes: list[str]
) -> Standing:
    state = model.state(sub, marks)
    try:
        odds = call_odds(sub, model, marks, market, days)
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
