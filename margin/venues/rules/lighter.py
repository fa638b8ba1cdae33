"""Lighter: three fractions a market, of initial, maintenance and close-out margin, whatever the size.

Source: docs.lighter.xyz, "Liquidations and LLP insurance fund"; fractions from orderBookDetails.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues.base import Lines, Mode, PositionMargin
from margin.venues.families.perpetuals import PerpetualVenue
from margin.venues.families.tiers import Tiers, one_rate

UNIT = 10_000  # fractions are published in ten-thousandths


def zero_price(mark: float, quantity: float, fraction: float, value: float, maintenance: float) -> float:
    """USD at which a liquidation order leaves the account's ratio of value to maintenance margin as it is.

    fraction : the market's maintenance fraction; value, maintenance : of the account, USD
    """
    side = 1.0 if quantity > 0 else -1.0
    return mark * (1.0 - side * fraction * value / maintenance)


class Lighter(PerpetualVenue):
    """Lighter's perpetuals."""

    name = "lighter"
    rule = "fractions"
    summed: ClassVar[tuple[Mode, ...]] = ("cross",)
    one = "coin"
    collateral_assets = frozenset({"USDC", "USD"})
    mode_notes: ClassVar = {"isolated": ("Isolated at Lighter means an account of its own on the margin allocated.",)}

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        row = self.carried.get(asset)
        return None if row is None else one_rate(row[2] / UNIT, UNIT / row[0])

    def initial_rate(self, position: Position, leverage: Any, settings: Mapping[str, float]) -> Any:
        """The larger of the market's least fraction and the account's own; its default where none is chosen."""
        row = self.carried.get(position.underlying)
        if position.leverage is None and row is not None:
            return row[1] / UNIT
        return super().initial_rate(position, leverage, settings)

    def totals(
        self, book: SubAccount, marks: Marks, mode: Mode, rows: list[PositionMargin], lines: Lines
    ) -> tuple[Any, Any]:
        """The sums; beside them the close-out margin and each position's zero price."""
        initial, maintenance = super().totals(book, marks, mode, rows, lines)
        if lines.wanted and mode == "cross" and maintenance > 0:
            self._explain(book, marks, rows, maintenance, lines)
        return initial, maintenance

    def _explain(
        self, book: SubAccount, marks: Marks, rows: Sequence[PositionMargin], maintenance: float, lines: Lines
    ) -> None:
        source = self.parameters.source(self.rule)
        held = {p.symbol: p for p in book.positions}
        wallet = sum(c.quantity * marks.price(c.asset) for c in book.collateral if c.asset in self.collateral_assets)
        value = wallet + sum(marks.unrealised(p) for p in book.positions)
        kept = 0.0
        for row in rows:
            asset, mark = held[row.symbol].underlying, marks.contract(held[row.symbol].instrument)
            close_out = (self.carried.get(asset) or (0, 0, 0, None))[3]
            kept += row.notional * (close_out or 0) / UNIT
            price = zero_price(mark, row.quantity, row.maintenance / row.notional, value, maintenance)
            text = f"{mark:,.8g} x (1 {'-' if row.quantity > 0 else '+'} share of what is left) = {price:,.8g}"
            lines.add(f"{row.symbol}: zero price, at which it would be closed now", text, None, source, "note")
        lines.add(
            "Close-out margin: below it the pool takes the account over", "sum over markets", kept, source, "note"
        )


RULEBOOK = Lighter()
