"""Drift v2: weighted deposits and borrows beside perpetuals whose ratio grows with size."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from margin.core.account import SubAccount
from margin.core.instruments import parse_symbol
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.accounts import is_dollar
from margin.venues.base import CollateralValue, Lines, Mode, PositionMargin, Slider, VenueMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate
from margin.venues.rules import drift_arithmetic as rules


class Drift(PerpetualVenue):
    """Drift, as it was until April 2026."""

    name = "drift"
    rule = "perpetuals"
    one = "coin"
    collateral_assets = frozenset({"USDC", "USD"})
    mode_notes: ClassVar = {
        "cross": ("Ratios and weights are those of the protocol's unit tests: live ones are kept on chain.",),
        "isolated": ("Ratios are those of the protocol's unit tests: live ones are kept on chain.",),
    }
    sliders = (
        Slider(
            key="leverage_cap", title="My own leverage cap", low=1.0, high=20.0, default=20.0, step=1.0, unit="x",
            help="For opening only.",
        ),
        Slider(
            key="average", title="Five-minute average of coins over their price", low=0.8, high=1.2, default=1.0,
            step=0.01, help="For opening a deposit counts at the lower of the two, a borrow at the higher.",
        ),
        Slider(
            key="deposits", title="The protocol's deposits of a coin over their limit", low=0.0, high=5.0, default=0.0,
            step=0.1, unit="x", help="Beyond 1 its weight for opening falls in proportion.",
        ),
    )  # fmt: skip

    def _repaid(self, row: CollateralValue, shortage: int, dollars: int, lines: Lines) -> None:
        """How much of a borrowed coin a liquidator repays at once, and the dollars taken for it."""
        source, fees = self.parameters.source("liquidation"), self.parameters["liquidation"]
        price, owed, premium = int(row.price * 1e6), int(-row.quantity * 1e9), 1_000_000 + fees["liquidator_fee"]
        weight = round(row.counted_maintenance / row.market_value * rules.ONE)
        needed = rules.borrow_to_repay(
            shortage, (rules.ONE, 1_000_000), (weight, 2_000_000 - premium), fees["highest_insurance_fee"], price
        )
        most = rules.borrow_repaid_by(dollars, 1_000_000, 2_000_000 - premium, price)
        part = min(owed, most, owed if needed is None else needed)
        paid = rules.dollars_for(part, 1_000_000, 2_000_000 - premium, price, dollars)
        lines.add(f"{row.asset} borrowed: repaid at once", f"{part / 1e9:,.6g} for", paid / 1e6, source, "note")

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        found = self.parameters["perpetuals"].get(asset)
        return None if found is None else one_rate(found[1] / rules.ONE, rules.ONE / found[0])

    def tiered(self, position: Position) -> bool:
        """Whether a position's rate grows with its size."""
        return False

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        weights = self.parameters["token_weights"].get(asset)
        if mode == "isolated" or weights is None:
            return super().counted(asset, quantity, price, mode, settings)
        size, imf = int(np.max(np.abs(quantity)) * 1e9), self.parameters["size_factors"].get(asset, 0)
        low, high = rules.strict(price, price * settings["average"])
        opening = rules.deposit_scaled(round(weights[0][0] * rules.ONE), settings["deposits"], 1.0)
        supplied = [rules.size_discount(size, imf, w) / rules.ONE for w in (opening, round(weights[1][0] * rules.ONE))]
        owed = [rules.size_premium(size, imf, round(pair[1] * rules.ONE)) / rules.ONE for pair in weights]
        at = np.where(np.greater_equal(quantity, 0), low, high)
        held, debt = rules.balance(quantity * at, supplied[0], owed[0], 1.0 / settings["leverage_cap"])
        kept, due = rules.balance(quantity * price, supplied[1], owed[1])
        return held - debt, kept - due, f"{asset} counts at {supplied[1]:.0%} against liquidation."

    def reckon(
        self, book: SubAccount, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> VenueMargin:
        """The account's figures, with lines where they are wanted."""
        found = super().reckon(book, marks, mode, settings, lines)
        if not lines.wanted or found.equity >= found.maintenance:
            return found
        self._liquidation(found, lines)
        return replace(found, lines=tuple(lines.kept))

    def _liquidation(self, found: VenueMargin, lines: Lines) -> None:
        """How much of each position makes good the shortage, and the insurance fund's fee on it."""
        source, fees = self.parameters.source("liquidation"), self.parameters["liquidation"]
        shortage = int((found.maintenance - found.equity) * 1e6)
        dollars = int(sum(c.market_value for c in found.collateral if c.market_value > 0 and is_dollar(c.asset)) * 1e6)
        for owed in found.collateral:
            if owed.market_value < 0 and not is_dollar(owed.asset) and dollars:
                self._repaid(owed, shortage, dollars, lines)
        for row in found.positions:
            price = int(row.notional / abs(row.quantity) * 1e6)
            ratio = round((row.maintenance_rate or 0.0) * rules.ONE)
            size = int(abs(row.quantity) * 1e9)
            fee = rules.insurance_fee(
                shortage, size, ratio, fees["liquidator_fee"], price, fees["highest_insurance_fee"]
            )
            base = rules.base_to_liquidate(shortage, ratio, fees["liquidator_fee"], fee, price)
            part = size if base is None else min(base, size)
            how = f"{part / 1e9:,.6g} {parse_symbol(row.symbol).base} make good {shortage / 1e6:,.2f}"
            lines.add(f"{row.symbol}: liquidated at once", how, part / 1e9 * price / 1e6, source, "note")
            lines.add(f"{row.symbol}: to the insurance fund", f"{fee / 1e6:.2%} of it", None, source, "note")

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """Initial and maintenance margin of one position."""
        printed = position.maintenance_rate or 0.0
        known = (round(2 * printed * rules.ONE), round(printed * rules.ONE), 0)
        initial, maintenance, imf = self.parameters["perpetuals"].get(position.underlying, known)
        price = marks.contract(position.instrument)
        size = int(abs(position.quantity) * 1e9)
        ratios = [
            rules.margin_ratio(size, imf, (initial, maintenance), kind) / rules.ONE
            for kind in ("initial", "maintenance")
        ]
        ratios[0] = max(ratios[0], 1.0 / min(position.leverage or settings["leverage_cap"], settings["leverage_cap"]))
        amounts = [rules.perpetual_margin(position.quantity, price, ratio) for ratio in ratios]
        notional = abs(position.quantity) * price
        if not lines.wanted:
            return PositionMargin(
                symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
                maintenance=amounts[1],
            )  # fmt: skip
        source = self.parameters.source("perpetuals")
        for word, ratio, amount in zip(("initial", "maintenance"), ratios, amounts, strict=True):
            lines.add(f"{position.symbol}: {word}", f"{notional:,.2f} x {ratio:.2%}", amount, source, word)
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
            maintenance=amounts[1], initial_rate=ratios[0], maintenance_rate=ratios[1],
        )  # fmt: skip


RULEBOOK = Drift()
