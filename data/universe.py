"""Which assets there are and what they are called; whether the network may be used."""

import os
import re

from data.model import Interval
from margin.core.errors import InputError

CRYPTO = {
    "BTC": "Bitcoin", "ETH": "Ether", "SOL": "Solana", "BNB": "BNB", "XRP": "XRP", "ADA": "Cardano", "DOGE": "Dogecoin",
    "AVAX": "Avalanche", "LINK": "Chainlink", "LTC": "Litecoin", "DOT": "Polkadot", "UNI": "Uniswap", "AAVE": "Aave",
    "ATOM": "Cosmos", "PAXG": "Pax Gold", "TRX": "TRON", "BCH": "Bitcoin Cash", "NEAR": "NEAR", "POL": "Polygon",
    "ARB": "Arbitrum", "OP": "Optimism", "SUI": "Sui", "HYPE": "Hyperliquid", "XLM": "Stellar",
    "ETC": "Ethereum Classic",
    "FIL": "Filecoin", "ICP": "Internet Computer", "APT": "Aptos", "INJ": "Injective", "MKR": "Maker", "CRV": "Curve",
    "SHIB": "Shiba Inu", "PEPE": "Pepe", "TON": "Toncoin", "ALGO": "Algorand", "XMR": "Monero",
}  # fmt: skip
STABLECOINS = {"USDC": "USD Coin", "USDT": "Tether", "DAI": "Dai"}
FUNDS = {"SPY": "S&P 500 fund", "QQQ": "Nasdaq-100 fund", "GLD": "Gold fund", "TLT": "US Treasury 20+ years fund"}
NAMES = {**CRYPTO, **STABLECOINS, **FUNDS}

_ASSET = re.compile(r"[A-Z0-9][A-Z0-9.\-^=]{0,19}")


def check_asset(text: str) -> str:
    """The asset in upper case. InputError for what cannot be one, and for the dollar, whose price is always 1."""
    asset = str(text).strip().upper()
    if not _ASSET.fullmatch(asset.removeprefix("^")):
        raise InputError("assets", text, "is not an asset", "Name coins and tickers like BTC, ETH, SPY.")
    if asset == "USD":
        raise InputError("assets", text, "is the unit of every price and is not fetched", "Leave it out.")
    return asset


def step_ms(interval: Interval) -> int:
    """Milliseconds of one candle."""
    return {"1d": 86_400_000, "1h": 3_600_000}[interval]


def common_assets() -> frozenset[str] | None:
    """Assets that MARGIN_COMMON_ASSETS shows to every visitor beside the usual ones; None for `*`: all that is stored.

    Names are split by commas; what can't be an asset is passed over.
    """
    said = os.environ.get("MARGIN_COMMON_ASSETS", "").upper().strip()
    names = {name.strip() for name in said.split(",")}
    return None if said == "*" else frozenset(name for name in names if _ASSET.fullmatch(name.removeprefix("^")))


def is_offline() -> bool:
    """Whether MARGIN_OFFLINE forbids the network."""
    return os.environ.get("MARGIN_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")
