"""Kraken spot: pairs under their own names (XXBTZUSD), the newest 720 candles whatever `since` says."""

from typing import Any

from tests.exchange_server.prices import BASE, price

HOSTS = ("api.kraken.com",)
ASSETS = [a for a in BASE if a not in ("BNB", "LUNA")]
OLD_NAMES = {"BTC": "XXBT", "ETH": "XETH", "LTC": "XLTC", "XRP": "XXRP", "DOGE": "XXDG"}
ALT_NAMES = {"BTC": "XBT", "DOGE": "XDG"}


def where(path: str, body: Any) -> str:
    return "candles" if path.endswith("/OHLC") else "markets" if "/Asset" in path else "other"


def pair_id(asset: str) -> str:
    return f"{OLD_NAMES[asset]}ZUSD" if asset in OLD_NAMES else f"{ALT_NAMES.get(asset, asset)}USD"


def asset_id(asset: str) -> str:
    return OLD_NAMES.get(asset, asset)


def _find(text: str) -> str:
    by_id = {pair_id(a): a for a in ASSETS} | {f"{ALT_NAMES.get(a, a)}USD": a for a in ASSETS}
    return by_id[text]


def answer(ask: Any) -> tuple[int, Any]:
    endpoint = ask.path.rsplit("/", 1)[-1]
    if endpoint == "AssetPairs":
        return 200, {"error": [], "result": {pair_id(a): _pair(a) for a in ASSETS}}
    if endpoint == "Assets":
        listed = {asset_id(a): _asset(ALT_NAMES.get(a, a)) for a in ASSETS} | {"ZUSD": _asset("USD")}
        return 200, {"error": [], "result": listed}
    if endpoint == "SystemStatus":
        return 200, {"error": [], "result": {"status": "online", "timestamp": "2026-01-01T00:00:00Z"}}
    if endpoint not in ("OHLC", "Ticker", "Depth"):
        raise KeyError(endpoint)
    try:
        asset = _find(ask.query["pair"])
    except KeyError:
        return 200, {"error": ["EQuery:Unknown asset pair"]}
    name = pair_id(asset)
    if endpoint == "OHLC":
        step = int(ask.query.get("interval", "1")) * 60_000
        rows = ask.candles(asset, (ask.now_ms // step - 719) * step, ask.now_ms, step)
        data = [
            [t // 1000, *(f"{x:.7g}" for x in (o, h, lo, c)), f"{c:.7g}", f"{v:.8f}", 100] for t, o, h, lo, c, v in rows
        ]
        return 200, {"error": [], "result": {name: data, "last": rows[-2][0] // 1000 if len(rows) > 1 else 0}}
    last = price(asset, ask.now_ms)
    if endpoint == "Ticker":
        quote = [f"{last:.7g}", "1", "1.000"]
        both = [f"{last:.7g}"] * 2
        ticker = {
            "a": quote,
            "b": quote,
            "c": [f"{last:.7g}", "0.1"],
            "v": both,
            "p": both,
            "t": [1, 1],
            "l": both,
            "h": both,
        }
        return 200, {"error": [], "result": {name: {**ticker, "o": f"{last:.7g}"}}}
    levels = [
        [f"{last * (1 + s * 0.0001 * i):.8g}", f"{i * 0.5:.3f}", 1_700_000_000] for s in (1, -1) for i in range(1, 26)
    ]
    return 200, {"error": [], "result": {name: {"asks": levels[:25], "bids": levels[25:]}}}


def _pair(asset: str) -> dict[str, Any]:
    alt = ALT_NAMES.get(asset, asset)
    return {
        "altname": f"{alt}USD", "wsname": f"{alt}/USD", "aclass_base": "currency", "base": asset_id(asset),
        "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5, "pair_decimals": 6,
        "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3], "leverage_sell": [2, 3],
        "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD", "margin_call": 80,
        "margin_stop": 40, "ordermin": "0.0001", "costmin": "0.5", "tick_size": "0.000001", "status": "online",
    }  # fmt: skip


def _asset(name: str) -> dict[str, Any]:
    return {"aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5, "status": "enabled"}
