"""The basis charge: different instruments of one underlying offset, and their prices are not the same price.

    charge = smaller side x (rate + carry x years to expiry, where a dated future is one of them)

per underlying, at most what netting saved there. Sides are the dollars of instruments that are long and short, after
each instrument is netted with itself; owned coins that are margined jointly are an instrument too. It is charged where
instruments share one price series; those with prices of their own have their own returns, and need none.

Our own default, from the record: perpetual beside spot on one exchange, hour by hour, 2025-09-13 to 2026-03-19. The
worst hour, that of 2025-10-10 for most, saw the perpetual of BTC 17.5, of ETH 25.4, of BNB 34, of DOGE and LINK 55 and
of SOL 140.1 basis points below spot. `Safeguards.basis_majors` is ETH's, `basis_others` SOL's, both rounded;
`basis_carry` is our allowance for the premium of a dated future, a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from margin.core import options
from margin.core.instruments import Instrument
from margin.core.settings import Safeguards
from margin.risk.exposures import Book
from margin.risk.models import RiskModel

__all__ = ["MAJORS", "NO_BASIS", "BasisCharge", "Legs", "basis_charge", "charge_of", "price_of"]

MAJORS = ("BTC", "ETH")


@dataclass(frozen=True)
class BasisCharge:
    """USD. amount : all of it; coins : what coins held behind the positions add; assets : where it is from."""

    amount: float
    coins: float = 0.0
    assets: tuple[str, ...] = ()


NO_BASIS = BasisCharge(0.0)


def price_of(instrument: Instrument) -> str:
    """What names the price that moves an instrument: coins, one perpetual, or one date's forward."""
    if instrument.kind in ("spot", "loan"):
        return instrument.base
    if instrument.expiry is None:
        return instrument.symbol
    return f"{instrument.base}:{instrument.settle}-{instrument.expiry}"


@dataclass(frozen=True, eq=False)
class Legs:
    """Positions sorted into instruments. instruments (p); columns (p): of the price series that moves each."""

    instruments: Sequence[Instrument]
    columns: Sequence[int | None]
    safeguards: Safeguards

    @cached_property
    def underlyings(self) -> list[str]:
        """Underlyings in the order of the legs."""
        return list(dict.fromkeys(i.base for i in self.instruments))

    @cached_property
    def labels(self) -> np.ndarray:
        """(p,) place of each position's underlying in `underlyings`."""
        return np.array([self.underlyings.index(i.base) for i in self.instruments], dtype=int)

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[pd.Timestamp | None]]:
        """(key of each position, group of each key, underlying and rate of each group, expiry of each key)."""
        named = [(i.base, column, price_of(i)) for i, column in zip(self.instruments, self.columns, strict=True)]
        keys = list(dict.fromkeys(named))
        groups = list(dict.fromkeys((base, column) for base, column, _ in keys))
        dated = {
            name: pd.Timestamp(i.expiry) + options.SETTLEMENT
            for name, i in zip(named, self.instruments, strict=True)
            if i.kind == "future" and i.expiry is not None
        }
        s = self.safeguards
        return (
            np.array([keys.index(name) for name in named], dtype=int),
            np.array([groups.index(key[:2]) for key in keys], dtype=int),
            np.array([self.underlyings.index(base) for base, _ in groups], dtype=int),
            np.array([s.basis_majors if base in MAJORS else s.basis_others for base, _ in groups]),
            [dated.get(key) for key in keys],
        )

    @cached_property
    def offset(self) -> bool:
        """Whether any two different instruments share a price series at all."""
        keys, groups, *_ = self._sorted
        return bool(len(keys)) and bool((np.bincount(groups) > 1).any())

    def charges(self, usd: np.ndarray, saved: np.ndarray, as_of: pd.Timestamp) -> np.ndarray:
        """(u,) USD by underlying. usd (p,): signed dollars of each position; saved (u,): what netting saved there."""
        if not self.offset:
            return np.zeros(len(self.underlyings))
        keys, groups, owners, rates, expiries = self._sorted
        net = np.bincount(keys, usd, len(groups))
        count = len(owners)
        smaller = np.minimum(
            np.bincount(groups, np.maximum(net, 0.0), count), np.bincount(groups, np.maximum(-net, 0.0), count)
        )
        years = np.zeros(count)
        for key, expiry in enumerate(expiries):
            if expiry is not None and net[key] != 0:
                left = max((expiry - options.valuation_time(as_of)) / pd.Timedelta(days=options.DAYS_PER_YEAR), 0.0)
                years[groups[key]] = max(years[groups[key]], left)
        charged = np.bincount(owners, smaller * (rates + self.safeguards.basis_carry * years), len(self.underlyings))
        limited: np.ndarray = np.minimum(charged, np.maximum(saved, 0.0))
        return limited


def basis_charge(
    book: Book, model: RiskModel, positions: int, s: Safeguards, netted: np.ndarray | None = None
) -> BasisCharge:
    """The charge of a valued book whose first `positions` are positions and whose others are coins held with them.

    netted : (u,) USD margin of each underlying in order of first appearance, where it is known already
    """
    if not s.basis:
        return NO_BASIS
    whole = Legs([e.instrument for e in book.exposures], [e.column for e in book.exposures], s)
    if not whole.offset:
        return NO_BASIS
    usd = np.array([e.delta_usd for e in book.exposures])
    count = len(whole.underlyings)
    alone = np.bincount(whole.labels, model.standalone(), count)
    together = model.groups(whole.labels.tolist(), count) if netted is None else netted
    return charge_of(whole, usd, alone - together, positions, book.as_of)


def charge_of(legs: Legs, usd: np.ndarray, saved: np.ndarray, positions: int, as_of: pd.Timestamp) -> BasisCharge:
    """The charge of dollars (p,), of which the first `positions` are positions; saved (u,) is what netting saved."""
    found = legs.charges(usd, saved, as_of)
    coins = 0.0
    if positions < len(usd):
        alone = np.where(np.arange(len(usd)) < positions, usd, 0.0)
        without = legs.charges(alone, np.full(len(saved), np.inf), as_of)
        coins = float(np.maximum(found - without, 0.0).sum())
    named = tuple(name for name, amount in zip(legs.underlyings, found, strict=True) if amount > 0)
    return BasisCharge(float(found.sum()), coins, named)
