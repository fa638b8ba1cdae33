"""What a book is worth to a venue before any margin: balances of coins and dollars, entries, positions by kind."""

from collections.abc import Iterable
from dataclasses import replace

from margin.core.instruments import USD_LIKE
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.marks import Marks


def balances(portfolio: Portfolio, marks: Marks, spot: bool = False) -> dict[str, float]:
    """Units held (> 0) or owed (< 0) by asset: collateral, loans; with `spot` also coins bought and what they owe.

    Owned spot is a balance like any other. Spot that is not owned owes its cost: its entry price (the mark where none
    is given), out of the largest dollar balance.
    """
    out: dict[str, float] = {}
    cost = 0.0
    for held in portfolio.collateral:
        out[held.asset] = out.get(held.asset, 0.0) + held.quantity
    for position in portfolio.positions:
        kind = position.instrument.kind
        if kind == "loan" or (spot and kind == "spot"):
            out[position.underlying] = out.get(position.underlying, 0.0) + position.quantity
        if spot and kind == "spot" and not position.owned:
            cost += position.quantity * entry(position, marks)
    if cost:
        dollars = max((asset for asset in out if is_dollar(asset)), key=lambda asset: out[asset], default="USD")
        out[dollars] = out.get(dollars, 0.0) - cost / marks.price(dollars)
    return {asset: quantity for asset, quantity in out.items() if quantity}


def entry(position: Position, marks: Marks) -> float:
    """USD per unit at which a position was opened: its own, else the mark."""
    return position.entry_price if position.entry_price is not None else marks.mark(position.instrument)


def pinned(portfolio: Portfolio, marks: Marks) -> Portfolio:
    """The book with every entry price written down, so that moving the marks moves its profit."""
    return portfolio.with_positions(
        p
        if p.entry_price is not None or p.instrument.kind == "loan"
        else replace(p, entry_price=marks.mark(p.instrument))
        for p in portfolio.positions
    )


def of_kind(portfolio: Portfolio, *kinds: str) -> list[Position]:
    return [p for p in portfolio.positions if p.instrument.kind in kinds]


def of_underlying(positions: Iterable[Position]) -> dict[str, list[Position]]:
    """Positions by underlying, in order of first appearance."""
    out: dict[str, list[Position]] = {}
    for p in positions:
        out.setdefault(p.underlying, []).append(p)
    return out


def is_dollar(asset: str) -> bool:
    return asset in USD_LIKE


def silo(position: Position, margin: float, marks: Marks) -> Portfolio:
    """One position alone with its own margin (USD): held in dollars, or in the coin that its contract settles in."""
    coin = position.underlying if position.instrument.is_inverse else "USD"
    return Portfolio((position,), (Collateral(coin, margin / marks.price(coin)),) if margin else ())


def contracts_value(position: Position, marks: Marks) -> float:
    """USD of a derivative's contracts without sign: |q| x mark; of a coin-settled contract its face, |q|."""
    return abs(position.value(marks.contract(position.instrument)))


def tokens(portfolio: Portfolio, marks: Marks, spot: bool = False) -> list[tuple[str, float, float]]:
    """(asset, quantity, USD price) of every balance."""
    return [(asset, quantity, marks.price(asset)) for asset, quantity in balances(portfolio, marks, spot).items()]
