"""Bybit's coin-settled contracts: the unified account's rules, with risk limits that count coins.

Source: Bybit help centre, "How to calculate liquidation price (inverse contract)" and "Risk limit (inverse contract)".
"""

from typing import ClassVar

from margin.core.account import SubAccount
from margin.venues.families.perpetuals import settlement_coins
from margin.venues.families.tiers import Tiers
from margin.venues.rules.bybit import Bybit


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

    def in_full(self, book: SubAccount, asset: str) -> bool:
        """Whether an asset counts without a haircut."""
        return book.isolated and asset in settlement_coins(book)


RULEBOOK = BybitInverse()
