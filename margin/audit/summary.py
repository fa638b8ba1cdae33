"""What an audit adds up over accounts: exact, mergeable in any order, small.

All money is whole cents in Python integers, so that one thread, many threads and a cluster give the same figures bit
for bit; merging is associative and commutative.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

BANDS = (0.0, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # of health; the first is below 0
STEPS = 200  # rows of the ladder on each side, 0.5% of the price each
STEP = 0.005
TOP = 100
ODDS_UNIT = 1_000_000_000  # odds are added up in whole billionths
HORIZONS = 3  # 1, 3 and 7 days
GROSS_ROWS = 150  # rows of the accounts by gross: ten a decade from a tenth of a cent to a trillion


def cents(values: np.ndarray) -> int:
    """Their sum in whole cents, exactly: each is rounded by itself."""
    whole = np.rint(np.asarray(values, dtype=float) * 100.0)
    return (
        int(sum(int(part) for part in np.add.reduceat(whole.astype(np.int64), _starts(len(whole)))))
        if len(whole)
        else 0
    )


def _starts(n: int) -> np.ndarray:
    return np.arange(0, n, 10_000)  # 10,000 amounts of at most 1e12 USD stay far inside 64 bits


@dataclass(kw_only=True, eq=False)
class AuditSummary:
    """Sums over some of the accounts. Lists are by asset (k), shock (K), scenario (S) or row of the ladder, in cents.

    bands, band_notional : accounts and gross by health band; the last band: nothing required
    short, largest, second : by scenario, cents below zero of all accounts and of the worst two
    down, up   : (k, STEPS) notional closed by a market move of so many steps of 0.5%
    odds       : (3,) billionths of accounts called within 1, 3, 7 days; overlap: (k, k) smaller of two sizes, summed
    squares    : (k,) sum over accounts of whole dollars squared, for concentration
    top, top_short : (cents, account) largest by gross, and by shortfall in their worst shock
    set_aside  : rows that could not be used, by reason; unknown: positions without history, by asset
    marginal   : (K, k) cents of shortfall that would not be there without that asset; halved (K,): the most that
                 halving one account takes off, merged by the larger
    sizes, sizes_long, sizes_short : accounts, cents long and short by the account's gross, ten rows a decade
    lost, lost_squares : cents below zero of each account in its worst shock, summed, and whole dollars squared
    unvalued   : cents of positions without history, where the file says their value
    remarks    : positions or accounts that were judged, and how, by reason
    """

    assets: tuple[str, ...]
    shocks: int
    scenarios: int
    accounts: int = 0
    positions: int = 0
    empty: int = 0
    closed_now: int = 0
    below_zero: int = 0
    equity: int = 0
    gross: int = 0
    requirement: int = 0
    maintenance: int = 0
    es: int = 0
    lost: int = 0
    lost_squares: int = 0
    unvalued: int = 0
    near: int = 0
    bands: Any = None
    band_notional: Any = None
    long: Any = None
    short_side: Any = None
    closed: Any = None
    notional: Any = None
    shortfall: Any = None
    forced: Any = None
    short: Any = None
    largest: Any = None
    second: Any = None
    down: Any = None
    up: Any = None
    squares: Any = None
    odds: Any = None
    overlap: Any = None
    marginal: Any = None
    halved: Any = None
    sizes: Any = None
    sizes_long: Any = None
    sizes_short: Any = None
    top: list[tuple[int, str]] = field(default_factory=list)
    top_short: list[tuple[int, str]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    differences: Counter[int] = field(default_factory=Counter)

    SIZES = (
        ("bands", ("b",)), ("band_notional", ("b",)), ("long", ("k",)), ("short_side", ("k",)), ("closed", ("K",)),
        ("notional", ("K",)), ("shortfall", ("K",)), ("forced", ("K", "k")), ("short", ("S",)), ("largest", ("S",)),
        ("second", ("S",)), ("down", ("k", "t")), ("up", ("k", "t")), ("squares", ("k",)),
        ("odds", ("d",)), ("overlap", ("k", "k")), ("marginal", ("K", "k")), ("halved", ("K",)), ("sizes", ("s",)),
        ("sizes_long", ("s",)), ("sizes_short", ("s",)),
    )  # fmt: skip
    SUMS = (
        "accounts", "positions", "empty", "closed_now", "below_zero", "equity", "gross", "requirement", "maintenance",
        "es", "near", "lost", "lost_squares", "unvalued",
    )  # fmt: skip

    def __post_init__(self) -> None:
        size = {
            "b": len(BANDS) + 1,
            "k": len(self.assets),
            "K": self.shocks,
            "S": self.scenarios,
            "t": STEPS,
            "d": HORIZONS,
            "s": GROSS_ROWS,
        }
        for name, dims in self.SIZES:
            if getattr(self, name) is None:
                setattr(self, name, np.zeros([size[d] for d in dims], dtype=object))

    def merge(self, other: "AuditSummary") -> "AuditSummary":
        """The summary of both parts; neither is changed. Raises ValueError when they are of different plans."""
        if (self.assets, self.shocks, self.scenarios) != (other.assets, other.shocks, other.scenarios):
            raise ValueError("summaries of different plans cannot be merged")
        out = AuditSummary(assets=self.assets, shocks=self.shocks, scenarios=self.scenarios)
        for name in self.SUMS:
            setattr(out, name, getattr(self, name) + getattr(other, name))
        for name, _ in self.SIZES:
            setattr(out, name, getattr(self, name) + getattr(other, name))
        four = np.sort(np.stack([self.largest, self.second, other.largest, other.second]), axis=0)
        out.largest, out.second = four[3], four[2]
        out.halved = np.maximum(self.halved, other.halved)
        out.top, out.top_short = _best(self.top + other.top), _best(self.top_short + other.top_short)
        for name in ("unknown", "set_aside", "remarks", "differences"):
            setattr(out, name, getattr(self, name) + getattr(other, name))
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives back an equal summary: what a stopped run is resumed from."""
        out: dict[str, Any] = {"assets": list(self.assets), "shocks": self.shocks, "scenarios": self.scenarios}
        out |= {name: getattr(self, name) for name in self.SUMS}
        out |= {name: getattr(self, name).tolist() for name, _ in self.SIZES}
        out |= {"top": self.top, "top_short": self.top_short}
        return out | {
            name: list(getattr(self, name).items()) for name in ("unknown", "set_aside", "remarks", "differences")
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "AuditSummary":
        """The summary that `to_dict` wrote."""
        kept = dict(data)
        kept["assets"] = tuple(kept["assets"])
        for name, _ in cls.SIZES:
            kept[name] = np.array(kept[name], dtype=object)
        for name in ("top", "top_short"):
            kept[name] = [(int(amount), str(account)) for amount, account in kept[name]]
        for name in ("unknown", "set_aside", "remarks", "differences"):
            kept[name] = Counter(dict(kept[name]))
        return cls(**kept)

    def same_as(self, other: "AuditSummary") -> bool:
        """Whether both hold the same figures, bit for bit."""
        return self.to_dict() == other.to_dict()


def _best(rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The largest, ties by name, so that the order of merging does not matter."""
    return sorted(rows, key=lambda row: (-row[0], row[1]))[:TOP]
