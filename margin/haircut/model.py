"""Dynamic haircuts: what part of a holding's value to leave out, so that selling it after a default still covers it.

    haircut = max(floor, tail + stress + depeg + impact + buffer), at most 1

Definitions and sources: docs/haircuts.md. Parameters: margin/haircut/settings.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin.core.errors import InputError, MissingPriceError
from margin.core.impact import square_root_impact
from margin.core.instruments import USD_STABLECOINS
from margin.core.market import Market
from margin.haircut.liquidity import effective_days, liquidation_days, walk_book
from margin.haircut.settings import HaircutSettings
from margin.haircut.tails import TailView, asset_tails

COMPONENTS = ("tail", "stress", "depeg", "impact", "buffer", "floor_top_up")


@dataclass(frozen=True, eq=False)
class OrderBook:
    """Bids of one asset: (n, 2) price in USD and amount in coins, best first; mid in USD."""

    bids: np.ndarray
    mid: float


@dataclass(frozen=True, kw_only=True)
class Haircut:
    """Fractions of value, 0..1. impact is None when it could not be computed (`notes` say why).

    tail    : loss over the effective days; stress, depeg: what they add to it; floor: what the total may not be below
    total   : the haircut; binding: "sum", "floor" or "cap"
    horizon_days : days until all is sold; effective_days: days of full exposure with the same variance
    """

    asset: str
    as_of: pd.Timestamp | None
    price: float | None
    size_usd: float
    tail: float
    stress: float
    depeg: float
    impact: float | None
    buffer: float
    floor: float
    total: float
    horizon_days: float
    effective_days: float
    daily_volume: float | None
    daily_vol: float
    impact_source: str
    binding: str
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, float]:
        """COMPONENTS that add up to the total, for a stacked chart; in proportion where the total is capped at 1."""
        values = [self.tail, self.stress, self.depeg, self.impact or 0.0, self.buffer]
        values.append(max(self.floor - self.added, 0.0))
        scale = self.total / sum(values) if self.binding == "cap" else 1.0
        return {name: value * scale for name, value in zip(COMPONENTS, values, strict=True)}

    @property
    def added(self) -> float:
        """All components together, before the floor and the limit of 1."""
        return self.tail + self.stress + self.depeg + (self.impact or 0.0) + self.buffer

    @property
    def counted_usd(self) -> float:
        """USD of the holding that counts."""
        return self.size_usd * (1.0 - self.total)


@dataclass(frozen=True)
class Haircuts:
    """One line per asset that has a figure; `missing` says why the others have none."""

    lines: tuple[Haircut, ...]
    missing: dict[str, str]

    def __iter__(self) -> Iterator[Haircut]:
        return iter(self.lines)

    def __getitem__(self, asset: str) -> Haircut:
        for line in self.lines:
            if line.asset == asset:
                return line
        raise InputError("asset", asset, self.missing.get(asset, "is not among the haircuts"))


def haircut(
    market: Market,
    asset: str,
    size_usd: float = 0.0,
    as_of: Any = None,
    settings: HaircutSettings | None = None,
    order_book: OrderBook | None = None,
) -> Haircut:
    """The haircut of `size_usd` of one asset at as-of, from prices and volumes up to then.

    Dollars have none. A dollar stablecoin without a recent price has its least haircut, and a note.
    Raises MissingPriceError for any other asset without a recent close, InputError for less than 50 returns.
    """
    s = settings or HaircutSettings()
    size = _size(size_usd)
    if asset == "USD":
        return _constant(asset, size, 0.0, "Dollars have no haircut.")
    if asset not in market and asset in USD_STABLECOINS:
        return _constant(asset, size, s.stable_minimum, "No price history: the least haircut of a dollar stablecoin.")
    try:
        view = asset_tails(market, asset, s).view(as_of)
    except MissingPriceError:
        if asset not in USD_STABLECOINS:
            raise
        return _constant(asset, size, s.stable_minimum, "No recent price: the least haircut of a dollar stablecoin.")
    return from_view(view, size, s, order_book)


def describe(found: Haircut) -> str:
    """Where a haircut comes from, in one line: 'tail 9.1%, stress 1.2%, buffer 2.1%' or 'floor 5.0%'."""
    if found.as_of is None:
        return found.notes[0].rstrip(".").lower().replace("dollars have no haircut", "dollars")
    if found.binding == "floor":
        return f"floor {found.floor:.1%}, above the {found.added:.1%} of tail, stress and the rest"
    named = [f"{name} {value:.1%}" for name, value in found.parts.items() if value >= 0.0005]
    return ", ".join(named)


def dynamic_haircuts(
    market: Market,
    assets: Sequence[str],
    as_of: Any = None,
    sizes: Mapping[str, float] | None = None,
    settings: HaircutSettings | None = None,
    order_books: Mapping[str, OrderBook] | None = None,
) -> Haircuts:
    """Haircuts of many assets; sizes in USD (0 where not given)."""
    lines, missing = [], {}
    for asset in assets:
        book = (order_books or {}).get(asset)
        try:
            lines.append(haircut(market, asset, (sizes or {}).get(asset, 0.0), as_of, settings, book))
        except InputError as error:
            if error.field.startswith(("haircut", "size", "order book")):
                raise
            missing[asset] = error.problem
    return Haircuts(tuple(lines), missing)


def haircut_curve(
    market: Market,
    asset: str,
    sizes: Sequence[float],
    as_of: Any = None,
    settings: HaircutSettings | None = None,
    order_book: OrderBook | None = None,
) -> list[Haircut]:
    """The haircut at each of `sizes` (USD); what does not depend on size is computed once."""
    s = settings or HaircutSettings()
    if asset not in market:  # dollars, or a stablecoin taken at par
        return [haircut(market, asset, size, as_of, s, order_book) for size in sizes]
    view = asset_tails(market, asset, s).view(as_of)
    return [from_view(view, _size(size), s, order_book) for size in sizes]


def from_view(view: TailView, size: float, s: HaircutSettings, order_book: OrderBook | None = None) -> Haircut:
    """The haircut from an asset's figures at one date."""
    notes: list[str] = []
    selling = 0.0
    if size > 0 and view.volume is None:
        notes.append("No traded volume: selling time and square-root impact are not computed.")
    elif size > 0 and view.volume is not None:
        selling = liquidation_days(size, view.volume, s.participation)
    days = effective_days(selling, s)
    stretch = float(np.sqrt(days / s.wait))
    tail = min(view.tail * stretch, 1.0)
    stress = max(s.stress_weight * (min(view.stressed * stretch, 1.0) - tail), 0.0)
    depeg = max(view.depeg - tail - stress, 0.0)
    impact, source = _impact(view, size, s, order_book, notes)
    buffer = s.buffer_share * tail * _buffer_left(view, s)
    least = s.stable_minimum if view.asset in USD_STABLECOINS else s.minimum
    floor = max(least, min(s.floor_share * view.long_run * stretch, 1.0))
    added = tail + stress + depeg + (impact or 0.0) + buffer
    total = max(floor, added)
    binding = "cap" if total > 1.0 else "floor" if floor > added else "sum"
    return Haircut(
        asset=view.asset,
        as_of=pd.Timestamp(view.date),
        price=view.price,
        size_usd=size,
        tail=tail,
        stress=stress,
        depeg=depeg,
        impact=impact,
        buffer=buffer,
        floor=floor,
        total=min(total, 1.0),
        horizon_days=s.wait + selling,
        effective_days=days,
        daily_volume=view.volume,
        daily_vol=view.daily_vol,
        impact_source=source,
        binding=binding,
        notes=tuple(notes),
    )


