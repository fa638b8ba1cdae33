"""From dollars by choice to orders: one order a symbol, with what it costs and frees."""

import numpy as np

from margin.core.instruments import parse_symbol
from margin.hedge.answer import Trade
from margin.hedge.costs import Bill
from margin.hedge.menu import Menu
from margin.hedge.planner import Planner
from margin.models.marks import Marks


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
