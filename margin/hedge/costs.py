"""What a trade costs: fee, half the spread, impact, unwinding a hedge, and funding while it is held. docs/hedge.md.

Rates are fractions of the dollars traded. A hedge must be unwound, so fee and spread are paid twice; a cut pays once.
Expected funding is charged where it is paid and never credited where it is received: a hedge that is paid to hold
would make the cheapest trade unbounded.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from margin.core import checks
from margin.core.errors import InputError
from margin.core.impact import closing_cost

BP = 1e-4
HALF_SPREAD_BP = {"BTC": 0.1, "ETH": 0.5, "SOL": 1.0, "XRP": 1.0, "BNB": 1.5, "DOGE": 1.5, "ADA": 2.0, "LTC": 2.0}
OTHER_HALF_SPREAD_BP = 4.0
NODES = (0.0, 1 / 16, 1 / 4, 9 / 16, 1.0)  # of the largest size: chords of the impact's x^1.5


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Assumptions about trading, each with its own default.

    fee_bp : of the notional traded, taker; half_spread_bp : by asset, instead of the carried figures
    option_half_spread : of the premium; hold_days : how long a hedge is held
    funding_bp_day : by asset, basis points a day that a long pays a short; an asset that is absent is not charged
    impact_factor : Y of the square-root law
    """

    fee_bp: float = 4.5
    half_spread_bp: Mapping[str, float] = field(default_factory=dict)
    option_half_spread: float = 0.02
    hold_days: float = 7.0
    funding_bp_day: Mapping[str, float] = field(default_factory=dict)
    impact_factor: float = 1.0

    def __post_init__(self) -> None:
        for name, most in (
            ("fee_bp", 1000.0),
            ("option_half_spread", 1.0),
            ("hold_days", 365.0),
            ("impact_factor", 10.0),
        ):
            object.__setattr__(self, name, checks.number(getattr(self, name), name, least=0.0, most=most))
        for name, least in (("half_spread_bp", 0.0), ("funding_bp_day", -1000.0)):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise InputError(name, given, "must map assets to basis points", 'E.g. {"BTC": 0.5}.')
            kept = {
                asset: checks.number(bp, f"{name}.{asset}", least=least, most=1000.0) for asset, bp in given.items()
            }
            object.__setattr__(self, name, kept)

    def half_spread(self, asset: str) -> float:
        """Fraction of the notional between mid and the price that is got."""
        carried = HALF_SPREAD_BP.get(asset, OTHER_HALF_SPREAD_BP)
        return self.half_spread_bp.get(asset, carried) * BP

    def funding(self, asset: str, side: float) -> float | None:
        """Fraction of the notional that a hedge (side > 0 long) pays over the holding time; below 0 it receives."""
        rate = self.funding_bp_day.get(asset)
        return None if rate is None else np.sign(side) * rate * BP * self.hold_days


@dataclass(frozen=True, kw_only=True)
class Bill:
    """USD of one trade, each line at least 0. `receipt`: funding a hedge is expected to earn, noted and not counted."""

    fee: float = 0.0
    spread: float = 0.0
    impact: float = 0.0
    unwind: float = 0.0
    funding: float = 0.0
    receipt: float = 0.0

    @property
    def total(self) -> float:
        """USD of all costs together."""
        return self.fee + self.spread + self.impact + self.unwind + self.funding

    def to_dict(self) -> dict[str, float]:
        """Every line and the total, USD."""
        lines = ("fee", "spread", "impact", "unwind", "funding", "total", "receipt")
        return {name: float(getattr(self, name)) for name in lines}


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What one candidate costs per dollar traded; the impact grows with the size.

    volume, daily_vol : USD a day and fraction, None where unknown: then no impact is charged, and it is said
    """

    fee: float
    spread: float
    unwind: float
    funding: float
    receipt: float
    volume: float | None
    daily_vol: float
    impact_factor: float

    @property
    def rate(self) -> float:
        """USD per USD before impact."""
        return self.fee + self.spread + self.unwind + self.funding

    def impact(self, usd: float) -> float:
        """USD of impact of trading `usd`: by the square-root law, usd^1.5."""
        if not self.volume or usd <= 0:
            return 0.0
        return closing_cost(usd, self.volume, self.daily_vol, self.impact_factor)

    def bill(self, usd: float) -> Bill:
        """The lines of trading `usd` dollars."""
        return Bill(
            fee=self.fee * usd,
            spread=self.spread * usd,
            impact=self.impact(usd),
            unwind=self.unwind * usd,
            funding=self.funding * usd,
            receipt=self.receipt * usd,
        )

    def chords(self, most: float) -> list[tuple[float, float]]:
        """[(USD wide, USD per USD)]: a convex piecewise-linear cost on 0..most, never below the true one."""
        if not self.volume or most <= 0:
            return [(most, self.rate)]
        out = []
        for low, high in itertools.pairwise(NODES):
            width = (high - low) * most
            slope = (self.impact(high * most) - self.impact(low * most)) / width
            out.append((width, self.rate + slope))
        if any(b < a - 1e-15 for (_, a), (_, b) in itertools.pairwise(out)):  # the cap of 100% bends it
            return [(most, self.rate + self.impact(most) / most)]
        return out


def tariff(
    costs: Costs,
    asset: str,
    side: float,
    hedge: bool,
    volume: float | None,
    daily_vol: float,
    premium: float | None = None,
) -> Tariff:
    """The tariff of one candidate.

    side : +1 bought, -1 sold; premium : of an option, value / notional of the underlying: its spread is of the premium
    """
    fee, spread = costs.fee_bp * BP, costs.half_spread(asset)
    if premium is not None:
        spread = costs.option_half_spread * premium
    funding = (costs.funding(asset, side) or 0.0) if hedge else 0.0
    return Tariff(
        fee=fee,
        spread=spread,
        unwind=fee + spread if hedge else 0.0,
        funding=max(funding, 0.0),
        receipt=max(-funding, 0.0),
        volume=volume,
        daily_vol=daily_vol,
        impact_factor=costs.impact_factor,
    )