def _impact(
    view: TailView, size: float, s: HaircutSettings, order_book: OrderBook | None, notes: list[str]
) -> tuple[float | None, str]:
    """(fraction, where it comes from): the law and the book, the larger one unless the settings name one."""
    if size == 0:
        return 0.0, "no size"
    law = None
    if view.volume is not None:
        law = float(square_root_impact(size, view.volume, view.daily_vol, s.impact_factor))
    if order_book is None or s.impact == "square-root":
        return law, "square-root law" if law is not None else "not computed"
    depth = walk_book(order_book.bids, order_book.mid, size)
    if not depth.whole:
        notes.append(f"The order book holds ${depth.covered:,.0f} of the ${size:,.0f}: the law is used for the whole.")
        return law, "square-root law" if law is not None else "not computed"
    if law is None or s.impact == "book" or depth.cost >= law:
        return depth.cost, "order book"
    return law, "square-root law"


def _buffer_left(view: TailView, s: HaircutSettings) -> float:
    """1 while volatility is at or below its long run, 0 from `buffer_used_at` times it: a buffer is to be used."""
    if view.long_vol <= 0:
        return 1.0
    ratio = view.daily_vol / view.long_vol
    return float(np.clip((s.buffer_used_at - ratio) / (s.buffer_used_at - 1.0), 0.0, 1.0))


def _constant(asset: str, size: float, value: float, note: str) -> Haircut:
    binding = "floor" if value > 0 else "sum"
    return Haircut(
        asset=asset,
        as_of=None,
        price=None,
        size_usd=size,
        tail=0.0,
        stress=0.0,
        depeg=0.0,
        impact=0.0,
        buffer=0.0,
        floor=value,
        total=value,
        horizon_days=0.0,
        effective_days=0.0,
        daily_volume=None,
        daily_vol=0.0,
        impact_source="none",
        binding=binding,
        notes=(note,),
    )


def _size(size: float) -> float:
    if isinstance(size, bool) or not isinstance(size, int | float | np.number) or not 0 <= size <= 1e15:
        raise InputError("size_usd", size, "must be a number of dollars, at least 0")
    return float(size)
