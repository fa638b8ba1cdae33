"""Deribit: the public ticker of an option, with its mark price and volatility, and of the perpetuals in USDC."""

import re
from typing import Any

from tests.exchange_server.prices import mark, price

HOSTS = ("www.deribit.com", "test.deribit.com")
NAME = re.compile(r"(?P<base>[A-Z]+)(?:_USDC)?-\d{1,2}[A-Z]{3}\d{2}-(?P<strike>\d+)-(?P<type>[CP])")
PERPETUALS = ("BTC", "ETH", "SOL", "XRP")  # in USDC
MISSING = "99999"  # a strike that is listed and has no mark volatility


def where(path: str, body: Any) -> str:
    return "vols" if path.endswith("/public/ticker") else "markets" if path.endswith("/get_instruments") else "other"


def mark_iv(base: str, strike: float, spot: float) -> float:
    """Percent: a smile around the spot price."""
    return round({"BTC": 50.0, "ETH": 65.0}.get(base, 90.0) + 40.0 * abs(strike / spot - 1.0), 2)


def answer(ask: Any) -> tuple[int, Any]:
    if ask.path.endswith("/public/get_instruments"):
        assert ask.query.get("kind") == "future", "thousands of options are not asked for"
        return 200, {
            "jsonrpc": "2.0",
            "result": [_perpetual(a) for a in ask.listed(list(PERPETUALS))],
            "testnet": False,
        }
    if not ask.path.endswith("/public/ticker"):
        raise KeyError(ask.path)
    name = ask.query.get("instrument_name", "")
    if name.endswith("_USDC-PERPETUAL"):
        asset = name.partition("_")[0]
        ticker = {
            "instrument_name": name, "last_price": price(asset, ask.now_ms), "mark_price": mark(asset, ask.now_ms),
            "index_price": price(asset, ask.now_ms), "state": "open", "timestamp": ask.now_ms, "stats": {},
        }  # fmt: skip
        return 200, {"jsonrpc": "2.0", "result": ask.marked([ticker], "mark_price")[0], "testnet": False}
    parts = NAME.fullmatch(name)
    if parts is None or parts["base"] not in ask.listed(["BTC", "ETH", "SOL"]):
        said = {"message": "Invalid params", "code": -32602, "data": {"reason": "instrument not found"}}
        return 400, {"jsonrpc": "2.0", "error": said, "testnet": False}
    spot = price(parts["base"], ask.now_ms)
    vol = mark_iv(parts["base"], float(parts["strike"]), spot) if parts["strike"] != MISSING else None
    result = {
        "instrument_name": name, "mark_iv": vol, "mark_price": 0.05, "index_price": spot, "underlying_price": spot,
        "last_price": None, "bid_iv": 0.0, "ask_iv": 0.0, "state": "open", "timestamp": ask.now_ms,
    }  # fmt: skip
    return 200, {"jsonrpc": "2.0", "result": result, "testnet": False}


def _perpetual(asset: str) -> dict[str, Any]:
    return {
        "instrument_name": f"{asset}_USDC-PERPETUAL", "kind": "future", "base_currency": asset, "quote_currency": "USDC",
        "settlement_currency": "USDC", "counter_currency": "USDC", "settlement_period": "perpetual", "is_active": True,
        "instrument_type": "linear", "contract_size": 0.001, "tick_size": 0.5, "min_trade_amount": 0.001,
        "expiration_timestamp": 32_503_708_800_000, "creation_timestamp": 1_500_000_000_000, "state": "open",
        "price_index": f"{asset.lower()}_usdc", "taker_commission": 0.0005, "maker_commission": 0.0, "max_leverage": 50,
    }  # fmt: skip
