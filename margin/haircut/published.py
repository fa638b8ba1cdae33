"""Venues' published haircuts, for comparison with ours: figures with their source and date, as read once."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from margin.core.errors import InputError
from margin.haircut.tiers import Tier, tiered_haircut

FILE = Path(__file__).with_name("published_haircuts.json")
KINDS = ("published", "published example", "documentation example", "test parameters")


@dataclass(frozen=True, kw_only=True)
class PublishedHaircut:
    """One asset at one venue.

    kind  : published, or an example or test parameter that the venue shows without saying it is live
    unit  : of the tiers' sizes: USD, coin, or unknown; date: of publication, None where the source has none
    rates : of the slices in order; tiers: the same with their sizes, () where those are not known
    """

    venue: str
    asset: str
    kind: str
    unit: str
    date: str | None
    rates: tuple[float, ...]
    tiers: tuple[Tier, ...]
    source: str
    note: str

    def at(self, size_usd: float, price: float) -> float | None:
        """Haircut of a holding of `size_usd`, the asset at `price` USD; None where the slices' sizes are not known.

        The first slice's rate for a size of 0.
        """
        if size_usd == 0:
            return self.rates[0]
        if not self.tiers:
            return None
        if not price > 0:
            raise InputError("price", price, "must be above 0")
        return tiered_haircut(self.tiers, size_usd / price if self.unit == "coin" else size_usd)


@cache
def published_haircuts() -> tuple[PublishedHaircut, ...]:
    """All of them, in the file's order."""
    return tuple(_one(row) for row in _data()["haircuts"])


@cache
def not_found() -> tuple[dict[str, str], ...]:
    """Venues whose haircuts could not be found: venue, what is missing, the formula that is known."""
    return tuple(_data()["not_found"])


def read_on() -> str:
    """Date on which the figures were read."""
    return str(_data()["read"])


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def _one(row: dict[str, Any]) -> PublishedHaircut:
    known = row["tiers"][0][0] is not None
    tiers = tuple(Tier(start, end, rate) for start, end, rate in row["tiers"]) if known else ()
    rates = tuple(float(rate) for _, _, rate in row["tiers"])
    return PublishedHaircut(
        venue=row["venue"],
        asset=row["asset"],
        kind=row["kind"],
        unit=row["unit"],
        date=row["date"],
        rates=rates,
        tiers=tiers,
        source=row["source"],
        note=row["note"],
    )
