"""Derive's portfolio margin of today (PMRM_2): scenarios with tails and skews, several collaterals, one coin."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.venues.rules.derive.book import Expiry, forward_contingency, lacking, option_contingency, vol_multiple


@dataclass(frozen=True)
class Scenario:
    """spot : factor; vol : "Up", "None", "Down", "Linear" or "Abs"; dampening multiplies the PnL."""

    spot: float
    vol: str
    dampening: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Held:
    """Collateral: amount, USD price, haircuts (initial on top of maintenance); risk_cancelling moves with the coin."""

    name: str
    amount: float
    price: float
    maintenance_haircut: float
    initial_haircut: float
    risk_cancelling: bool = False
    confidence: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one account holds in one coin."""

    spot: float
    cash: float
    perp: float
    perp_price: float
    perp_pnl: float
    collateral: tuple[Held, ...]
    expiries: tuple[Expiry, ...]
    stable: float = 1.0
    spot_confidence: float = 1.0
    perp_confidence: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Named after their use; fractions. `initial_*` of perpetual and option come on top of the maintenance ones."""

    basis_up: float
    basis_down: float
    basis_add: float
    basis_mult: float
    maintenance_factor: float
    initial_factor: float
    long_discount: float
    short_discount: float
    long_rate_mult: float
    long_rate_add: float
    short_rate_mult: float
    short_rate_add: float
    confidence_threshold: float
    confidence_margin: float
    peg_threshold: float
    peg_factor: float
    maintenance_perp: float
    initial_perp: float
    maintenance_option: float
    initial_option: float
    vol_up: float
    vol_down: float
    lowest_vol: float
    short_power: float
    long_power: float
    floor_days: float
    linear_base_cap: float
    linear_cap_slope: float
    abs_base_cap: float
    abs_cap_slope: float
    least_k: float
    width: float
    k_static: float
    k_scale: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """Net margins and value, USD; PnL by scenario (..., s), dampened; basis : the forward contingency."""

    initial: Any
    maintenance: Any
    mtm: Any
    pnl: np.ndarray
    basis: Any
    maintenance_contingency: Any
    initial_contingency: Any

    @property
    def worst(self) -> Any:
        """The worst scenario, at most 0."""
        return np.minimum(np.minimum(self.pnl.min(axis=-1), self.basis), 0.0)


def discounted(values: np.ndarray, e: Expiry, p: Parameters) -> np.ndarray:
    """Shocked values as the venue counts them: gains shrunk, losses grown, each by its own static discount."""
    rate, years = max(e.rate, 0.0), e.years
    long = p.long_discount * math.exp(-years * (rate * p.long_rate_mult + p.long_rate_add))
    short = min(
        math.exp(rate * years), p.short_discount * math.exp(years * (rate * p.short_rate_mult + p.short_rate_add))
    )
    present = math.exp(-rate * years)
    return np.where(values >= 0, values * present * long, values * present * short)


def skewed(e: Expiry, p: Parameters, kind: str) -> Any:
    """USD of an expiry's options with each volatility bent by its log-moneyness, linearly or to both sides."""
    root = math.sqrt(e.years)
    base, slope = (p.linear_base_cap, p.linear_cap_slope) if kind == "Linear" else (p.abs_base_cap, p.abs_cap_slope)
    cap = base + slope * root  # keeps its sign, as the contract does
    edge = max(p.least_k, root * p.width * (p.k_static + root * p.k_scale))
    total: Any = 0.0
    for o in e.options:
        k = np.log(o.strike / e.forward)
        k = np.abs(k) if kind == "Abs" else k
        bend = k * cap / edge
        multiple = 1.0 + np.where(k >= 0, np.minimum(cap, bend), np.maximum(-cap, bend))
        alone = Expiry(seconds=e.seconds, forward=e.forward, options=(o,), fixed=e.fixed)
        total = total + alone.shocked(np.ones(1), multiple[..., None])[..., 0]
    return total


