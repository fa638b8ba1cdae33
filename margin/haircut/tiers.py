"""Concentration tiers: a size-dependent haircut as slices, each at its own rate, as OKX and Bybit publish them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.core.market import Market
from margin.haircut.model import OrderBook, haircut_curve
from margin.haircut.settings import HaircutSettings

EDGES = (0.0, 1e5, 5e5, 1e6, 5e6, 1e7, 5e7, 1e8)


@dataclass(frozen=True)
class Tier:
    """The slice of a holding from `start` to `end` (USD, or coins in some published tables; None: no end).

    haircut : of this slice alone, 0..1; average: of a holding that ends at `end`, None without an end
    """

    start: float
    end: float | None
    haircut: float
    average: float | None = None


def tier_table(
    market: Market,
    asset: str,
    edges: Sequence[float] = EDGES,
    as_of: Any = None,
    settings: HaircutSettings | None = None,
    order_book: OrderBook | None = None,
) -> tuple[Tier, ...]:
    """Our haircut as slices between `edges` (USD, rising from 0); beyond the last one nothing counts.

    A slice's rate is what the haircut of the whole rises by over it: (b h(b) - a h(a)) / (b - a), at most 1 (a holding
    never counts for less than a part of it) and never below the slice before.
    """
    points = np.array(edges, dtype=float)
    closest = 1e-6 * points[1:]  # a thinner slice's rate would be rounding
    if len(points) < 2 or points[0] != 0.0 or not np.isfinite(points).all() or (np.diff(points) <= closest).any():
        raise InputError("edges", list(edges), "must rise from 0, by a millionth or more", "E.g. 0, 100000, 1000000.")
    lost = (
        np.array([h.total for h in haircut_curve(market, asset, points.tolist(), as_of, settings, order_book)]) * points
    )
    rates = np.maximum.accumulate(np.clip(np.diff(lost) / np.diff(points), 0.0, 1.0))
    kept = np.cumsum(rates * np.diff(points))
    inside = [
        Tier(float(a), float(b), float(rate), float(total / b))
        for a, b, rate, total in zip(points, points[1:], rates, kept, strict=False)
    ]
    return (*inside, Tier(float(points[-1]), None, 1.0))


def tiered_haircut(tiers: Sequence[Tier], size: float) -> float:
    """Haircut of a holding of `size` (in the table's unit) that is cut into the table's slices; 0 <= result <= 1.

    What lies beyond the last slice does not count. A size of 0 has the first slice's haircut.
    """
    if not size >= 0:
        raise InputError("size", size, "must be at least 0")
    if size == 0:
        return tiers[0].haircut
    held = [(max(min(size, np.inf if t.end is None else t.end) - t.start, 0.0), t.haircut) for t in tiers]
    inside = sum(amount for amount, _ in held)
    return float(min((sum(amount * rate for amount, rate in held) + max(size - inside, 0.0)) / size, 1.0))
