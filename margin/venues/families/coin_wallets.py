"""What venues share that margin coin-settled contracts in a wallet of the coin itself: one wallet for each coin."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.venues import accounts
from margin.venues.base import Mode, Unsupported
from margin.venues.families.perpetuals import PerpetualVenue, settlement_coins
from margin.venues.families.tiers import Tiers, tiers_of


class CoinWallets(PerpetualVenue):
    """Perpetuals and futures settled in their coin; tiers count coins. A cross account is one coin's wallet."""

    linear: ClassVar[bool] = False
    inverse: ClassVar[bool] = True
    in_coins: ClassVar[bool] = True
    kinds: ClassVar[tuple[str, ...]] = ("perpetual", "future")
    collateral_assets: ClassVar[frozenset[str]] = frozenset()
    coin_wallets: ClassVar[tuple[Mode, ...]] = ("isolated", "cross")

    def tiers(self, asset: str, inverse: bool = False) -> Tiers | None:
        """The market's tiers; None where they are not reproduced here."""
        return self._tiers.get(asset) if inverse else None

    def supports(self, book: Portfolio | SubAccount, mode: Mode | None = None) -> tuple[Unsupported, ...]:
        """Also refused: contracts of another coin than the first one's, for they stand in another wallet."""
        found = super().supports(book, mode)
        out = {u.symbol for u in found}
        held = [p for p in accounts.margined(accounts.as_sub(book)) if p.symbol not in out]
        if mode == "isolated" or not held:
            return found
        coin = held[0].underlying
        why = f"contracts settled in another coin than {coin} have a wallet of their own here: take them apart"
        return found + tuple(Unsupported(symbol=p.symbol, reason=why, alone=True) for p in held if p.underlying != coin)

    def counted(
        self, asset: str, quantity: float, price: float, mode: Mode, settings: Mapping[str, float]
    ) -> tuple[float, float, str]:
        """(for opening, against liquidation, note): what a collateral amount counts for, USD."""
        return 0.0, 0.0, f"{asset} is not in the wallet of the contracts' coin: it counts for nothing."

    def in_full(self, book: SubAccount, asset: str) -> bool:
        """Whether an asset counts without a haircut."""
        return asset in settlement_coins(book)

    @cached_property
    def _tiers(self) -> dict[str, Tiers]:
        rows: Mapping[str, Any] = self.carried
        return {asset: tiers_of(table, whole=self.whole, closed=self.closed) for asset, table in rows.items()}
