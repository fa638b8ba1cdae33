"""Hyperliquid: maintenance margin is half the initial margin at the highest leverage, tier by tier."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier, tiers_of

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
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    collateral_assets = frozenset({"USDC", "USD"})
    mode_notes: ClassVar = {
        "portfolio": (
            "Portfolio margin is in alpha and changing: coins lend value at a loan-to-value ratio up to the account's "
            "caps; perpetuals' margins are still added up.",
        )
    }

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        ltv = self.parameters["portfolio_ltv"].get(asset)
        if mode != "portfolio" or quantity <= 0 or ltv is None:
            return super().counted(asset, quantity, price, mode, settings)
        supply_cap, borrow_cap = self.parameters["portfolio_caps"][asset], self.parameters["portfolio_caps"]["borrow"]
        held = min(quantity, supply_cap)
        kept = min(borrow_cap, held * price * (0.5 + 0.5 * ltv))
        return min(borrow_cap, held * price * ltv), kept, f"{asset} lends {ltv:.0%} of its value, up to the caps."

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        initial, maintenance = super().totals(portfolio, marks, mode, rows, lines)
        if mode != "portfolio" or not rows:
            return initial, maintenance
        needed = (BORROW_OFFSET + maintenance) / THRESHOLD
        formula = f"(20 + {maintenance:,.2f}) / {THRESHOLD:g}"
        source = self.parameters.source("portfolio_ltv")
        lines.add("Liquidated at a ratio of 0.95", formula, needed, source, "maintenance")
        return max(initial, needed), needed  # nothing opens that would be liquidated at once

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {asset: leverage_tiers(rows) for asset, rows in self.parameters["leverage_tiers"].items()}


RULEBOOK = Hyperliquid()
