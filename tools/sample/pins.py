"""Recorded moves as pins: groups of days on which an asset's log returns must add up to a given sum.

A month from one recorded close to the next is a pin, a named event inside it is another, a single crash day inside
that a third. Pins nest, so they split an asset's days into disjoint groups with one sum each: an event's days, and
the days of its month that are left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from tools.sample.facts import Facts, row_of


class Pin(NamedTuple):
    first: int  # index of the first return
    last: int  # index of the last return, included
    total: float  # sum of the log returns


@dataclass(frozen=True)
class Groups:
    """label : (n_returns,) int, the group of each return, -1 where nothing is pinned; totals : (n_groups,) sums."""

    label: np.ndarray
    totals: np.ndarray

    @property
    def fixed(self) -> np.ndarray:
        """(n_returns,) bool: returns that the record fixes on their own."""
        sizes = np.bincount(self.label[self.label >= 0], minlength=len(self.totals))
        return (self.label >= 0) & (sizes[self.label] == 1)

    def bridge(self, returns: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """`returns` (n,) moved onto the pins; each group's gap is shared out in proportion to `spread` (n,) > 0.

        With independent days of variance `spread` this is the exact conditional draw given the sums.
        """
        return returns + self.share(spread, self.totals - self.sums(returns))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over each group of the last axis: (..., n) -> (..., n_groups)."""
        order = np.argsort(self.label, kind="stable")
        order = order[np.searchsorted(self.label[order], 0) :]
        if not len(order):
            return np.zeros((*values.shape[:-1], 0))
        starts = np.searchsorted(self.label[order], np.arange(len(self.totals)))
        return np.add.reduceat(values[..., order], starts, axis=-1)

    def share(self, spread: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """Spread the gaps (..., n_groups) over their days in proportion to `spread` (n,): (..., n)."""
        weights = np.where(self.label >= 0, spread / np.append(self.sums(spread), 1.0)[self.label], 0.0)
        return np.concatenate([gaps, np.zeros((*gaps.shape[:-1], 1))], axis=-1)[..., self.label] * weights

    def project(self, changes: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Changes (..., n) with each group's sum taken out, in proportion to `spread`: what the pins leave free."""
        free = changes - self.share(spread, self.sums(changes))
        return np.where(self.fixed, 0.0, free)


def group_days(n: int, pins: Iterable[Pin]) -> Groups:
    """Disjoint groups from nested pins. ValueError where two pins cross, or where one contradicts those inside it."""
    label = np.full(n, -1)
    totals: list[float] = []
    taken: list[Pin] = []
    for pin in sorted(set(pins), key=lambda p: (p.last - p.first, p.first)):
        span = set(range(pin.first, pin.last + 1))
        nested = [p for p in taken if p.first <= pin.last and p.last >= pin.first]
        if any(p.first < pin.first or p.last > pin.last for p in nested):
            raise ValueError(f"pins cross: {pin} and {nested}")
        outer = [p for p in nested if not any(q is not p and q.first <= p.first and q.last >= p.last for q in nested)]
        rest = pin.total - sum(p.total for p in outer)
        free = [t for t in sorted(span) if label[t] < 0]
        if not free:
            if abs(rest) > 1e-4:
                raise ValueError(f"{pin} contradicts the pins inside it by {rest:.6f}")
            continue
        label[free] = len(totals)
        totals.append(rest)
        taken.append(pin)
    return Groups(label, np.array(totals))


def record_pins(facts: Facts, asset: str, days: pd.DatetimeIndex) -> list[Pin]:
    """Pins of one asset's month ends and named events, as indices of the returns between successive `days`.

    A month's last close lies on the last of `days` not after the month end: stocks do not trade on a Sunday.
    """
    ends = facts.month_ends[asset].dropna()
    rows = days.searchsorted(ends.index, side="right") - 1
    logs = np.log(ends.to_numpy())
    pins = [
        Pin(int(a), int(b) - 1, float(y - x))
        for a, b, x, y in zip(rows[:-1], rows[1:], logs[:-1], logs[1:], strict=True)
    ]
    pins += [
        Pin(row_of(days, start) - 1, row_of(days, end) - 1, float(np.log1p(move)))
        for start, end, move in facts.moves[asset]
    ]
    return pins


def day_pin(days: pd.DatetimeIndex, day: date, move: float) -> Pin:
    """One day's recorded simple return."""
    row = row_of(days, day) - 1
    return Pin(row, row, float(np.log1p(move)))
