"""Coinbase Advanced: at most 300 candles a call, more is an error (its own documents say 350), newest first."""

from typing import Any

from tests.exchange_server.prices import COINS, price

HOSTS = ("api.coinbase.com",)
ASSETS = [a for a in COINS if a not in ("BNB", "LUNA", "USDC", "HYPE")]
MOST = 300
STEPS = {"ONE_HOUR": 3_600_000, "ONE_DAY": 86_400_000}


def where(path: str, body: Any) -> str:
    return "candles" if path.endswith("/candles") else "markets" if "products" in path or "/v2/" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    path = ask.path
    if path.endswith("/market/products"):
        perpetual = ask.query.get("product_type") == "FUTURE"
        return 200, {
            "products": [] if perpetual else [_product(a, ask.now_ms) for a in ask.listed(ASSETS)],
            "num_products": len(ASSETS),
        }
    if path.endswith("/candles"):
        asset = path.split("/")[-2].removesuffix("-USD")
        if asset not in ASSETS:
            return 404, {"error": "NOT_FOUND", "error_details": "valid product_id is required", "message": "valid"}
        step = STEPS[ask.query["granularity"]]
        start, end = int(ask.query["start"]) * 1000, int(ask.query["end"]) * 1000
        if (end - start) // step > MOST:
            text = "number of candles requested should be at most 300"
            return 400, {"error": "INVALID_ARGUMENT", "error_details": text, "message": text}
        rows = ask.candles(asset, start, end, step)
        names = ("open", "high", "low", "close", "volume")
        data = [
            {"start": str(r[0] // 1000), **{n: f"{x:.8g}" for n, x in zip(names, r[1:], strict=True)}} for r in rows
        ]
        return 200, {"candles": data[::-1]}
    if path.endswith("/product_book"):
        asset = ask.query["product_id"].removesuffix("-USD")
        last = price(asset, ask.now_ms)
        sides = {
            s: [{"price": f"{last * (1 + g * 0.0001 * i):.8g}", "size": "1"} for i in range(1, 20)]
            for s, g in (("asks", 1), ("bids", -1))
        }
        return 200, {"pricebook": {"product_id": f"{asset}-USD", **sides, "time": "2026-01-01T00:00:00Z"}}
    if path.endswith("/ticker"):
        asset = path.split("/")[-2].removesuffix("-USD")
        last = f"{price(asset, ask.now_ms):.8g}"
        trade = {
            "trade_id": "1",
            "product_id": f"{asset}-USD",
            "price": last,
            "size": "1",
            "time": "2026-01-01T00:00:00Z",
            "side": "BUY",
        }
        return 200, {"trades": [trade], "best_bid": last, "best_ask": last}
    if "/market/products/" in path:
        return 200, _product(path.split("/")[-1].removesuffix("-USD"), ask.now_ms)
    if path.endswith(("/currencies", "/currencies/crypto")):
        return 200, {"data": []}
    if path.endswith("/exchange-rates"):
        return 200, {"data": {"currency": "USD", "rates": {}}}
    raise KeyError(path)


def _product(asset: str, now_ms: int) -> dict[str, Any]:
    return {
        "product_id": f"{asset}-USD", "price": f"{price(asset, now_ms):.8g}", "price_percentage_change_24h": "0",
        "volume_24h": "100", "base_increment": "0.00000001", "quote_increment": "0.0001", "quote_min_size": "1",
        "quote_max_size": "50000000", "base_min_size": "0.00000001", "base_max_size": "1000000", "base_name": asset,
        "quote_name": "US Dollar", "watched": False, "is_disabled": False, "new": False, "status": "online",
        "cancel_only": False, "limit_only": False, "post_only": False, "trading_disabled": False,
        "auction_mode": False, "product_type": "SPOT", "quote_currency_id": "USD", "base_currency_id": asset,
        "price_increment": "0.0001", "view_only": False,
    }  # fmt: skip
