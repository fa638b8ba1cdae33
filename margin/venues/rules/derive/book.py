"""The inputs of Derive's three margin engines: options by expiry, feeds with their confidence, collateral.

Prices may be arrays (n,): scenarios are then the last axis of what comes out.
Source of all three engines' rules: derivexyz/v2-core, src/risk-managers, commit 7736900d3957.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.options import black76

SECONDS_PER_YEAR = 365.0 * 86_400.0
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Option:
    """amount > 0 is long; vol is annual."""

    strike: float
    call: bool
    amount: float
    vol: float


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Options of one expiry with its feed: forward USD, confidence 0 to 1, annual rate.

    fixed : part of the forward that no longer moves with spot (the last 30 minutes before settlement), USD
    """

    seconds: float
    forward: float
    options: tuple[Option, ...]
    confidence: float = 1.0
    rate: float = 0.0
    fixed: float = 0.0

    @property
    def years(self) -> float:
        """Years to expiry."""
        return self.seconds / SECONDS_PER_YEAR

    def value(self, discount: float = 1.0) -> Any:
        """USD of all its options at the feed."""
        return self.shocked(np.ones(1), np.ones(1))[..., 0] * discount

    def shocked(self, forward_factor: np.ndarray, vol_factor: np.ndarray, lowest_vol: np.ndarray | float = 0.0) -> Any:
        """(..., s) USD of all options undiscounted, forward and volatilities multiplied; volatility floored."""
        forwards = self.fixed + np.asarray(self.forward - self.fixed)[..., None] * forward_factor
        total = np.zeros(np.shape(forwards))
        for o in self.options:
            vols = np.maximum(np.asarray(o.vol)[..., None] * vol_factor, lowest_vol)
            total = total + o.amount * black76(forwards, o.strike, self.years, vols, "C" if o.call else "P")
        return total

    def naked_shorts(self) -> float:
        """Short options, in units, that no opposite option of the same strike covers."""
        by_strike: dict[float, list[float]] = {}
        for o in self.options:
            both = by_strike.setdefault(o.strike, [0.0, 0.0])
            both[0 if o.call else 1] += o.amount
        return sum(
            max(-call - max(put, 0.0), 0.0) + max(-put - max(call, 0.0), 0.0) for call, put in by_strike.values()
        )

    def gross(self) -> float:
        """Sum of |amount|."""
        return sum(abs(o.amount) for o in self.options)


def vol_multiple(seconds: float, short_power: float, long_power: float, floor_days: float = 1.0) -> float:
    """(30 days / time to expiry) to a power, which is another one beyond 30 days; at least `floor_days` to expiry."""
    days = seconds / SECONDS_PER_DAY
    return float((30.0 / max(days, floor_days)) ** (short_power if days <= 30.0 else long_power))


def forward_contingency(worst: Any, years: float, add: float, mult: float) -> Any:
    """USD, 0 or less: the worst change of an expiry's value under a moved forward, times add + mult x years."""
    return np.minimum(worst, 0.0) * (add + mult * years)


def option_contingency(spot: Any, naked: float, share: float) -> Any:
    """USD asked for options sold that nothing covers: a share of spot each."""
    return spot * (naked * share)


def lacking(confidence: float, threshold: float) -> float:
    """1 - confidence where a feed's confidence is below the threshold, else 0."""
    return 1.0 - confidence if confidence < threshold else 0.0
