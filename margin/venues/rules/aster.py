"""Aster: Binance's formulas with its own brackets, which only account holders are shown.

Source: asterdex/api-docs, commit 265e024b22c0 (2026-06-30): brackets with maintMarginRatio and cum.
"""

from functools import cached_property
from typing import ClassVar

from margin.venues.base import Mode
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of


class Aster(PerpetualVenue):
    """Aster's perpetuals: only with what the venue printed of them."""

    name = "aster"
    rule = "brackets"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    closed: ClassVar[bool] = True

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.carried.items()}


RULEBOOK = Aster()
