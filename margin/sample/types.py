"""A labelled price set: closes, volumes, where each came from and what was noticed on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import pandas as pd

from margin.core.daily import HIGH, LOW
from margin.core.market import Market

# Freshness: fetched now; stored within its interval; stored and older; bundled; a user's file.
Status = Literal["live", "stored", "stale", "sample", "upload"]
Interval = Literal["1d", "1h"]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where one asset's prices come from. `fetched_at` is UTC and aware; None for the sample."""

    asset: str
    source: str
    symbol: str
    interval: Interval
    status: Status
    fetched_at: datetime | None
    first: datetime | None
    last: datetime | None
    rows: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that cleaning or reading noticed: `count` candles of `asset`, what it was and what was done."""

    asset: str
    kind: str  # "gap", "duplicate", "zero", "bad print", "unfinished", "delisted", "calendar", "refused", ...
    count: int
    first: datetime | None
    last: datetime | None
    action: str  # what was done: "dropped", "kept", "left empty", ...
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class PriceSet:
    """Prices of several assets, ready for the engine.

    closes  : DataFrame [date x asset], USD; NaN where an asset has no close (never filled)
    volumes : DataFrame [date x asset], USD traded per candle; NaN where unknown
    version : short string that changes whenever the contents change (cache key)
    highs, lows : DataFrame [date x asset], USD, of the assets that have them; None where no asset has
    fine    : DataFrame [stamp x asset] of closes finer than the rows of `closes`, of the assets that have them, or None
    """

    closes: pd.DataFrame
    volumes: pd.DataFrame
    provenance: dict[str, Provenance]
    findings: tuple[Finding, ...] = ()
    version: str = ""
    failures: dict[str, str] = field(default_factory=dict)
    highs: pd.DataFrame | None = None
    lows: pd.DataFrame | None = None
    fine: pd.DataFrame | None = None

    def market(self) -> Market:
        """The prices as the engine takes them. Raises InputError for what it refuses."""
        parts = [self.closes]
        parts += [t.add_suffix(end) for t, end in ((self.highs, HIGH), (self.lows, LOW)) if t is not None]
        table = pd.concat(parts, axis=1) if len(parts) > 1 else self.closes
        return Market(table, self.volumes, fine=self.fine)

    @property
    def assets(self) -> list[str]:
        """Assets in the order of the columns."""
        return list(self.closes.columns)

    @property
    def as_of(self) -> datetime | None:
        """The last date, UTC; None without prices."""
        return None if self.closes.empty else self.closes.index[-1].to_pydatetime().replace(tzinfo=UTC)

    @property
    def ended(self) -> set[str]:
        """Assets whose prices end before the others', or before a fetch that reached their source: no longer traded."""
        return {f.asset for f in self.findings if f.kind == "delisted"}

    def word_of(self, asset: str) -> str:
        """`ended`, else the status of its provenance: what may be said of how fresh the asset's prices are."""
        return "ended" if asset in self.ended else self.provenance[asset].status

    @property
    def is_sample(self) -> bool:
        """True where any series is of the bundled sample."""
        return any(p.status == "sample" for p in self.provenance.values())
