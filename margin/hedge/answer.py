"""What a hedge study answers: its orders, where the account stands before and after, the ways and the best of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.account import SubAccount
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.forecast.results import printed
from margin.hedge.costs import Bill
from margin.hedge.credit import Credit
from margin.hedge.least_odds import Wish
from margin.hedge.menu import Menu
from margin.hedge.odds import Backing
from margin.hedge.out_of_sample import Held
from margin.hedge.planner import Planner
from margin.models.base import MarginModel
from margin.models.marks import Marks

LISTED = 3  # orders that a headline names
DEAD = "Liquidation has already been reached: equity is below maintenance margin. Adding money comes first."


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

    @property
    def words(self) -> str:
        """'sell 0.38 BTC/USDT:USDT'; a coin-settled contract is counted in dollars: 'buy $71,701 of BTC/USD:BTC'."""
        size = f"${self.amount:,.0f} of" if parse_symbol(self.symbol).is_inverse else amount_text(self.amount)
        return f"{self.side} {size} {self.symbol}"

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
    """The answer for one sub-account. `best` is the cheapest way that meets the target, None where none does.

    wish : how trades for odds are planned and judged, where odds are the aim
    """

    sub: SubAccount
    model: MarginModel
    marks: Marks
    menu: Menu
    planner: Planner
    figure: str
    target: float | None
    budget: float | None
    odds: float | None
    orders: int | None
    days: float
    before: Standing
    ways: tuple[Way, ...]
    credit: Credit
    notes: tuple[str, ...]
    backing: Backing
    wish: Wish | None = None

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
            if self.odds is not None:
                return (
                    f"No such trade brings the odds of liquidation within {self.days:g} days from "
                    f"{printed(self.before.odds or 0.0)} to {printed(self.odds)}."
                )
            return f"No such trade brings the margin of ${self.before.margin:,.0f} to ${self.target or 0:,.0f}.{reach}"
        assert best.after is not None
        freed = self.before.margin - best.after.margin
        if len(best.trades) > LISTED:
            said = f"{best.title}, {len(best.trades)} orders"
        else:
            said = " and ".join(t.words for t in best.trades)
        if self.odds is not None and best.after.odds is not None:
            return (
                f"{said[:1].upper()}{said[1:]}: odds of liquidation within {self.days:g} days from "
                f"{printed(self.before.odds or 0.0)} to {printed(best.after.odds)} for ${best.cost:,.2f}."
            )
        each = freed / best.cost if best.cost > 0 else 0.0
        per = f" (${each:,.{2 if each < 99.995 else 0}f} per dollar)" if each else ""
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
            "odds_wanted": self.odds,
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
