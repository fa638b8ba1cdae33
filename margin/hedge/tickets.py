"""Orders as text: the arguments of ccxt's `create_order`, to copy. Nothing here can send one.

A limit order that is filled at once or not at all, at the mark less or plus the slippage allowed. Amounts are in coins
(of a coin-settled contract US dollars of face) unless a contract size is given.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from margin import venues
from margin.core import checks
from margin.core.checks import date_text
from margin.core.instruments import parse_symbol
from margin.hedge.answer import Trade
from margin.hedge.costs import BP
from margin.models.marks import Marks

SLIPPAGE_BP = 10.0
STALE_MINUTES = 5
SIGNIFICANT = 5  # of a price: the most that Hyperliquid takes, and no worse than a basis point anywhere


def stale(as_of: datetime, now: datetime) -> bool:
    """Whether prices of `as_of` are too old for orders at `now`, both UTC: from five minutes on."""
    return now - as_of >= timedelta(minutes=STALE_MINUTES)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One order. `order`: the arguments of ccxt's create_order; notes : what to look at before it is used."""

    order: dict[str, Any]
    as_of: str
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line of JSON, to copy."""
        return json.dumps(self.order)

    @property
    def python(self) -> str:
        """A dry run: prints the order, sends nothing."""
        return f"print({self.order!r})  # dry run; exchange.create_order(**order) is yours to call"


def tickets(
    trades: Sequence[Trade],
    marks: Marks,
    venue: str = "",
    slippage_bp: float = SLIPPAGE_BP,
    contract_sizes: Mapping[str, float] | None = None,
) -> tuple[Ticket, ...]:
    """A ticket a trade, in the same order."""
    slippage = checks.number(slippage_bp, "slippage_bp", least=0.0, most=1000.0) * BP
    when = date_text(marks.as_of)
    out = []
    for trade in trades:
        instrument = parse_symbol(trade.symbol)
        size = (contract_sizes or {}).get(trade.symbol)
        amount = floor_to(trade.amount / size if size else trade.amount, 8)
        sign = 1 if trade.side == "buy" else -1
        price = significant(trade.price * (1 + sign * slippage), SIGNIFICANT, up=sign > 0)
        params: dict[str, Any] = {"timeInForce": "IOC"}
        if instrument.kind != "spot":
            params["reduceOnly"] = trade.reduce_only
        name = hashlib.sha256(f"{trade.symbol}|{trade.side}|{amount}|{when}".encode()).hexdigest()[:16]
        params["clientOrderId"] = f"ml-{name}"
        order = {
            "symbol": trade.symbol,
            "type": "limit",
            "side": trade.side,
            "amount": amount,
            "price": price,
            "params": params,
        }
        out.append(Ticket(order=order, as_of=when, notes=tuple(_notes(trade, venue, size, when))))
    return tuple(out)


def _notes(trade: Trade, venue: str, size: float | None, when: str) -> list[str]:
    said = [f"Prices of {when}: stale {STALE_MINUTES} minutes after."]
    known = venues.facts_of(venue)
    if (
        venue
        and size is None
        and not parse_symbol(trade.symbol).is_inverse
        and (known is None or known.counts_contracts)
    ):
        who = "This exchange counts" if known else "If this exchange counts"
        said.append(f"{who} in contracts: divide the amount by the market's contractSize.")
    least = None if known is None else known.least_order_usd
    if least is not None and trade.usd < least:
        said.append(f"Below the least order of ${least:g} here: it would be refused.")
    if not trade.cut:
        said.append("Opens a position (or turns one round): not reduce-only.")
    return said


def significant(price: float, digits: int, up: bool) -> float:
    """`price` with so many significant digits, rounded away from the mark so that the slippage is kept."""
    if price <= 0:
        return 0.0
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(price)))
    whole = math.ceil(price * scale - 1e-9) if up else math.floor(price * scale + 1e-9)
    return float(f"{whole / scale:.12g}")


def floor_to(amount: float, digits: int) -> float:
    """`amount` cut to so many significant digits: never more than was asked for."""
    if amount <= 0:
        return 0.0
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(amount)))
    return float(f"{math.floor(amount * scale + 1e-6) / scale:.12g}")
