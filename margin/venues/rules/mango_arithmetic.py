"""Mango v4's health: every token weighed against the account, perpetuals inside their settlement token.

Source: blockworks-foundation/mango-v4, programs/mango-v4/src/health/cache.rs and state/bank.rs, commit 1303a4a16228.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Token:
    """A balance with its prices and weights; `oracle` USD, `liability_price` USD where the two differ.

    scale : (asset, liability) factors of the deposit and borrow limits
    """

    balance: Any
    oracle: Any
    asset_weight: float
    liability_weight: float
    liability_price: Any = None
    scale: tuple[float, float] = (1.0, 1.0)

    def value(self, balance: Any) -> Any:
        """USD health of a balance of this token."""
        price = self.oracle if self.liability_price is None else self.liability_price
        asset = balance * self.oracle * self.asset_weight * self.scale[0]
        return np.where(np.greater_equal(balance, 0), asset, balance * price * self.liability_weight * self.scale[1])


@dataclass(frozen=True)
class Perpetual:
    """A perpetual: lots held, quote USD, open bids and asks in lots; settled in token `settle`."""

    base_lots: float
    quote: float
    bids: float
    asks: float
    lot_size: float
    price: float
    asset_weight: float
    liability_weight: float
    overall_weight: float
    settle: int = 0

    def contribution(self) -> float:
        """USD added to the settlement token's balance: the worse of all bids and all asks being filled."""
        worst = min(self._filled(self.bids), self._filled(-self.asks))
        total = self.quote + worst
        return total * self.overall_weight if total > 0 else total

    def _filled(self, orders: float) -> float:
        lots = self.base_lots + orders
        weight = self.asset_weight if lots >= 0 else self.liability_weight
        return (lots * weight - orders) * self.lot_size * self.price


@dataclass(frozen=True)
class Orders:
    """Open spot orders of one market, in token units: quote and base reserved; best prices of the owner's orders."""

    base: int
    quote: int
    reserved_base: float
    reserved_quote: float
    lowest_ask: float | None = None
    highest_bid: float | None = None


@dataclass(frozen=True)
class Account:
    """What one account holds, in Mango's words."""

    tokens: tuple[Token, ...]
    perpetuals: tuple[Perpetual, ...] = ()
    orders: tuple[Orders, ...] = field(default=())


def deposit_scale(deposits_value: float, start: float) -> float:
    """Factor of the asset weight once the protocol's deposits (USD) exceed `start`."""
    return start / deposits_value if deposits_value > start else 1.0


def borrow_scale(borrows_value: float, start: float) -> float:
    """Factor of the liability weight once the protocol's borrows (USD) exceed `start`."""
    return borrows_value / start if borrows_value > start else 1.0


def health(account: Account) -> Any:
    """USD: trading and withdrawing need 0 or more at initial weights, staying does at maintenance ones."""
    balances = [t.balance for t in account.tokens]
    for p in account.perpetuals:
        balances[p.settle] += p.contribution() / account.tokens[p.settle].oracle
    total: Any = sum(t.value(b) for t, b in zip(account.tokens, balances, strict=True))
    most = list(balances)
    gains = [_gains(o, account.tokens) for o in account.orders]
    for o, (base, quote) in zip(account.orders, gains, strict=True):
        most[o.base] += base
        most[o.quote] += quote
    for o, (base, quote) in zip(account.orders, gains, strict=True):
        as_base = _worst(account.tokens[o.base], most[o.base], base)
        as_quote = _worst(account.tokens[o.quote], most[o.quote], quote)
        total += min(as_base, as_quote)
    return total


def _gains(o: Orders, tokens: tuple[Token, ...]) -> tuple[float, float]:
    """(base, quote) balances if everything reserved became one of them, at the oracle or the order's worse price."""
    base, quote = tokens[o.base].oracle, tokens[o.quote].oracle
    buy = base / quote if o.highest_bid is None else max(base / quote, o.highest_bid)
    sell = base / quote if o.lowest_ask is None else min(base / quote, o.lowest_ask)
    return o.reserved_base + o.reserved_quote / buy, o.reserved_quote + o.reserved_base * sell


def _worst(token: Token, most: float, gained: float) -> Any:
    """USD of `gained` units at the least favourable margin: the last ones, with all other orders in this token too."""
    return token.value(most) - token.value(most - gained)
