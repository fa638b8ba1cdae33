"""Synthetix v3 perpetuals: the margin ratio grows linearly with the position's share of the market's skew scale.

Source: Synthetixio/synthetix-v3, markets/perps-market, PerpsMarketConfiguration.sol, commit 0e68fe2c9fa1.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate


def margins(
    size: float, price: Any, skew_scale: float, fraction: float, least: float, scalar: float, flat: float
) -> tuple[Any, Any]:
    """(initial, maintenance) USD: notional x (|size| / skew scale x fraction + least) + flat; maintenance x scalar."""
    notional = abs(size) * price
    ratio = abs(size) / skew_scale * fraction + least
    return notional * ratio + flat, notional * ratio * scalar + flat


def fill_price(oracle: Any, size: float, skew_scale: float, skew: float = 0.0) -> Any:
    """USD at which a trade of `size` fills: the oracle's price with half the trade's own premium."""
    return oracle * (1.0 + (skew + size / 2.0) / skew_scale)


class Synthetix(PerpetualVenue):
    """Synthetix v3 perpetuals: rates that grow with skew."""

    name = "synthetix"
    rule = "markets"
    one = "coin"
    modes: ClassVar[tuple[Mode, ...]] = ("cross",)
    mode_notes: ClassVar = {
        "cross": ("Market parameters are those of the protocol's tests of 2024, far smaller markets than live ones.",)
    }

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        market = self.parameters["markets"].get(asset)
        return None if market is None else one_rate(market["least"] * market["scalar"], 1.0 / market["least"])

    def tiered(self, position: Position) -> bool:
        """Whether a position's rate grows with its size."""
        return False

    def refusal(self, position: Position) -> tuple[str, bool]:
        """A maintenance rate alone says nothing of the skew scale."""
        known = self.tiers(position.underlying) is not None
        why = super().refusal(position)
        return why if known or why[0] else (f"the market of {position.underlying} is not reproduced here", True)

    def position_margin(
        self, position: Position, marks: Marks, mode: Mode, settings: Mapping[str, float], lines: Lines
    ) -> PositionMargin:
        """Initial and maintenance margin of one position."""
        market, price = self.parameters["markets"][position.underlying], marks.contract(position.instrument)
        amounts = margins(position.quantity, price, **market)
        notional = abs(position.quantity) * price
        if not lines.wanted:
            return PositionMargin(
                symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
                maintenance=amounts[1],
            )  # fmt: skip
        source = self.parameters.source("markets")
        ratio = (amounts[0] - market["flat"]) / notional
        for word, scale, amount in zip(("initial", "maintenance"), (1.0, market["scalar"]), amounts, strict=True):
            formula = f"{notional:,.2f} x {ratio * scale:.3%} + {market['flat']:,.0f}"
            lines.add(f"{position.symbol}: {word}", formula, amount, source, word)
        fill = fill_price(price, position.quantity, market["skew_scale"])
        words = f"{position.quantity:,.8g} x ({price:,.2f} - {fill:,.2f})"
        lost = position.quantity * (price - fill)
        lines.add(f"{position.symbol}: lost by opening it now in a balanced market", words, lost, source, "note")
        share = abs(position.quantity) / market["skew_scale"]
        return PositionMargin(
            symbol=position.symbol, quantity=position.quantity, notional=notional, initial=amounts[0],
            maintenance=amounts[1], tier=f"{share:.2%} of the skew scale", initial_rate=ratio,
            maintenance_rate=ratio * market["scalar"],
        )  # fmt: skip

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """The sums, and what the liquidator is paid."""
        initial, maintenance = super().totals(book, marks, mode, rows, lines)
        notional, ratio = sum(r.notional for r in rows), self.parameters["liquidation_reward_ratio"]
        if lines.wanted:
            source = self.parameters.source("liquidation_reward_ratio")
            lines.add("Liquidation reward", f"{notional:,.2f} x {ratio:.0%}", notional * ratio, source)
        return initial + notional * ratio, maintenance + notional * ratio


RULEBOOK = Synthetix()
