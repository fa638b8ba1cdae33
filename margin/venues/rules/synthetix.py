"""Synthetix v3 perpetuals: the margin ratio grows linearly with the position's share of the market's skew scale.

Source: Synthetixio/synthetix-v3, markets/perps-market, PerpsMarketConfiguration.sol, commit 0e68fe2c9fa1.
"""

from collections.abc import Mapping
from typing import ClassVar

from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tier


def margins(
    size: float, price: float, skew_scale: float, fraction: float, least: float, scalar: float, flat: float
) -> tuple[float, float]:
    """(initial, maintenance) USD: notional x (|size| / skew scale x fraction + least) + flat; maintenance x scalar."""
    notional = abs(size) * price
    ratio = abs(size) / skew_scale * fraction + least
    return notional * ratio + flat, notional * ratio * scalar + flat


def fill_price(oracle: float, size: float, skew_scale: float, skew: float = 0.0) -> float:
    """USD at which a trade of `size` fills: the oracle's price with half the trade's own premium."""
    return oracle * (1.0 + (skew + size / 2.0) / skew_scale)


class Synthetix(PerpetualVenue):
    name = "synthetix"
    rule = "markets"
    modes: ClassVar[tuple[Mode, ...]] = ("cross",)
    mode_notes: ClassVar = {
        "cross": ("Market parameters are those of the protocol's tests of 2024, far smaller markets than live ones.",)
    }

    def tiers(self, asset: str, inverse: bool = False) -> tuple[Tier, ...] | None:
        market = self.parameters["markets"].get(asset)
        return (
            None if market is None else (Tier(0.0, None, market["least"] * market["scalar"], 1 / market["least"], 0.0),)
        )

    def position_margin(
        self, position: Position, marks: Marks, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        market, source = self.parameters["markets"][position.underlying], self.parameters.source("markets")
        price = marks.price(position.underlying)
        amounts = margins(position.quantity, price, **market)
        notional = abs(position.quantity) * price
        ratio = (amounts[0] - market["flat"]) / notional if notional else 0.0
        for word, scale, amount in zip(("initial", "maintenance"), (1.0, market["scalar"]), amounts, strict=True):
            formula = f"{notional:,.2f} x {ratio * scale:.3%} + {market['flat']:,.0f}"
            lines.add(f"{position.symbol}: {word}", formula, amount, source, word)
        share = abs(position.quantity) / market["skew_scale"]
        return PositionMargin(
            position.symbol, position.quantity, notional, *amounts, f"{share:.2%} of the skew scale", ratio,
            ratio * market["scalar"],
        )  # fmt: skip

    def totals(
        self, portfolio: Portfolio, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[float, float]:
        """The sums, and what the liquidator is paid."""
        initial, maintenance = super().totals(portfolio, marks, mode, rows, lines)
        notional, ratio = sum(r.notional for r in rows), self.parameters["liquidation_reward_ratio"]
        source = self.parameters.source("liquidation_reward_ratio")
        lines.add("Liquidation reward", f"{notional:,.2f} x {ratio:.0%}", notional * ratio, source)
        return initial + notional * ratio, maintenance + notional * ratio


RULEBOOK = Synthetix()
