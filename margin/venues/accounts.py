"""What a book is worth to a venue before any margin: balances of coins and dollars, entries, positions by kind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from margin.core.account import SubAccount
from margin.core.checks import parse_date
from margin.core.instruments import USD_LIKE
from margin.core.portfolio import Portfolio
from margin.core.position import Position
from margin.models.base import pinned
from margin.models.marks import Marks

__all__ = [
    "as_sub",
    "balances",
    "both_sides",
    "entry",
    "labels",
    "margined",
    "merged",
    "of_kind",
    "of_underlying",
    "pinned",
    "priced",
]

Number = Any  # a float, or an array (n,) where prices are arrays


def as_sub(book: Portfolio | SubAccount) -> SubAccount:
    """The book as one pool: owned spot stands among the collateral, several accounts are pooled."""
    if isinstance(book, SubAccount):
        return book
    return SubAccount(name=book.name, positions=book.margined, collateral=book.held)


def balances(book: SubAccount, marks: Marks, spot: bool = False) -> dict[str, Number]:
    """Units held (> 0) or owed (< 0) by asset: collateral, loans; with `spot` also borrowed spot and what it owes.

    Spot on borrowed money owes its cost: its entry price (the mark where none is given), out of the largest dollar
    balance.
    """
    out: dict[str, Number] = {}
    cost: Number = 0.0
    for held in book.collateral:
        out[held.asset] = out.get(held.asset, 0.0) + held.quantity
    for position in book.positions:
        kind = position.instrument.kind
        if kind == "loan" or (spot and kind == "spot"):
            out[position.underlying] = out.get(position.underlying, 0.0) + position.quantity
        if spot and kind == "spot":
            cost = cost + position.quantity * entry(position, marks)
    if np.any(cost):
        dollars = max((asset for asset in out if is_dollar(asset)), key=lambda asset: out[asset], default="USD")
        out[dollars] = out.get(dollars, 0.0) - cost / marks.price(dollars)
    return {asset: quantity for asset, quantity in out.items() if np.any(quantity)}


def entry(position: Position, marks: Marks) -> float:
    """USD per unit at which a position was opened: its own, else the mark."""
    return position.entry_price if position.entry_price is not None else marks.mark(position.instrument)


def priced(book: SubAccount, marks: Marks) -> SubAccount:
    """The book with its mark on every contract that has none, where there is one: what is refused by size needs it."""
    return replace(book, positions=tuple(_with_mark(p, marks) for p in book.positions))


def _with_mark(position: Position, marks: Marks) -> Position:
    known = position.underlying in marks.prices or position.symbol in marks.contracts
    if position.mark_price is not None or not known or position.instrument.kind not in ("perpetual", "future"):
        return position
    mark = float(marks.contract(position.instrument))
    return _marked(position, mark) if mark > 0 else position


@lru_cache(maxsize=4096)
def _marked(position: Position, mark: float) -> Position:
    """The position with that mark; kept, as a search asks for the same hundred positions again and again."""
    return replace(position, mark_price=mark)


def margined(book: SubAccount) -> list[Position]:
    """Positions that need margin: all but loans and spot, which are balances."""
    return [p for p in book.positions if p.instrument.kind not in ("loan", "spot") and p.quantity]


def of_kind(book: SubAccount, *kinds: str) -> list[Position]:
    """Positions of the kinds asked for; one of quantity 0 is none."""
    return [p for p in book.positions if p.instrument.kind in kinds and p.quantity]


def of_underlying(positions: Iterable[Position]) -> dict[str, list[Position]]:
    """Positions by underlying, in order of first appearance."""
    out: dict[str, list[Position]] = {}
    for p in positions:
        out.setdefault(p.underlying, []).append(p)
    return out


def merged(positions: Sequence[Position], how: Literal["side", "net", "coin"]) -> list[Position]:
    """Positions that a venue keeps as one: of one contract and side, of one contract, or of one coin (net).

    The entry of what is merged keeps the profit: the mean by quantity; of coin-settled contracts that of the coins.
    """
    groups: dict[tuple[Any, ...], list[Position]] = {}
    for p in positions:
        key: tuple[Any, ...] = (p.underlying,) if how == "coin" and not p.instrument.is_option else (p.symbol,)
        groups.setdefault((*key, p.quantity > 0) if how == "side" else key, []).append(p)
    return [_one(group) if len(group) > 1 else group[0] for group in groups.values()]


def _one(group: list[Position]) -> Position:
    first = group[0]
    total = sum(p.quantity for p in group)
    price = first.entry_price
    if total and all(p.entry_price for p in group):
        inverse = first.instrument.is_inverse
        entries = [p.entry_price or 1.0 for p in group]
        weight = sum(p.quantity / e if inverse else p.quantity * e for p, e in zip(group, entries, strict=True))
        mean = total / weight if inverse and weight else weight / total
        price = mean if mean > 0 else first.entry_price  # a hedge whose sides crossed has no mean
    leverage = next((p.leverage for p in group if p.leverage is not None), None)
    return replace(first, quantity=total, entry_price=price, leverage=leverage, margin=None, margin_coin=None)


def labels(positions: Sequence[Position]) -> list[str]:
    """A name of each position that no other has: its symbol; with side and size, then a number, where that repeats."""
    symbols = [p.symbol for p in positions]
    long = [f"{p.symbol} {'long' if p.quantity > 0 else 'short'} {abs(p.quantity):g}" for p in positions]
    names = [s if symbols.count(s) == 1 else name for s, name in zip(symbols, long, strict=True)]
    out = []
    for i, name in enumerate(names):
        out.append(name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})")
    return out


def is_dollar(asset: str) -> bool:
    """True for dollars and dollar stablecoins."""
    return asset in USD_LIKE


def contracts_value(position: Position, marks: Marks) -> float:
    """USD of a derivative's contracts without sign: |q| x mark; of a coin-settled contract its face, |q|."""
    return abs(position.value(marks.contract(position.instrument)))


