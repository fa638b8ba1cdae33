"""Derive's first portfolio margin (PMRM): 21 or 23 scenarios of spot and volatility for one coin."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.venues.rules.derive.book import Expiry, forward_contingency, lacking, option_contingency, vol_multiple


@dataclass(frozen=True)
class Scenario:
    """spot : factor; vol : "Up", "None" or "Down" """

    spot: float
    vol: str


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Named after their use; fractions, not percentages."""

    basis_up: float
    basis_down: float
    basis_add: float
    basis_mult: float
    peg_threshold: float
    peg_factor: float
    confidence_threshold: float
    confidence_margin: float
    base_percent: float
    perp_percent: float
    option_percent: float
    initial_factor: float
    discount: float
    rate_mult: float
    rate_add: float
    vol_up: float
    vol_down: float
    short_power: float
    long_power: float
    floor_days: float


@dataclass(frozen=True, kw_only=True)
class Account:
    """One coin: spot and perpetual price USD, amounts in coins, cash USD, stable the dollar coin's price."""

    spot: float
    cash: float
    perp: float
    perp_price: float
    perp_pnl: float
    base: float
    expiries: tuple[Expiry, ...]
    stable: float = 1.0
    spot_confidence: float = 1.0
    perp_confidence: float = 1.0


@dataclass(frozen=True)
class Result:
    """Net margins and value, USD; PnL by scenario (..., s); worst is the least of them and of the basis contingency."""

    initial: Any
    maintenance: Any
    mtm: Any
    pnl: np.ndarray
    basis: Any

    @property
    def worst(self) -> Any:
        """The worst scenario."""
        return np.minimum(self.pnl.min(axis=-1), self.basis)


def margin(a: Account, scenarios: tuple[Scenario, ...], p: Parameters) -> Result:
    """Net margins: 0 or more means enough. MM = worst - static + value; IM = (worst - static) x factor + value."""
    spots = np.array([s.spot for s in scenarios])
    exposure = np.asarray(a.base * a.spot / a.stable + a.perp * a.perp_price)
    pnl = exposure[..., None] * (spots - 1.0)
    basis: Any = 0.0
    value: Any = 0.0
    for e in a.expiries:
        now = e.value()
        value = value + now
        multiple = vol_multiple(e.seconds, p.short_power, p.long_power, p.floor_days)
        factor = {"Up": 1.0 + p.vol_up * multiple, "None": 1.0, "Down": max(0.0, 1.0 - p.vol_down * multiple)}
        moved = e.shocked(spots, np.array([factor[s.vol] for s in scenarios]))
        shrink = p.discount * math.exp(-e.years * (e.rate * p.rate_mult + p.rate_add))
        pnl = pnl + np.where(moved > 0, moved * shrink, moved) - np.asarray(now)[..., None]
        bent = e.shocked(np.array([p.basis_up, p.basis_down]), np.ones(2)) - np.asarray(now)[..., None]
        basis = basis + forward_contingency(bent.min(axis=-1), e.years, p.basis_add, p.basis_mult)
    worst = np.minimum(pnl.min(axis=-1), basis)
    naked = sum(e.naked_shorts() for e in a.expiries)
    static = a.spot * (abs(a.perp) * p.perp_percent + abs(a.base) * p.base_percent)
    static = static + option_contingency(a.spot, naked, p.option_percent)
    mtm = value + a.perp_pnl + a.base * a.spot / a.stable
    unsure = lacking(min(a.spot_confidence, a.perp_confidence), p.confidence_threshold) * (abs(a.perp) + abs(a.base))
    unsure += sum(lacking(min(e.confidence, a.spot_confidence), p.confidence_threshold) * e.gross() for e in a.expiries)
    peg = max(p.peg_threshold - a.stable, 0.0) * p.peg_factor
    initial = (worst - static) * (p.initial_factor + peg) - unsure * p.confidence_margin * a.spot + mtm + a.cash
    return Result(initial, worst - static + mtm + a.cash, mtm + a.cash, pnl, basis)
