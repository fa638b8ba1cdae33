"""Which assets there are, what each is called where, and which exchange to ask first."""

import os
import re
from collections.abc import Iterable

from data.exchange.pagination import KEPT
from data.model import Interval
from margin.core.errors import InputError, did_you_mean

EXCHANGES = ("kraken", "coinbase", "okx", "binance", "bybit", "kucoin", "binanceusdm", "hyperliquid")
YAHOO = "yahoo"
SOURCES = (*EXCHANGES, YAHOO)

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

PERPETUAL_ONLY = {"binanceusdm": "USDT", "hyperliquid": "USDC", "krakenfutures": "USD"}

_ASSET = re.compile(r"[A-Z0-9][A-Z0-9.\-^=]{0,19}")


def check_asset(text: str) -> str:
    """The asset in upper case. InputError for what cannot be one, and for the dollar, whose price is always 1."""
    asset = str(text).strip().upper()
    if not _ASSET.fullmatch(asset.removeprefix("^")):
        raise InputError("assets", text, "is not an asset", "Name coins and tickers like BTC, ETH, SPY.")
    if asset == "USD":
        raise InputError("assets", text, "is the unit of every price and is not fetched", "Leave it out.")
    return asset


def check_exchanges(names: Iterable[str] | None) -> tuple[str, ...]:
    """The sources to ask, in order; all exchanges when None is given. "yahoo" may be one of them."""
    if names is None:
        return EXCHANGES
    chosen = tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    for name in chosen:
        if name not in SOURCES:
            hint = did_you_mean(name, SOURCES) or f"Known: {', '.join(SOURCES)}."
            raise InputError("exchanges", name, "is not a source Margin Lab reads", hint)
    if not chosen:
        raise InputError("exchanges", names, "names none", f"Known: {', '.join(SOURCES)}.")
    return chosen


def candidates(exchange: str, asset: str) -> list[str]:
    """Symbols that give the asset's dollar price on an exchange, best first: USD, then dollar stablecoins."""
    if exchange in PERPETUAL_ONLY:
        quote = PERPETUAL_ONLY[exchange]
        return [f"{asset}/{quote}:{quote}"]
    return [f"{asset}/{quote}" for quote in ("USD", "USDT", "USDC") if quote != asset]


def order_for(asset: str, sources: tuple[str, ...], candles: int) -> list[str]:
    """Whom to ask, best first: an exchange that keeps too few candles comes after those that reach back far enough.

    Not so for a stablecoin: a short series against the real dollar says more about its peg than a long one against
    another stablecoin, and comes first; the longer one is put before it.
    """
    if asset in FUNDS:
        return [YAHOO]
    if asset in STABLECOINS:
        return list(sources)
    reaching = [s for s in sources if KEPT.get(s, candles + 1) > candles]  # one of those kept is still unfinished
    return [*reaching, *(s for s in sources if s not in reaching)]


def step_ms(interval: Interval) -> int:
    """Milliseconds of one candle."""
    return {"1d": 86_400_000, "1h": 3_600_000}[interval]


def is_offline() -> bool:
    """Whether MARGIN_OFFLINE forbids the network."""
    return os.environ.get("MARGIN_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")
