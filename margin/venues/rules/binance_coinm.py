"""Binance COIN-M: coin-settled contracts in a wallet for each coin; brackets count coins.

Source: Binance FAQ "How to calculate liquidation price of COIN-M futures contracts" and "Leverage and margin in
coin-margined futures contracts".
"""

from typing import ClassVar

from margin.venues.families.coin_wallets import CoinWallets


class BinanceCoinM(CoinWallets):
    """Binance's coin-settled contracts."""

    name = "binance_coinm"
    rule = "brackets"
    closed: ClassVar[bool] = True


RULEBOOK = BinanceCoinM()
