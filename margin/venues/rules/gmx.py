"""GMX v2: every position isolated with its own collateral, liquidated below a share of its size.

Source: gmx-io/gmx-synthetics, contracts/position/PositionUtils.sol and config/markets.ts, commit 09bd535231ce.
"""

from collections.abc import Mapping
from typing import ClassVar

from margin.core.portfolio import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider
from margin.venues.families.perpetuals import FIRST_LEVERAGE, PerpetualVenue
from margin.venues.families.tiers import Tier


def open_interest_factor(open_interest: float, multiplier: float) -> float:
    """Share of a position's size that its collateral must be at least, from the side's open interest in USD."""
    return open_interest * multiplier


def liquidatable(
    size_usd: float, entry: float, price: float, collateral: float, collateral_price: float, factor: float,
    least_usd: float = 1.0, costs: float = 0.0,
) -> bool:  # fmt: skip
    """Whether a long of `size_usd` opened at `entry` is liquidated at `price`; a short has a negative size.

    remaining = collateral x price + PnL - costs; liquidated below `least_usd`, at or below 0, or below size x factor
    """
    remaining = collateral * collateral_price + size_usd * (price / entry - 1.0) - costs
    return remaining < least_usd or remaining <= 0 or remaining < abs(size_usd) * factor


class Gmx(PerpetualVenue):
    name = "gmx"
    rule = "factors"
    modes: ClassVar[tuple[Mode, ...]] = ("isolated",)
    sliders = (
        Slider(
            "open_interest", "Open interest of the side", 0.0, 300.0, 0.0, 10.0, "million USD",
            "For opening: the larger of the base factor and open interest x 6e-11.",
        ),
    )  # fmt: skip

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        factor = self.parameters["factors"].get(asset)
        return None if factor is None else (Tier(0.0, None, factor, 1.0 / factor, 0.0),)

    def position_margin(
        self, position: Position, marks: Marks, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        source = self.parameters.source(self.rule)
        base = self.parameters["factors"][position.underlying]
        notional = abs(position.quantity) * marks.price(position.underlying)
        fee = notional * self.parameters["liquidation_fee"]
        multiplier = self.parameters["open_interest_multiplier"].get(position.underlying, 0.0)
        opening = max(base, open_interest_factor(settings["open_interest"] * 1e6, multiplier))
        rate = max(opening, 1.0 / min(position.leverage or FIRST_LEVERAGE, 1.0 / base))
        kept = max(notional * base, self.parameters["least_collateral"]) + fee
        initial = max(notional * rate, kept)
        lines.add(f"{position.symbol}: initial", f"{notional:,.2f} x {rate:.3%}", initial, source, "initial")
        formula = f"{notional:,.2f} x {base:.2%} + fee {fee:,.2f}"
        lines.add(f"{position.symbol}: maintenance", formula, kept, source, "maintenance")
        return PositionMargin(position.symbol, position.quantity, notional, initial, kept, "", rate, base)


RULEBOOK = Gmx()
