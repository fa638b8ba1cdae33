"""GMX v2: every position isolated with its own collateral, liquidated below a share of its size.

Source: gmx-io/gmx-synthetics, contracts/position/PositionUtils.sol and config/markets.ts, commit 09bd535231ce.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin, Slider
from margin.venues.families.perpetuals import FIRST_LEVERAGE, PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate


def open_interest_factor(open_interest: float, multiplier: float) -> float:
    """Share of a position's size that its collateral must be at least, from the side's open interest in USD."""
    return open_interest * multiplier


class Gmx(PerpetualVenue):
    """GMX v2: each position by itself."""

    name = "gmx"
    rule = "factors"
    modes: ClassVar[tuple[Mode, ...]] = ("isolated",)
    sliders = (
        Slider(
            key="open_interest",
            title="Open interest of the side",
            low=0.0,
            high=300.0,
            default=0.0,
            step=10.0,
            unit="million USD",
            help="For opening: the larger of the base factor and open interest x 6e-11.",
        ),
    )

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        factor = self.parameters["factors"].get(asset)
        return None if factor is None else one_rate(factor, 1.0 / factor)

    def tiered(self, position: Position) -> bool:
        """Whether a position's rate grows with its size."""
        return False

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """A market's own coin backs positions in it, beside dollars."""
        if asset in self.parameters["factors"]:
            return quantity * price, quantity * price, ""
        return super().counted(asset, quantity, price, mode, settings)

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """A position is its USD size at entry, whatever the price does; so are its least collateral and its fee."""
        printed = position.maintenance_rate
        base = printed if printed is not None else self.parameters["factors"][position.underlying]
        size, _ = self.sized(position, marks, "entry")
        fee = size * self.parameters["liquidation_fee"]
        multiplier = self.parameters["open_interest_multiplier"].get(position.underlying, 0.0)
        opening = max(base, open_interest_factor(settings["open_interest"] * 1e6, multiplier))
        rate = max(opening, 1.0 / min(position.leverage or FIRST_LEVERAGE, 1.0 / base if base else FIRST_LEVERAGE))
        kept = np.maximum(size * base, self.parameters["least_collateral"]) + fee
        initial = np.maximum(size * rate, kept)
        if not lines.wanted:
            return PositionMargin(
                symbol=position.symbol, quantity=position.quantity, notional=size, initial=initial, maintenance=kept
            )
        source, initial, kept = self.parameters.source(self.rule), float(initial), float(kept)
        lines.add(f"{position.symbol}: initial", f"{size:,.2f} x {rate:.3%}", initial, source, "initial")
        formula = f"{size:,.2f} x {base:.2%} + fee {fee:,.2f}"
        lines.add(f"{position.symbol}: maintenance", formula, kept, source, "maintenance")
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=size, initial=initial, maintenance=kept,
            initial_rate=rate, maintenance_rate=base,
        )  # fmt: skip


RULEBOOK = Gmx()
