"""Hyperliquid: maintenance margin is half the initial margin at the highest leverage, tier by tier."""

from functools import cached_property

from margin.venues.perpetuals import PerpetualVenue
from margin.venues.tiers import Tier, tiers_of

BORROW_OFFSET = 20.0  # USDC
THRESHOLD = 0.95


def leverage_tiers(rows: list[list[float]]) -> tuple[Tier, ...]:
    """Tiers from (lower notional, highest leverage): the maintenance rate is 1 / (2 x leverage)."""
    uppers = [row[0] for row in rows[1:]] + [None]
    return tiers_of([(low, up, 1.0 / (2.0 * lev), lev) for (low, lev), up in zip(rows, uppers, strict=True)])


def portfolio_ratio(
    cross_maintenance: float, borrowed_value: float, balance: float, borrow_cap: float, supply_cap: float, ltv: float,
    price: float = 1.0,
) -> tuple[float, float, bool]:  # fmt: skip
    """(requirement USD, liquidation value USD, whether it is liquidated) of the venue's portfolio margin, in alpha.

    requirement = 20 USDC + cross maintenance + borrowed value; liquidation value = balance + min(borrow cap,
    min(balance, supply cap) x oracle x (0.5 + 0.5 LTV)); liquidated above a ratio of 0.95.
    """
    requirement = BORROW_OFFSET + cross_maintenance + borrowed_value
    value = balance + min(borrow_cap, min(balance, supply_cap) * price * (0.5 + 0.5 * ltv))
    return requirement, value, requirement / value > THRESHOLD


class Hyperliquid(PerpetualVenue):
    name = "hyperliquid"
    rule = "leverage_tiers"
    collateral_assets = frozenset({"USDC", "USD"})

    def tiers(self, asset: str) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {asset: leverage_tiers(rows) for asset, rows in self.parameters["leverage_tiers"].items()}


RULEBOOK = Hyperliquid()
