"""What is held fixed along the paths, and what the odds would be if it moved: implied volatilities, the basis.

Volatilities: the whole account is forecast again with every implied volatility a quarter higher, and a quarter lower,
from now on. Basis: instruments of one underlying share one price here; their prices part at once by the worst recorded
hour (`Safeguards.basis_majors`, `basis_others`, and `basis_carry` a year to a dated future), against the account.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin.core.instruments import USD_LIKE
from margin.core.options import DAYS_PER_YEAR, SETTLEMENT, valuation_time
from margin.core.settings import Safeguards
from margin.forecast.gap import Gap, gap_of
from margin.forecast.past import Past
from margin.forecast.walk import Walk
from margin.forecast.walking import Way, walk_of
from margin.ladder.basis import MAJORS
from margin.models.base import pinned

VOL_CHANGE = 0.25  # of every implied volatility, up and down


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One thing that is held fixed: what is done to it, the odds then, and the change of the odds."""

    name: str
    odds: float
    change: float


def sensitivities(
    gap: Gap, walk: Walk, past: Past, way: Way, days: float, vol_change: float = VOL_CHANGE
) -> tuple[Sensitivity, ...]:
    """Empty where nothing that matters is held fixed, or where the line is reached already.

    vol_change : fraction by which implied volatilities rise, and fall, at once
    """
    if gap.usd <= 0:
        return ()
    now = float(walk.odds(gap.usd, days))
    out = []
    if gap.options:
        for change in (vol_change, -vol_change):
            other = with_vols(gap, 1.0 + change)
            odds = float(walk_of(other, past, way).odds(other.usd, days)) if other.usd > 0 else 1.0
            out.append((f"Implied volatilities {change:+.0%} at once", odds))
    usd = basis_usd(gap)
    if usd > 0:
        odds = float(walk.odds(gap.usd - usd, days))
        out.append((f"The basis of its worst recorded hour, ${usd:,.0f}", odds))
    return tuple(Sensitivity(name=name, odds=odds, change=odds - now) for name, odds in out)


def with_vols(gap: Gap, factor: float) -> Gap:
    """The gap with every implied volatility times `factor`: what the account earns or loses by that counts."""
    marks = replace(gap.marks, vols={name: vol * factor for name, vol in gap.marks.vols.items()})
    held = pinned(gap.sub, gap.marks)
    return gap_of(gap.model, held, marks, gap.target, np.empty((0, len(held.assets))))


def basis_usd(gap: Gap, safeguards: Safeguards | None = None) -> float:
    """USD lost where instruments of one underlying that offset part by the worst recorded hour.

    By underlying: the smaller of the dollars long and short, each instrument netted with itself, times the rate of
    `margin/ladder/basis.py`. Coins of the collateral are long; options are left out.
    """
    s = safeguards or Safeguards()
    sides: dict[str, dict[str, float]] = {}
    years: dict[str, float] = {}
    for p in gap.sub.positions:
        instrument = p.instrument
        if instrument.is_option or p.underlying in USD_LIKE:
            continue
        name = instrument.base if instrument.kind in ("spot", "loan") else p.symbol
        held = sides.setdefault(p.underlying, {})
        held[name] = held.get(name, 0.0) + p.exposure(gap.marks.contract(instrument))
        if instrument.expiry is not None and p.quantity:
            left = pd.Timestamp(instrument.expiry) + SETTLEMENT - valuation_time(gap.marks.as_of)
            years[p.underlying] = max(years.get(p.underlying, 0.0), left / pd.Timedelta(days=DAYS_PER_YEAR))
    for c in gap.sub.collateral:
        if c.asset not in USD_LIKE and c.asset in sides:
            sides[c.asset][c.asset] = sides[c.asset].get(c.asset, 0.0) + c.quantity * gap.marks.price(c.asset)
    total = 0.0
    for asset, held in sides.items():
        long, short = (sum(max(sign * usd, 0.0) for usd in held.values()) for sign in (1.0, -1.0))
        rate = s.basis_majors if asset in MAJORS else s.basis_others
        total += min(long, short) * (rate + s.basis_carry * years.get(asset, 0.0))
    return total
