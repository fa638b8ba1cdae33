"""The haircut through time, the price drop that followed each, and whether it was enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.checks import parse_date, whole_number
from margin.core.errors import InputError
from margin.core.market import MAX_STALE_DAYS, Market
from margin.haircut.model import COMPONENTS, Haircut, from_view
from margin.haircut.settings import HaircutSettings
from margin.haircut.tails import AssetTails, asset_tails


@dataclass(frozen=True, eq=False, kw_only=True)
class HaircutHistory:
    """One entry per date that has a haircut; arrays (n,).

    totals      : the haircut as of the date, from data up to it only; parts (n, 6) by COMPONENTS
    drops       : 1 - price after the horizon / price on the date; negative when it rose; NaN when not known yet
    worst_drops : the same to the lowest close within the horizon
    exceeded    : the drop was larger than the haircut (False where not known yet)
    allowed     : 1 - level, the share a quantile of that level would allow; an expected shortfall is exceeded less
    """

    asset: str
    dates: np.ndarray
    totals: np.ndarray
    parts: np.ndarray
    drops: np.ndarray
    worst_drops: np.ndarray
    exceeded: np.ndarray
    allowed: float
    haircuts: tuple[Haircut, ...]
    missing: dict[str, str]

    @property
    def known(self) -> int:
        """Dates whose drop is known."""
        return int(np.isfinite(self.drops).sum())

    @property
    def exceedances(self) -> int:
        """Days on which the loss was larger than the haircut."""
        return int(self.exceeded.sum())

    @property
    def largest_shortfall(self) -> float:
        """Largest drop beyond the haircut, fraction of value; 0 when it was always enough."""
        over = (self.drops - self.totals)[np.isfinite(self.drops)]
        return float(max(over.max(initial=0.0), 0.0))


def haircut_history(
    market: Market,
    asset: str,
    dates: Sequence[Any] | None = None,
    size_usd: float = 0.0,
    settings: HaircutSettings | None = None,
    as_of: Any = None,
    every: int = 7,
) -> HaircutHistory:
    """The haircut of `size_usd` on each of `dates` (each `every`-th row of prices up to as-of unless given).

    Each haircut sees prices up to its own date only; the drops that follow, up to as-of. Dates without a haircut (too
    little history, a stale price) are in `missing` with the reason. Raises InputError when no date has one.
    """
    s = settings or HaircutSettings()
    tails = asset_tails(market, asset, s)
    last = market.dates[-1] if as_of is None else parse_date(as_of).to_datetime64()
    chosen = [parse_date(d).to_datetime64() for d in dates] if dates is not None else _regular(market, last, every)
    found: list[Haircut] = []
    at: list[np.datetime64] = []
    missing: dict[str, str] = {}
    for date in chosen:
        try:
            if date > last:
                raise InputError("dates", str(date)[:10], "is after as-of")
            found.append(from_view(tails.view(date), float(size_usd), s))
            at.append(date)
        except InputError as error:
            missing[str(date)[:10]] = error.problem
    if not found:
        reason = next(iter(missing.values()), "no dates")
        raise InputError(f"haircuts {asset}", f"{len(chosen)} dates", f"none can be computed: {reason}")
    drops = np.array([_drop(tails.of(h.as_of), h, last) for h in found])
    totals = np.array([h.total for h in found])
    parts = np.array([[h.parts[name] for name in COMPONENTS] for h in found])
    exceeded = np.nan_to_num(drops[:, 0], nan=-1.0) > totals
    return HaircutHistory(
        asset=asset,
        dates=np.array(at),
        totals=totals,
        parts=parts,
        drops=drops[:, 0],
        worst_drops=drops[:, 1],
        exceeded=exceeded,
        allowed=1.0 - s.level,
        haircuts=tuple(found),
        missing=missing,
    )


def _regular(market: Market, last: np.datetime64, every: int) -> list[np.datetime64]:
    every = whole_number(every, "every", 1, 365)
    upto = int(np.searchsorted(market.dates, last, side="right"))
    return list(market.dates[upto - 1 :: -every][::-1]) if upto else []


def _drop(tails: AssetTails, h: Haircut, last: np.datetime64) -> tuple[float, float]:
    """(drop at the horizon's end, to its lowest close); NaN when the end lies after `last` or has no close near it."""
    assert h.as_of is not None
    dates, closes = tails.dates, tails.closes
    start = h.as_of.to_datetime64()
    end = start + np.timedelta64(int(np.ceil(h.horizon_days - 1e-9)), "D")
    row, final = int(np.searchsorted(dates, start)), int(np.searchsorted(dates, end))
    if final >= len(dates) or dates[final] > last or dates[final] - end > np.timedelta64(MAX_STALE_DAYS, "D"):
        return np.nan, np.nan
    path = closes[row + 1 : final + 1] / closes[row]
    return float(1.0 - path[-1]), float(1.0 - path.min())
