"""Drift v2: weighted deposits and borrows beside perpetuals whose ratio grows with size."""

from collections.abc import Mapping
from typing import ClassVar

from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider
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
            key="leverage_cap",
            title="My own leverage cap",
            low=1.0,
            high=20.0,
            default=20.0,
            step=1.0,
            unit="x",
            help="For opening only.",
        ),
    )

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        found = self.parameters["perpetuals"].get(asset)
        return None if found is None else one_rate(found[1] / rules.ONE, rules.ONE / found[0])

    def tiered(self, position: Position) -> bool:
        return False

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        weights = self.parameters["token_weights"].get(asset)
        if mode == "isolated" or weights is None:
            return super().counted(asset, quantity, price, mode, settings)
        value = quantity * price
        initial, maintenance = (rules.weighted(value, *pair) for pair in weights)
        return initial, maintenance, f"{asset} counts at {weights[1][0]:.0%} against liquidation."

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
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
