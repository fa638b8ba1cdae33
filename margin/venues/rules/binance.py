"""Binance USD-M futures: brackets per contract; isolated, cross, and portfolio margin that nets collateral only."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier, tiers_of


def cross_liquidation_price(
    wallet: float, other_maintenance: float, other_pnl: float, quantity: float, entry: float, rate: float, cum: float
) -> float:
    """The venue's own formula, one-way mode: (WB - TMM + UPNL + cum - q E) / (|q| mmr - q); quantity signed.

    Source: Binance support, "How to calculate liquidation price of USD-M futures contracts".
    """
    return (wallet - other_maintenance + other_pnl + cum - quantity * entry) / (abs(quantity) * rate - quantity)


def hedged_liquidation_price(
    wallet: float, other_maintenance: float, other_pnl: float, legs: tuple[tuple[float, float, float, float], ...]
) -> float:
    """The one price at which both legs of a contract are closed in hedge mode.

    legs : (signed quantity, entry, rate, cum) of each side; the one-way leg's terms, added up
    """
    top = wallet - other_maintenance + other_pnl + sum(cum - q * price for q, price, _, cum in legs)
    return top / sum(abs(q) * rate - q for q, _, rate, _ in legs)


def deductions(first: float, rows: tuple[tuple[float, float], ...]) -> list[float]:
    """Cumulative deductions from (floor, rate) of the levels after one with rate `first`."""
    out, total, before = [], 0.0, first
    for floor, rate in rows:
        total += floor * (rate - before)
        out.append(total)
        before = rate
    return out


def portfolio_value(net: float, price: float, rate: float) -> float:
    """USD that portfolio margin counts of a net asset: min(net x price x rate, net x price), so debts count in full."""
    return min(net * price * rate, net * price)


UNI_MMR_LIQUIDATION = 1.05  # equity / maintenance margin at which liquidation starts


class Binance(PerpetualVenue):
    name = "binance"
    rule = "brackets"
    closed = True
    mode_notes: ClassVar = {"portfolio": ("It nets collateral only: the futures' margins are still added up.",)}
    modes: ClassVar[tuple[Mode, ...]] = ("isolated", "cross", "portfolio")
    sliders = (
        Slider(
            "coin_rate", "Collateral rate of coins (portfolio margin)", 0.0, 1.0, 0.0, 0.05, "",
            "Binance shows it to account holders only: look yours up. At 0 coins count for nothing.",
        ),
    )  # fmt: skip

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        if mode != "portfolio" or asset in self.collateral_assets:
            return super().counted(asset, quantity, price, mode, settings)
        rate = settings["coin_rate"]
        value = portfolio_value(quantity, price, rate)
        why = f"{asset} counts at {rate:.0%}, the rate set by you; the venue shows its own to account holders only."
        return value, value, why

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        initial, maintenance = super().totals(portfolio, marks, mode, rows, lines)
        if mode != "portfolio":
            return initial, maintenance
        formula = f"{maintenance:,.2f} x {UNI_MMR_LIQUIDATION:g}"
        raised = maintenance * UNI_MMR_LIQUIDATION
        lines.add("Liquidated at uniMMR 105%", formula, raised, self.parameters.source("uni_mmr"), "maintenance")
        return initial, raised

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.parameters["brackets"].items()}


RULEBOOK = Binance()
