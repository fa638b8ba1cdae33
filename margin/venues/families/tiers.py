"""Margin tiers: slices of size at rising rates, for one size or for an array of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from margin.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Size from `floor` to `cap` (USD or coins; None: no end): maintenance = rate x size - deduction."""

    floor: float
    cap: float | None
    rate: float
    leverage: float
    deduction: float
    closed: bool = False  # the cap itself still lies in this tier


class Tiers(tuple[Tier, ...]):
    """A venue's tiers of one contract, in order. Every look-up takes a size or an array of sizes."""

    @cached_property
    def _caps(self) -> np.ndarray:
        return np.array([np.inf if t.cap is None else t.cap for t in self[:-1]])

    @cached_property
    def _rates(self) -> np.ndarray:
        return np.array([t.rate for t in self])

    @cached_property
    def _leverages(self) -> np.ndarray:
        return np.array([t.leverage for t in self])

    @cached_property
    def _deductions(self) -> np.ndarray:
        return np.array([t.deduction for t in self])

    @cached_property
    def continuous(self) -> bool:
        """Whether the margin does not jump at an edge: then it is the largest of the tiers' lines."""
        pairs = pairwise(self)
        return all(
            abs(a.rate * b.floor - a.deduction - (b.rate * b.floor - b.deduction)) <= 1e-9 * b.floor
            and b.rate >= a.rate
            for a, b in pairs
        )

    @cached_property
    def _edges(self) -> list[float]:
        return [float(cap) for cap in self._caps]

    def at(self, size: float) -> int:
        """Number of the tier one size lies in."""
        return (bisect_left if self[0].closed else bisect_right)(self._edges, size)

    def which(self, size: np.ndarray) -> np.ndarray:
        """Number of the tier each size lies in; an exact edge in the lower one where the venue says so."""
        return np.searchsorted(self._caps, size, side="left" if self[0].closed else "right")

    def between(self, size: np.ndarray) -> tuple[int, int]:
        """Numbers of the lowest and highest tier that the sizes reach."""
        return self.at(float(size.min())), self.at(float(size.max()))

    def maintenance(self, size: Any) -> Any:
        """Margin of a size, in its own unit."""
        if isinstance(size, float):
            tier = self[self.at(size)]
            return tier.rate * size - tier.deduction
        if np.ndim(size) == 0 or size.size == 1:
            tier = self[self.at(float(size) if np.ndim(size) == 0 else size.item())]
            return tier.rate * size - tier.deduction
        low, high = self.between(size)
        if not self.continuous:
            if low == high:
                return self._rates[low] * size - self._deductions[low]
            at = self.which(size)
            return self._rates[at] * size - self._deductions[at]
        out = self._rates[low] * size
        if self._deductions[low]:
            out -= self._deductions[low]
        for i in range(low + 1, high + 1):
            line = self._rates[i] * size
            line -= self._deductions[i]
            np.maximum(out, line, out=out)
        return out

    def leverage(self, size: Any) -> Any:
        """Highest leverage at a size."""
        if isinstance(size, float):
            return self[self.at(size)].leverage
        if np.ndim(size) == 0 or size.size == 1:
            return self[self.at(float(size) if np.ndim(size) == 0 else size.item())].leverage
        low, high = self.between(size)
        return self._leverages[low] if low == high else self._leverages[self.which(size)]


def tiers_of(rows: Sequence[Sequence[Any]], whole: bool = False, closed: bool = False) -> Tiers:
    """Tiers from rows of (floor, cap, maintenance rate, highest leverage), in order.

    Deductions make the requirement continuous: d_n = d_(n-1) + floor_n (rate_n - rate_(n-1)); where a venue charges
    the `whole` position at its tier's rate there are none, and the requirement jumps. Raises InputError for tiers that
    leave a gap or fall.
    """
    out: list[Tier] = []
    for floor, cap, rate, leverage in rows:
        deduction = 0.0
        if out:
            before = out[-1]
            if before.cap != floor or rate < before.rate:
                raise InputError("tiers", floor, "must follow the tier before, at a rate that is not lower")
            deduction = 0.0 if whole else before.deduction + floor * (rate - before.rate)
        out.append(
            Tier(
                floor=float(floor),
                cap=None if cap is None else float(cap),
                rate=float(rate),
                leverage=float(leverage),
                deduction=deduction,
                closed=closed,
            )
        )
    return Tiers(out)


def one_rate(rate: float, leverage: float, deduction: float = 0.0) -> Tiers:
    """The same rate whatever the size."""
    return Tiers((Tier(floor=0.0, cap=None, rate=rate, leverage=leverage, deduction=deduction),))


def describe(tier: Tier) -> str:
    """A tier in words."""
    edge = "no end" if tier.cap is None else f"{tier.cap:,.0f}"
    return f"{tier.floor:,.0f} to {edge} at {tier.rate:.3%}"


def sliced(rows: Iterable[Sequence[Any]], amount: Any) -> Any:
    """What counts of an amount whose slices (floor, cap, share) count at their own share, as collateral tiers do.

    amount : a number, or an array (n,): then so is what counts
    """
    found = sum(share * np.maximum(np.minimum(amount, np.inf if c is None else c) - low, 0.0) for low, c, share in rows)
    return found if np.ndim(amount) else float(found)


def tier_at(tiers: Sequence[Tier], notional: float) -> Tier:
    """The tier of a size; at an exact edge the lower one where the venue says so, else the upper."""
    return next((t for t in tiers if t.cap is None or notional < t.cap or (t.closed and notional == t.cap)), tiers[-1])
