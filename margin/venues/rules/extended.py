"""Extended (x10), the rule on chain: a position's risk factor follows its value by steps of one size, on the whole.

Source: x10xchange/starknet-perpetual, commit b132070a3a2b (2026-04-21): assets.cairo. An asset's tiers are given as
[first boundary, tier size, factors]; none is published, so positions carry what the venue prints for them.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from margin.venues.base import Mode
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, tiers_of


def risk_tiers(first: float, size: float, factors: Sequence[float]) -> Tiers:
    """The tiers of one asset: the first factor below `first` USD, the next ones every `size` USD, the last for ever."""
    edges = [0.0, *(first + i * size for i in range(len(factors) - 1)), None]
    rows = [(low, edges[i + 1], factors[i], 1.0 / factors[i]) for i, low in enumerate(edges[:-1])]
    return tiers_of(rows, whole=True)


class Extended(PerpetualVenue):
    """Extended's perpetuals: only with what the venue printed of them."""

    name = "extended"
    rule = "risk_factors"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    modes: ClassVar[tuple[Mode, ...]] = ("cross",)
    whole: ClassVar[bool] = True
    one = "net"
    collateral_assets = frozenset({"USDC", "USD"})

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: risk_tiers(*given) for asset, given in self.carried.items()}


RULEBOOK = Extended()
