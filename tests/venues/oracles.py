"""Slow or closed-form twins that the venue tests judge the engine by."""

import numpy as np
from scipy.optimize import brentq

from margin.venues import accounts
from margin.venues.liquidation import LEAST, Edges, moving, sub_accounts

# Where the gap is looked at before a crossing is closed in on: moves away from the mark, down and up.
_DOWN = -np.array([1e-3, 3e-3, 0.01, 0.02, 0.04, 0.07, *np.arange(0.1, 0.96, 0.05), 0.98, 0.99, 0.999, 0.99999])
_UP = np.array(
    [1e-3, 3e-3, 0.01, 0.02, 0.04, 0.07, *np.arange(0.1, 1.0, 0.1), 1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 19.0, 99.0]
)


def scalar_prices(rulebook, book, marks, mode, settings=None):
    """Liquidation prices by one `requirement` per price and Brent's method, as the engine did before `states`."""
    out = {}
    for name, sub in sub_accounts(rulebook, book, marks, mode, settings):
        own = "isolated" if sub.isolated else mode
        for asset in moving(sub):

            def gap(move, sub=sub, asset=asset, own=own):
                return rulebook.requirement(sub, marks.moved({asset: max(1.0 + move, LEAST)}), own, settings).gap

            found = [_first(gap, moves) for moves in (_DOWN, _UP)] if gap(0.0) >= 0 else [0.0, 0.0]
            spot = marks.price(asset)
            out[name or asset] = Edges(*(None if move is None else spot * (1.0 + move) for move in found))
    return out


def _first(gap, moves):
    before = 0.0
    for move in moves.tolist():
        if gap(move) < 0:
            return float(brentq(gap, before, move, xtol=1e-15, rtol=8.9e-16))
        before = move
    return None


def gap_at(rulebook, book, marks, mode, settings=None):
    """USD from liquidation as a function of price factors, e.g. {"BTC": 0.9}; entries are written down first."""
    fixed = accounts.pinned(accounts.as_sub(book), marks)
    return lambda factors: rulebook.requirement(fixed, marks.moved(factors), mode, settings).gap


def liquidation_price(quantity, mark, equity, tiers, other_maintenance=0.0):
    """USD price at which equity falls to the maintenance margin, each tier solved in closed form; None where none does.

    equity + q (p - mark) = other + rate |q| p - deduction; the solution counts whose notional lies in its own tier. Of
    several the first one met on the losing side of the mark.
    """
    if quantity == 0:
        return None
    found = []
    for tier in tiers:
        slope = quantity - tier.rate * abs(quantity)
        if slope == 0:
            continue
        price = (other_maintenance - tier.deduction - equity + quantity * mark) / slope
        notional = abs(quantity) * price
        high = tier.cap is None or notional <= tier.cap * (1 + 1e-12)
        if price > 0 and notional >= tier.floor * (1 - 1e-12) and high:
            found.append(price)
    losing = [p for p in found if (mark - p) * quantity >= 0]
    if losing:
        return max(losing) if quantity > 0 else min(losing)
    return None


def binance_price(wallet, other_maintenance, other_pnl, legs):
    """The venue's own formula: (WB - TMM + UPNL + sum(cum - q E)) / sum(|q| mmr - q).

    legs : (signed quantity, entry, rate, cum) of one contract: one in one-way mode, both sides in hedge mode
    Source: Binance support, "How to calculate liquidation price of USD-M futures contracts".
    """
    top = wallet - other_maintenance + other_pnl + sum(cum - q * price for q, price, _, cum in legs)
    return top / sum(abs(q) * rate - q for q, _, rate, _ in legs)
