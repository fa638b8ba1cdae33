"""Deribit: the public ticker of an option, with its mark price and mark volatility."""

import re
from typing import Any

from tests.exchange_server.prices import price

HOSTS = ("www.deribit.com", "test.deribit.com")
NAME = re.compile(r"(?P<base>[A-Z]+)(?:_USDC)?-\d{1,2}[A-Z]{3}\d{2}-(?P<strike>\d+)-(?P<type>[CP])")
MISSING = "99999"  # a strike that is listed and has no mark volatility


def where(path: str, body: Any) -> str:
    return "vols" if path.endswith("/public/ticker") else "other"


def mark_iv(base: str, strike: float, spot: float) -> float:
    """Percent: a smile around the spot price."""
    return round({"BTC": 50.0, "ETH": 65.0}.get(base, 90.0) + 40.0 * abs(strike / spot - 1.0), 2)


def answer(ask: Any) -> tuple[int, Any]:
    if not ask.path.endswith("/public/ticker"):
        raise KeyError(ask.path)
    name = ask.query.get("instrument_name", "")
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
