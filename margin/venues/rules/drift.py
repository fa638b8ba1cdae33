"""Drift v2: weighted deposits and borrows beside perpetuals whose ratio grows with size."""

from collections.abc import Mapping
from typing import ClassVar

from margin.core.portfolio import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier
from margin.venues.rules import drift_arithmetic as rules


class Drift(PerpetualVenue):
    name = "drift"
    rule = "perpetuals"
    collateral_assets = frozenset({"USDC", "USD"})
    mode_notes: ClassVar = {
        "cross": ("Ratios and weights are those of the protocol's unit tests: live ones are kept on chain.",),
        "isolated": ("Ratios are those of the protocol's unit tests: live ones are kept on chain.",),
    }
    sliders = (Slider("leverage_cap", "My own leverage cap", 1.0, 20.0, 20.0, 1.0, "x", "For opening only."),)

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        found = self.parameters["perpetuals"].get(asset)
        return None if found is None else (Tier(0.0, None, found[1] / rules.ONE, rules.ONE / found[0], 0.0),)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        weights = self.parameters["token_weights"].get(asset)
        if mode == "isolated" or weights is None:
            return super().counted(asset, quantity, price, mode, settings)
        value = quantity * price
        initial, maintenance = (
            rules.balance(value, asset_weight, liability)[0] - rules.balance(value, asset_weight, liability)[1]
            for asset_weight, liability in weights
        )
        return initial, maintenance, f"{asset} counts at {weights[1][0]:.0%} against liquidation."

    def position_margin(
        self, position: Position, marks: Marks, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        initial, maintenance, imf = self.parameters["perpetuals"][position.underlying]
        price, source = marks.price(position.underlying), self.parameters.source("perpetuals")
        size = int(abs(position.quantity) * 1e9)
        ratios = [
            rules.margin_ratio(size, imf, (initial, maintenance), kind) / rules.ONE
            for kind in ("initial", "maintenance")
        ]
        own = 1.0 / min(position.leverage or settings["leverage_cap"], settings["leverage_cap"])
        ratios[0] = max(ratios[0], own)
        amounts = [rules.perpetual_margin(position.quantity, price, ratio) for ratio in ratios]
        notional = abs(position.quantity) * price
        for word, ratio, amount in zip(("initial", "maintenance"), ratios, amounts, strict=True):
            lines.add(f"{position.symbol}: {word}", f"{notional:,.2f} x {ratio:.2%}", amount, source, word)
        return PositionMargin(
            position.symbol, position.quantity, notional, amounts[0], amounts[1], "", ratios[0], ratios[1]
        )


RULEBOOK = Drift()