def margin(a: Account, scenarios: tuple[Scenario, ...], p: Parameters) -> Result:
    """Net margins: 0 or more means enough.

    MM = worst x factor - contingency; IM = worst x (factor + peg) - initial contingency - maintenance contingency; both
    + value + cash
    """
    spots = np.array([s.spot for s in scenarios])
    damp = np.array([s.dampening for s in scenarios])
    cancelling = sum(c.amount * c.price / a.stable for c in a.collateral if c.risk_cancelling)
    pnl = damp * np.asarray(a.perp * a.perp_price + cancelling)[..., None] * (spots - 1.0)
    basis: Any = 0.0
    value: Any = 0.0
    for e in a.expiries:
        now = e.value(math.exp(-max(e.rate, 0.0) * e.years))
        value = value + now
        multiple = vol_multiple(e.seconds, p.short_power, p.long_power, p.floor_days)
        factor = {"Up": 1.0 + p.vol_up * multiple, "Down": max(0.0, 1.0 - p.vol_down * multiple)}
        factors = np.array([factor.get(s.vol, 1.0) for s in scenarios])
        floors = np.array([p.lowest_vol if s.vol == "Up" else 0.0 for s in scenarios])
        gains = discounted(e.shocked(spots, factors, floors), e, p) - np.asarray(now)[..., None]
        for kind in ("Linear", "Abs"):
            at = np.array([s.vol == kind for s in scenarios])
            if at.any():
                gains[..., at] = -np.abs(discounted(skewed(e, p, kind), e, p) - now)[..., None]
        pnl = pnl + damp * gains
        present = math.exp(-max(e.rate, 0.0) * e.years)
        sides = e.shocked(np.array([p.basis_up, p.basis_down]), np.ones(2)) * present - np.asarray(now)[..., None]
        basis = basis + forward_contingency(sides.min(axis=-1), e.years, p.basis_add, p.basis_mult)
    worst = np.minimum(np.minimum(pnl.min(axis=-1, initial=0.0), basis), 0.0)
    naked = sum(e.naked_shorts() for e in a.expiries)
    held = [(c, c.amount * c.price / a.stable) for c in a.collateral]
    kept = a.spot * (abs(a.perp) * p.maintenance_perp) + option_contingency(a.spot, naked, p.maintenance_option)
    kept += sum(v * c.maintenance_haircut for c, v in held)
    opening = a.spot * (abs(a.perp) * p.initial_perp) + option_contingency(a.spot, naked, p.initial_option)
    opening += sum(v * c.initial_haircut for c, v in held)
    opening += _unsure(a, held, p)
    mtm = value + a.perp_pnl + sum(v for _, v in held) + a.cash
    peg = max(p.peg_threshold - a.stable, 0.0) * p.peg_factor
    maintenance = worst * p.maintenance_factor - kept + mtm
    initial = worst * (p.initial_factor + peg) - opening - kept + mtm
    return Result(
        initial=initial,
        maintenance=maintenance,
        mtm=mtm,
        pnl=pnl,
        basis=basis,
        maintenance_contingency=kept,
        initial_contingency=opening,
    )


def _unsure(a: Account, held: list[tuple[Held, Any]], p: Parameters) -> Any:
    """USD added to the initial margin where a feed's confidence is low."""
    perp = min(a.spot_confidence, a.perp_confidence) if a.perp else a.spot_confidence
    total: Any = lacking(perp, p.confidence_threshold) * p.confidence_margin * abs(a.perp) * a.spot
    for e in a.expiries:
        sure = min(e.confidence, perp)
        total = total + lacking(sure, p.confidence_threshold) * p.confidence_margin * e.gross() * a.spot
    for c, value in held:
        sure = min(c.confidence, a.spot_confidence)
        total = total + lacking(sure, p.confidence_threshold) * p.confidence_margin * value
    return total
