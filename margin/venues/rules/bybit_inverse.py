"""Bybit's coin-settled contracts: the unified account's rules, with risk limits that count coins.

Source: Bybit help centre, "How to calculate liquidation price (inverse contract)" and "Risk limit (inverse contract)".
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from margin.core.account import SubAccount
from margin.core.position import Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.families.perpetuals import FIRST_LEVERAGE, settlement_coins
from margin.venues.families.tiers import Tiers
from margin.venues.rules.bybit import Bybit


def coin_bankruptcy_price(
    face: float, entry: float, leverage: float, posted: float | None = None, fee: float = 0.0
) -> float:
    """USD at which an inverse position's own margin is gone: what its leverage asks, or coins posted, fee included.

    face : signed USD; posted : coins; then face (1 / entry - 1 / p) + posted - |face| fee / p = 0. Infinite where a
    short's coins exceed what it can lose.
    """
    side = 1.0 if face > 0 else -1.0
    if posted is None:
        return entry / (1.0 + side / leverage) if side > 0 or leverage > 1 else float("inf")
    left = face / entry + posted
    return face * (1.0 + side * fee) / left if left * side > 0 else float("inf")


class BybitInverse(Bybit):
    """Bybit's coin-settled contracts."""

    name = "bybit_inverse"
    coin_settled: ClassVar[str] = ""
    linear: ClassVar[bool] = False
    inverse: ClassVar[bool] = True
    in_coins: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("perpetual", "future")

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset) if inverse else None

    def closing_fee(self, position: Position, marks: Marks, settings: Mapping[str, float]) -> Any:
        """Taker fee, in coins, on the coins that the position is worth at its bankruptcy price."""
        entry = accounts.entry(position, marks)
        posted = position.margin_coin
        if posted is None and position.margin is not None:
            posted = position.margin / entry
        leverage = position.leverage or FIRST_LEVERAGE
        price = coin_bankruptcy_price(position.quantity, entry, leverage, posted, settings["taker_fee"])
        return abs(position.quantity) / price * settings["taker_fee"] * marks.contract(position.instrument)

    def in_full(self, book: SubAccount, asset: str) -> bool:
        """Whether an asset counts without a haircut."""
        return book.isolated and asset in settlement_coins(book)


RULEBOOK = BybitInverse()
