"""Bybit: isolated, and the unified account's cross margin with tiered collateral; linear perpetuals.

Source: Bybit help centre, "Liquidation price calculation under isolated mode" and "Maintenance margin (USDT contract)".
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Lines, Mode, PositionMargin, Slider
from margin.venues.families.perpetuals import FIRST_LEVERAGE, Basis, PerpetualVenue
from margin.venues.families.tiers import Tiers, sliced, tiers_of


def bankruptcy_price(
    quantity: float, entry: Any, leverage: float, posted: float | None = None, fee: float = 0.0
) -> Any:
    """USD at which the position's own margin is gone: what its leverage asks, or what was posted, fee included.

    posted : USD; then q (p - entry) + posted - |q| p fee = 0
    """
    side = 1.0 if quantity > 0 else -1.0
    if posted is None:
        return entry * (1.0 - side / leverage)
    return max((abs(quantity) * entry - side * posted) / (abs(quantity) * (1.0 - side * fee)), 0.0)


class Bybit(PerpetualVenue):
    """Bybit unified trading account: risk limits and collateral ratios."""

    name = "bybit"
    coin_settled: ClassVar[str] = "bybit_inverse"
    rule = "risk_limits"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    valued: ClassVar[bool] = True
    closed = True
    mode_notes: ClassVar = {
        "cross": (
            "Portfolio margin is not offered here: its contingencies, initial-margin factor and volatility shocks "
            "are not published.",
        )
    }
    sliders = (
        Slider(
            key="taker_fee", title="My taker fee", low=0.0, high=0.002, default=0.00055, step=0.00005, unit="",
            help="Kept back to close at the bankruptcy price; 0.055% for accounts without a discount.",
        ),
    )  # fmt: skip

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset)

    def basis(self, mode: Mode, marks: Marks) -> tuple[Basis, Basis]:
        """Cross margins are taken at mark since November 2025, before at entry; isolated initial margin at entry."""
        if marks.as_of < pd.Timestamp(self.parameters["at_mark_since"]):
            return "entry", "entry"
        return ("entry", "mark") if mode == "isolated" else ("mark", "mark")

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """Taker fee on the value at the bankruptcy price."""
        fee, (until, older) = settings["taker_fee"], self.parameters["older_taker_fee"]
        if fee == self.parameters["taker_fee"] and marks.as_of <= pd.Timestamp(until):
            fee = older
        leverage = position.leverage or FIRST_LEVERAGE
        entry = accounts.entry(position, marks)
        return abs(position.quantity) * bankruptcy_price(position.quantity, entry, leverage, position.margin, fee) * fee

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for maintenance, for initial, note): what a collateral amount counts for, USD."""
        rows = self.parameters["collateral_ratios"].get(asset)
        if mode != "cross" or rows is None or np.any(np.less_equal(quantity, 0)):
            return super().counted(asset, quantity, price, mode, settings)
        value = sliced(rows, quantity) * price
        return value, value, f"{asset} counts slice by slice, from {rows[0][2]:.0%} down."

    def printed_price(self, position: Position, price: float, long: bool, marks: Marks) -> float:
        """A cross account's dollars are spread over the quantity as if they were what the contract settles in.

        Source: the account of 2025-10-02 that held USDT at 1.000686.
        """
        i, mark = position.instrument, marks.contract(position.instrument)
        if i.is_inverse or position.mode == "isolated" or position.margin_posted:
            return price
        return mark - (mark - price) * marks.prices.get(str(i.settle), 1.0)

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """The sums; beside cross margin also the loss that portfolio margin would start from, as far as published."""
        for asset, positions in accounts.of_underlying(accounts.margined(book)).items() if lines.wanted else ():
            reach = self.parameters["portfolio_range"].get(asset)
            if mode == "cross" and reach is not None:
                net = sum(p.quantity for p in positions) * marks.price(asset)
                label, source = f"{asset}: where portfolio margin starts", self.parameters.source("portfolio_range")
                lines.add(label, f"largest loss within {reach:.0%}", abs(net) * reach, source, "note")
        return super().totals(book, marks, mode, rows, lines)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        return {asset: tiers_of(rows, closed=self.closed) for asset, rows in self.carried.items()}


RULEBOOK = Bybit()
