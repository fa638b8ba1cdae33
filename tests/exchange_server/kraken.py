"""Kraken spot: pairs under their own names (XXBTZUSD), the newest 720 candles whatever `since` says."""

from typing import Any

from tests.exchange_server.prices import COINS, price

HOSTS = ("api.kraken.com",)
ASSETS = [a for a in COINS if a not in ("BNB", "LUNA", "HYPE")]
IN_USDT = ("BTC", "ETH")  # these trade against USDT too, there a little dearer, so that a mistaken pair shows
PREMIUM = 1.002
OLD_NAMES = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "DOGE": "XXDG"}
ALT_NAMES = {"BTC": "XBT", "DOGE": "XDG"}


def where(path: str, body: Any) -> str:
    return "candles" if path.endswith("/OHLC") else "markets" if "/Asset" in path else "other"


def pair_id(asset: str, quote: str = "USD") -> str:
    if quote == "USD" and asset in OLD_NAMES:
        return f"{OLD_NAMES[asset]}ZUSD"
    return f"{ALT_NAMES.get(asset, asset)}{quote}"


def asset_id(asset: str) -> str:
    return OLD_NAMES.get(asset, asset)


PAIRS = {pair_id(a): (a, "USD") for a in ASSETS} | {pair_id(a, "USDT"): (a, "USDT") for a in IN_USDT}


def answer(ask: Any) -> tuple[int, Any]:
    endpoint = ask.path.rsplit("/", 1)[-1]
    if endpoint == "AssetPairs":
        listed = ask.listed(ASSETS)
        return 200, {"error": [], "result": {name: _pair(name) for name, (a, _) in PAIRS.items() if a in listed}}
    if endpoint == "Assets":
        named = {asset_id(a): _asset(ALT_NAMES.get(a, a)) for a in ASSETS} | {"ZUSD": _asset("USD")}
        return 200, {"error": [], "result": named}
    if endpoint == "SystemStatus":
        return 200, {"error": [], "result": {"status": "online", "timestamp": "2026-01-01T00:00:00Z"}}
    if endpoint not in ("OHLC", "Ticker", "Depth"):
        raise KeyError(endpoint)
    names = ask.query["pair"].split(",")
    if not set(names) <= set(PAIRS) or (len(names) > 1 and endpoint != "Ticker"):
        return 200, {"error": ["EQuery:Unknown asset pair"]}
    if endpoint == "Ticker":
        return 200, {"error": [], "result": {name: _ticker(_price(name, ask.now_ms)) for name in names}}
    name = names[0]
    asset, quote = PAIRS[name]
    if endpoint == "OHLC":
        step = int(ask.query.get("interval", "1")) * 60_000
        rows = ask.candles(asset, (ask.now_ms // step - 719) * step, ask.now_ms, step)
        factor = 1.0 if quote == "USD" else PREMIUM
        data = [
            [t // 1000, *(f"{x * factor:.7g}" for x in (o, h, lo, c)), f"{c * factor:.7g}", f"{v:.8f}", 100]
            for t, o, h, lo, c, v in rows
        ]
        return 200, {"error": [], "result": {name: data, "last": rows[-2][0] // 1000 if len(rows) > 1 else 0}}
    if not 1 <= int(ask.query.get("count", 100)) <= 500:
        return 200, {"error": ["EGeneral:Invalid arguments"]}
    last = _price(name, ask.now_ms)
    levels = [
        [f"{last * (1 + s * 0.0001 * i):.8g}", f"{i * 0.5:.3f}", 1_700_000_000] for s in (1, -1) for i in range(1, 26)
    ]
    return 200, {"error": [], "result": {name: {"asks": levels[:25], "bids": levels[25:]}}}


def _price(name: str, ms: int) -> float:
    asset, quote = PAIRS[name]
    return price(asset, ms) * (1.0 if quote == "USD" else PREMIUM)


def _ticker(last: float) -> dict[str, Any]:
    text, best = f"{last:.7g}", [f"{last:.7g}", "1", "1.000"]
    ticker = {"a": best, "b": best, "c": [text, "0.1"], "v": ["1", "1"], "t": [1, 1], "o": text}
    return {**ticker, **dict.fromkeys(("p", "l", "h"), [text] * 2)}


def _pair(name: str) -> dict[str, Any]:
    asset, quote = PAIRS[name]
    alt = ALT_NAMES.get(asset, asset)
    return {
        "altname": f"{alt}{quote}", "wsname": f"{alt}/{quote}", "aclass_base": "currency", "base": asset_id(asset),
        "aclass_quote": "currency", "quote": "ZUSD" if quote == "USD" else quote, "lot": "unit", "cost_decimals": 5,
        "pair_decimals": 6, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3], "leverage_sell": [2, 3],
        "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD", "margin_call": 80,
        "margin_stop": 40, "ordermin": "0.0001", "costmin": "0.5", "tick_size": "0.000001", "status": "online",
    }  # fmt: skip


def _asset(name: str) -> dict[str, Any]:
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled"}
