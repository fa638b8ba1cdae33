"""Binance USD-M futures: brackets per contract, isolated and cross in single-asset mode."""

from functools import cached_property

from margin.venues.perpetuals import PerpetualVenue
from margin.venues.tiers import Tier, tiers_of


def cross_liquidation_price(
    wallet: float, other_maintenance: float, other_pnl: float, quantity: float, entry: float, rate: float, cum: float
) -> float:
    """The venue's own formula, one-way mode: (WB - TMM + UPNL + cum - q E) / (|q| mmr - q); quantity signed.

    Source: Binance support, "How to calculate liquidation price of USD-M futures contracts".
    """
    return (wallet - other_maintenance + other_pnl + cum - quantity * entry) / (abs(quantity) * rate - quantity)


class Binance(PerpetualVenue):
    name = "binance"
    rule = "brackets"

    def tiers(self, asset: str) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {asset: tiers_of(rows) for asset, rows in self.parameters["brackets"].items()}


RULEBOOK = Binance()