def tokens(book: SubAccount, marks: Marks, spot: bool = False) -> list[tuple[str, Number, float]]:
    """(asset, quantity, USD price) of every balance."""
    return [(asset, quantity, marks.price(asset)) for asset, quantity in balances(book, marks, spot).items()]


def both_sides(book: SubAccount, marks: Marks) -> list[tuple[str, Number, float]]:
    """`tokens` with spot, where what is borrowed of an asset stands beside what is supplied of it, never netted."""
    owed: dict[str, float] = {}
    for p in book.positions:
        if p.quantity < 0 and p.instrument.kind in ("loan", "spot"):
            owed[p.underlying] = owed.get(p.underlying, 0.0) - p.quantity
    out: list[tuple[str, Number, float]] = []
    net = balances(book, marks, spot=True)
    for asset in dict.fromkeys([*net, *owed]):
        debt, supplied = owed.get(asset, 0.0), net.get(asset, 0.0) + owed.get(asset, 0.0)
        sides = (supplied, -debt) if debt and np.all(np.greater(supplied, 0.0)) else (net.get(asset, 0.0),)
        out += [(asset, side, marks.price(asset)) for side in sides if np.any(side)]
    return out


def at(marks: Marks, as_of: Any) -> Marks:
    """The same prices at another time: options have aged."""
    return replace(marks, as_of=parse_date(as_of))


def moved(
    marks: Marks, assets: Sequence[str], factors: np.ndarray, vols: Mapping[str, np.ndarray] | None = None
) -> Marks:
    """Marks whose prices (and volatilities, where given) are arrays (n,): one entry per row of `factors` (n, k)."""
    columns: Mapping[str, Any] = {a: np.ascontiguousarray(factors[:, i]) for i, a in enumerate(assets)}
    out = marks.moved(columns)
    known: dict[str, Any] = {**out.vols, **(vols or {})}
    return replace(out, vols=known) if vols else out
