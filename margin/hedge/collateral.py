"""Moves of collateral, one list: add money, swap a coin, move money between accounts, move positions to another venue.

Each is as small as brings the odds of liquidation to the wish (else as large as it may be), and the list is ranked by
odds bought per dollar of cost; where two moves together are cheaper, or only they are enough, the best pair stands in
it too. A closed form picks what is worth looking at; what is listed is judged by the forecast. docs/hedge.md.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from margin.core import checks
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.hedge.collateral_plans import Plan, World, plans_of
from margin.hedge.costs import Costs
from margin.models.marks import Marks

STEPS = 7
GRID = (0.005, 0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 1.0)
FLAT = 0.001  # of odds: what a larger size must gain to be worth it
LEAST_COST = 0.01
SHOWN = {"venue": 3, "position": 4}  # of each kind; of the others:
SHOWN_ELSE = 8
FIRSTS = 3  # moves that a second one is looked for
SECONDS = 2  # judged by the forecast behind each of them
TRIES = 7  # forecasts spent on the size of one move
CLOSE = 0.02  # of its size: near enough
MONEY = ("add", "swap", "transfer")  # kinds whose size can be chosen


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move, or a pair of them.

    kind : "add", "swap", "transfer", "position", "venue" or "pair"; usd : its size (of a pair that of both)
    cost : USD; odds : of any liquidation after it; per_dollar : odds less per dollar of cost; reaches : the wish
    """

    kind: str
    what: str
    usd: float
    cost: float
    odds: float
    per_dollar: float
    reaches: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("kind", "what", "usd", "cost", "odds", "per_dollar", "reaches")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class Moves:
    """before : odds now; wanted : the wish; rows : best per dollar first; notes : what could not be judged."""

    before: float
    wanted: float
    days: float
    rows: tuple[Move, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        rows = [row.to_dict() for row in self.rows]
        return {
            "before": self.before,
            "wanted": self.wanted,
            "days": self.days,
            "moves": rows,
            "notes": list(self.notes),
        }


def collateral_moves(
    portfolio: Portfolio,
    market: Market,
    marks: Marks,
    settings: Settings | None = None,
    model: str | None = None,
    *,
    days: float = 7.0,
    wanted: float | None = None,
    costs: Costs | None = None,
) -> Moves:
    """Every move that lowers the odds, best per dollar first; a pair of moves where it is better than any of them.

    wanted : odds to reach; default half of today's. Raises InputError where nothing is margined or can be judged.
    """
    world = World(market, marks, settings or Settings(), model, days, costs or Costs())
    found = world.judged(portfolio)
    notes = [f"{j.name}: {j.why}. Left out." for j in found if j.why]
    usable = [j for j in found if not j.why]
    if found and not usable:
        raise InputError(
            "positions", found[0].name, f"cannot be judged: {found[0].why}", "Choose another margin model."
        )
    if not usable:
        raise InputError("positions", "none", "nothing here is margined", "Add a position, e.g. 1 of BTC/USDT:USDT.")
    kept = [a for a in portfolio.accounts if any(j.account.positions == a.positions for j in usable)] if notes else None
    book = replace(portfolio, accounts=tuple(kept)) if kept else portfolio
    before = world.odds(book)
    goal = before / 2.0 if wanted is None else checks.number(wanted, "odds", above=0.0, most=1.0)
    plans = list(plans_of(book, world))
    moves = [_judged(plan, quick, before, goal, world) for plan, quick in _promising(plans, book, before, goal, world)]
    rows = [m for m in moves if m is not None]
    pair = _pair(rows, before, goal, world)
    listed = [row for _, row in rows] + ([pair] if pair is not None else [])
    listed.sort(key=lambda r: (not r.reaches, -r.per_dollar))
    return Moves(before=before, wanted=goal, days=days, rows=tuple(listed), notes=tuple(notes))


def _promising(
    plans: Iterable[Plan], book: Portfolio, before: float, goal: float, world: World
) -> list[tuple[Plan, float]]:
    """(plan, size in USD) of those that lower the odds by the closed form, the best of each kind."""
    now = world.quick(book)
    wish = now * goal / before if before > 0 else goal
    ranked: list[tuple[float, Plan, float]] = []
    for plan in plans:
        try:
            found = _quick_size(plan, now, wish, world)
        except InputError:
            continue  # the book after it cannot be judged: no move to offer
        if found is not None:
            usd, odds = found
            ranked.append(((now - odds) / max(plan.cost(usd), LEAST_COST), plan, usd))
    ranked.sort(key=lambda r: -r[0])
    out: list[tuple[Plan, float]] = []
    left = {kind: SHOWN.get(kind, SHOWN_ELSE) for kind in ("venue", "position", "else")}
    for _, plan, usd in ranked:
        kind = plan.kind if plan.kind in left else "else"
        if left[kind] > 0:
            left[kind] -= 1
            out.append((plan, usd))
    return out


def _quick_size(plan: Plan, now: float, wish: float, world: World) -> tuple[float, float] | None:
    """(USD, odds) of the smallest size that reaches the wish, else the one that lowers most; by the closed form.

    Odds need not fall with the size (what one account gains another loses), so sizes are tried from small to large.
    None where no size lowers them.
    """
    if plan.most <= 0:
        return None
    size, at, low = plan.most, 1.0, 0.0
    if plan.whole:
        at = world.quick(plan.book(size))
    else:
        tried: list[tuple[float, float]] = []
        for share in GRID:
            tried.append((share * plan.most, world.quick(plan.book(share * plan.most))))
            if tried[-1][1] <= wish:
                break
        size, at = _least(tried)
        low = max((usd for usd, _ in tried if usd < size), default=0.0)
        for _ in range(STEPS if at <= wish else 0):
            middle = (low + size) / 2.0
            odds = world.quick(plan.book(middle))
            if odds <= wish:
                size, at = middle, odds
            else:
                low = middle
    return (size, at) if at < now - 1e-9 else None


def _least(tried: list[tuple[float, float]]) -> tuple[float, float]:
    """(USD, odds) of the smallest size that does as much as any."""
    best = min(odds for _, odds in tried)
    return next((usd, odds) for usd, odds in sorted(tried) if odds <= best + FLAT)


def _judged(
    plan: Plan, quick: float, before: float, goal: float, world: World, paid: float = 0.0
) -> tuple[Plan, Move] | None:
    """The move at the size that the forecast asks for; None where by the forecast it lowers nothing.

    quick : USD that the closed form asks for, the first size tried. paid : USD spent before it
    """
    try:
        size, odds = _size(plan, quick, goal, lambda usd: world.odds(plan.book(usd)))
    except InputError:
        return None
    if odds >= before - 1e-9:
        return None
    cost = plan.cost(size) + paid
    return plan, Move(
        kind=plan.kind, what=plan.what(size), usd=size, cost=cost, odds=odds,
        per_dollar=(before - odds) / max(cost, LEAST_COST), reaches=odds <= goal * (1 + 1e-9),
    )  # fmt: skip


def _size(plan: Plan, first: float, goal: float, odds: Callable[[float], float]) -> tuple[float, float]:
    """(USD, odds): from a first guess up until the goal is met, then back towards the least size that meets it."""
    if plan.whole:
        return plan.most, odds(plan.most)
    size, low, high = min(first, plan.most), 0.0, None
    tried: list[tuple[float, float]] = []
    for _ in range(TRIES):
        tried.append((size, odds(size)))
        if tried[-1][1] <= goal:
            high = size
        else:
            low = max(low, size)
        if high is None:
            if size >= plan.most:
                break
            size = min(1.5 * size, plan.most)
        elif high - low <= CLOSE * high:
            break
        else:
            size = max((low + high) / 2.0, 0.85 * high) if low < 0.7 * high else (low + high) / 2.0
    met = [(usd, p) for usd, p in tried if p <= goal]
    return min(met) if met else _least(tried)


def _pair(rows: list[tuple[Plan, Move]], before: float, goal: float, world: World) -> Move | None:
    """The best two moves, one after the other, where they beat the best single one: only they are enough, or cheaper.

    The first is one that buys its odds for less than the best that is enough alone, at its own size; the second goes
    from there to the wish.
    """
    enough = [m.per_dollar for _, m in rows if m.reaches]
    single = max(enough, default=0.0)
    firsts = sorted((r for r in rows if not r[1].reaches and r[1].per_dollar > single), key=lambda r: -r[1].per_dollar)
    best: Move | None = None
    for plan, move in firsts[:FIRSTS]:
        between = plan.book(move.usd)
        seconds = [p for p in plans_of(between, world) if p.kind in MONEY]
        for second, quick in _promising(seconds, between, move.odds, goal, world)[:SECONDS]:
            found = _judged(second, quick, move.odds, goal, world, move.cost)
            if found is None or not found[1].reaches:
                continue
            other = found[1]
            pair = replace(
                other, kind="pair", what=f"{move.what}, then {other.what}", usd=move.usd + other.usd,
                per_dollar=(before - other.odds) / max(other.cost, LEAST_COST),
            )  # fmt: skip
            if pair.per_dollar > single and (best is None or pair.per_dollar > best.per_dollar):
                best = pair
    return best
