"""Derive's standard manager: options alone or the largest loss of their expiry, the lesser; coins add up."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.venues.rules.derive.book import Expiry, Option, lacking


@dataclass(frozen=True, kw_only=True)
class StandardParameters:
    """Rates of one market; names as the venue's manager has them."""

    perp_initial: float
    perp_maintenance: float
    option_most: float  # of spot, at the money
    option_least: float  # of spot, far out of the money
    call_maintenance: float
    put_maintenance: float
    put_maintenance_mtm: float  # of the put's value
    unpaired_initial: float
    unpaired_maintenance: float
    offset: float  # a short put's initial margin is at least this times its maintenance margin
    confidence_threshold: float
    confidence_factor: float
    base_factor: float = 0.0
    base_initial_scale: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Market:
    """One coin of the account: amounts in coins, prices USD."""

    spot: float
    perp: float
    perp_price: float
    perp_pnl: float
    base: float
    expiries: tuple[Expiry, ...]
    parameters: StandardParameters
    confidence: float = 1.0
    perp_confidence: float = 1.0


def option_alone(o: Option, expiry: Expiry, spot: float, p: StandardParameters, initial: bool) -> Any:
    """Net margin of one option: 0 long, negative short, USD."""
    if o.amount >= 0:
        return 0.0
    value = Expiry(seconds=expiry.seconds, forward=expiry.forward, options=(o,)).value()
    out = np.maximum(o.strike - spot if o.call else spot - o.strike, 0.0) / spot
    opening = value + np.maximum(p.option_most - out, p.option_least) * spot * o.amount
    if o.call:
        return opening if initial else value + p.call_maintenance * spot * o.amount
    kept = value + np.minimum(p.put_maintenance * spot * o.amount, p.put_maintenance_mtm * value)
    return np.minimum(opening, kept * p.offset) if initial else kept


def largest_loss(expiry: Expiry, p: StandardParameters, initial: bool) -> Any:
    """Worst payoff at 0 and every strike, 0 or less, and a charge on calls sold net, USD."""
    prices = [0.0, *(o.strike for o in expiry.options)]
    worst = min(min(sum(_payoff(o, price) for o in expiry.options), 0.0) for price in prices)
    net_calls = sum(o.amount for o in expiry.options if o.call)
    factor = p.unpaired_initial if initial else p.unpaired_maintenance
    return worst + (factor * expiry.forward * net_calls if net_calls < 0 else 0.0)


def _payoff(o: Option, price: float) -> float:
    return o.amount * max(price - o.strike if o.call else o.strike - price, 0.0)


def expiry_margin(expiry: Expiry, spot: float, p: StandardParameters, initial: bool) -> Any:
    """Net margin of one expiry, 0 or less, USD: the better of the sum alone and the largest loss."""
    alone = sum(option_alone(o, expiry, spot, p, initial) for o in expiry.options)
    return np.maximum(alone, largest_loss(expiry, p, initial))


def market_margin(
    m: Market, initial: bool, stable: float = 1.0, depeg_threshold: float = 0.0, depeg_factor: float = 0.0
) -> Any:
    """Net margin of one coin: perpetual, options, base held, unsettled profit, less add-ons to open, USD."""
    p = m.parameters
    total = -abs(m.perp) * m.perp_price * (p.perp_initial if initial else p.perp_maintenance) + m.perp_pnl
    total += sum(expiry_margin(e, m.spot, p, initial) for e in m.expiries)
    total += m.base * m.spot * p.base_factor * (p.base_initial_scale if initial else 1.0)
    if not initial:
        return total
    shorts = {id(e): -sum(o.amount for o in e.options if o.amount < 0) for e in m.expiries}
    unsure = lacking(min(m.perp_confidence, m.confidence), p.confidence_threshold) * abs(m.perp)
    unsure += lacking(m.confidence, p.confidence_threshold) * m.base
    unsure += sum(lacking(min(e.confidence, m.confidence), p.confidence_threshold) * shorts[id(e)] for e in m.expiries)
    depeg = max(depeg_threshold - stable, 0.0) * depeg_factor * (abs(m.perp) + sum(shorts.values()))
    return total - m.spot * (p.confidence_factor * unsure + depeg)


def market_to_market(m: Market, stable: float = 1.0) -> Any:
    """USD of one coin at its feeds."""
    return m.perp_pnl + sum(e.value() for e in m.expiries) + m.base * m.spot / stable
