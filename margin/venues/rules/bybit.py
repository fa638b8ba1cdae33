"""Bybit: isolated, and the unified account's cross margin with tiered collateral; linear perpetuals.

Source: Bybit help centre, "Liquidation price calculation under isolated mode" and "Maintenance margin (USDT contract)".
"""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import FIRST_LEVERAGE, PerpetualVenue
from margin.venues.families.tiers import Tier, sliced, tiers_of


def isolated_liquidation_price(
    quantity: float, entry: float, leverage: float, rate: float, deduction: float = 0.0, extra: float = 0.0,
    fee: float = 0.0,
) -> float:  # fmt: skip
    """USD at which an isolated position is closed; quantity signed, `extra` margin added to it.

    long: (E q - E q / L - extra / (1 - fee) - deduction) / (q - q rate); a short mirrors it.
    """
    side, size = (1.0 if quantity > 0 else -1.0), abs(quantity)
    room = size * entry / leverage + extra / (1.0 - fee) + deduction
    return (size * entry - side * room) / (size - side * size * rate)


def simple_liquidation_price(quantity: float, entry: float, leverage: float, rate: float) -> float:
    """The older help-centre form, still used elsewhere: E (1 -/+ 1/L +/- rate). Never lower than 0."""
    side = 1.0 if quantity > 0 else -1.0
    return max(entry * (1.0 - side / leverage + side * rate), 0.0)


def bankruptcy_price(quantity: float, entry: float, leverage: float) -> float:
    """USD at which the position's own margin is gone."""
    return entry * (1.0 - (1.0 if quantity > 0 else -1.0) / leverage)


def tiered_maintenance(value: float, rate: float, deduction: float) -> float:
    """value x rate - deduction, never below 0."""
    return max(value * rate - deduction, 0.0)


class Bybit(PerpetualVenue):
    name = "bybit"
    rule = "risk_limits"
    closed = True
    mode_notes: ClassVar = {
        "cross": (
            "Portfolio margin is not offered here: its contingencies, initial-margin factor and volatility shocks "
            "are not published.",
        )
    }

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        return self._tiers.get(asset)

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> float:
        """Taker fee on the value at the bankruptcy price."""
        leverage = position.leverage or FIRST_LEVERAGE
        price = bankruptcy_price(position.quantity, accounts.entry(position, marks), leverage)
        return abs(position.quantity) * price * self.parameters["taker_fee"]

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        rows = self.parameters["collateral_ratios"].get(asset)
        if mode != "cross" or rows is None or quantity <= 0:
            return super().counted(asset, quantity, price, mode, settings)
        value = sliced(rows, quantity) * price
        return value, value, f"{asset} counts slice by slice, from {rows[0][2]:.0%} down."

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        """The sums; beside cross margin also the loss that portfolio margin would start from, as far as published."""
        for asset, positions in accounts.of_underlying(accounts.of_kind(portfolio, "perpetual")).items():
            reach = self.parameters["portfolio_range"].get(asset)
            if mode == "cross" and reach is not None:
                net = sum(p.quantity for p in positions) * marks.price(asset)
                label, source = f"{asset}: where portfolio margin starts", self.parameters.source("portfolio_range")
                lines.add(label, f"largest loss within {reach:.0%}", abs(net) * reach, source, "note")
        return super().totals(portfolio, marks, mode, rows, lines)

    @cached_property
    def _tiers(self) -> dict[str, tuple[Tier, ...]]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.parameters["risk_limits"].items()}


RULEBOOK = Bybit()
