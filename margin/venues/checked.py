"""What `check` answers: figures of ours beside the venue's, and what a match is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from margin.core.account import Account

RELATIVE = 1e-5
CENT = 0.005  # USD, half a cent
OF_A_PRICE = 1e-3  # half a cent counts for a price only while it is less than this share of it


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure, ours beside the venue's, USD or coins; None: no such price on either side.

    difference : ours - venue's, None where either is None
    matched : within 1e-5 relative or half a cent
    """

    ours: float | None
    venue: float | None
    matched: bool

    @property
    def difference(self) -> float | None:
        """Ours less the venue's; None where either is not there."""
        return None if self.ours is None or self.venue is None else self.ours - self.venue

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"ours": self.ours, "venue": self.venue, "difference": self.difference, "matched": self.matched}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One account. figures: by key of `venue_says`; per_symbol: by key and symbol; notes: what was left out."""

    account: Account
    model: str
    figures: Mapping[str, Figure]
    per_symbol: Mapping[str, Mapping[str, Figure]]
    notes: tuple[str, ...]

    @cached_property
    def all(self) -> tuple[Figure, ...]:
        """Every figure compared."""
        return (*self.figures.values(), *(f for rows in self.per_symbol.values() for f in rows.values()))

    @property
    def compared(self) -> int:
        """How many figures were compared."""
        return len(self.all)

    @property
    def matched(self) -> int:
        """How many of them match."""
        return sum(f.matched for f in self.all)

    def to_dict(self) -> dict[str, Any]:
        """The figures by key, then how many matched of how many compared, and the notes."""
        out: dict[str, Any] = {key: f.to_dict() for key, f in self.figures.items()}
        for key, rows in self.per_symbol.items():
            out[key] = {symbol: f.to_dict() for symbol, f in rows.items()}
        return {**out, "matched": self.matched, "compared": self.compared, "notes": list(self.notes)}


def money(ours: float, venue: float, turned: float) -> Figure:
    """An amount, USD or coins at `turned` USD each."""
    close = abs(ours - venue) <= max(RELATIVE * abs(venue), CENT / turned)
    return Figure(ours=float(ours), venue=venue, matched=bool(close))


def price(ours: float | None, venue: float | None) -> Figure:
    """A liquidation price beside the venue's; none on both sides is a match."""
    if ours is None or venue is None:
        return Figure(ours=ours, venue=venue, matched=ours is venue)
    close = abs(ours - venue) <= max(RELATIVE * abs(venue), min(CENT, OF_A_PRICE * abs(venue)))
    return Figure(ours=float(ours), venue=venue, matched=bool(close))
