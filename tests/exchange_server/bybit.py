"""Bybit v5: at most 1,000 candles between start and end, newest first."""

from typing import Any

from tests.exchange_server.prices import COINS, mark, price

HOSTS = ("api.bybit.com",)
ASSETS = [a for a in COINS if a not in ("USDT", "DAI")]
STEPS = {"60": 3_600_000, "D": 86_400_000}


def where(path: str, body: Any) -> str:
    if path.endswith("/tickers"):
        return "marks"
    return "candles" if path.endswith("/kline") else "markets" if "instruments-info" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    endpoint, query = ask.path.rsplit("/", 1)[-1], ask.query
    if endpoint == "instruments-info":
        kind = query["category"]
        listed = [_instrument(a, kind) for a in ask.listed(ASSETS)] if kind in ("spot", "linear") else []
        return 200, _ok({"category": kind, "list": listed, "nextPageCursor": ""}, ask)
    if endpoint == "risk-limit":
        return 200, _ok({"category": "linear", "list": _risk_limits(query["symbol"]), "nextPageCursor": ""}, ask)
    if endpoint == "tickers" and "symbol" not in query:
        rows = [
            {
                "symbol": f"{a}USDT", "lastPrice": f"{price(a, ask.now_ms):.8g}",
                "markPrice": f"{mark(a, ask.now_ms):.8g}", "indexPrice": f"{price(a, ask.now_ms):.8g}",
                "openInterestValue": "1", "fundingRate": "0.0001",
            }
            for a in ask.listed(ASSETS)
        ]  # fmt: skip
        return 200, _ok({"category": query["category"], "list": ask.marked(rows, "markPrice")}, ask)
    asset = query["symbol"].removesuffix("USDT")
    if asset not in ASSETS:
        return 200, {
            "retCode": 10001,
            "retMsg": "Not supported symbols",
            "result": {},
            "retExtInfo": {},
            "time": ask.now_ms,
        }
    if endpoint == "kline":
        step = STEPS[query["interval"]]
        most = min(int(query.get("limit", 200)), 1000)
        end = int(query.get("end", ask.now_ms))
        rows = ask.candles(asset, int(query.get("start", end - most * step)), end, step)[-most:]
        data = [[str(t), *(f"{x:.8g}" for x in (o, h, lo, c, v)), f"{v * c:.8g}"] for t, o, h, lo, c, v in rows]
        return 200, _ok({"category": query["category"], "symbol": query["symbol"], "list": data[::-1]}, ask)
    last = price(asset, ask.now_ms)
    if endpoint == "tickers":
        text = f"{last:.8g}"
        names = ("lastPrice", "bid1Price", "ask1Price", "prevPrice24h", "highPrice24h", "lowPrice24h")
        ticker = {
            "symbol": query["symbol"],
            **dict.fromkeys(names, text),
            "volume24h": "1",
            "turnover24h": "1",
            "price24hPcnt": "0",
            "bid1Size": "1",
            "ask1Size": "1",
        }
        return 200, _ok({"category": query["category"], "list": [ticker]}, ask)
    if endpoint == "orderbook":
        if int(query.get("limit", 1)) > (200 if query["category"] == "spot" else 500):
            return 200, {"retCode": 10001, "retMsg": "params error: limit invalid", "result": {}, "time": ask.now_ms}
        sides = {
            s: [[f"{last * (1 + g * 0.0001 * i):.8g}", "1"] for i in range(1, 21)] for s, g in (("a", 1), ("b", -1))
        }
        return 200, _ok({"s": query["symbol"], **sides, "ts": ask.now_ms, "u": 1, "seq": 1}, ask)
    if endpoint == "history":
        step = 8 * 3_600_000
        end = int(query.get("endTime", ask.now_ms))
        start = int(query.get("startTime", end - 200 * step))
        times = list(range(-(-start // step) * step, end + 1, step))[-min(int(query.get("limit", 200)), 200) :]
        rows = [
            {"symbol": query["symbol"], "fundingRate": "0.0001", "fundingRateTimestamp": str(t)} for t in times[::-1]
        ]
        return 200, _ok({"category": "linear", "list": rows}, ask)
    raise KeyError(endpoint)


def _risk_limits(symbol: str) -> list[dict[str, Any]]:
    tiers = ((2_000_000, 0.005, 0.01, 100), (2_600_000, 0.0056, 0.0111, 90), (3_200_000, 0.0063, 0.0125, 80))
    return [
        {
            "id": i + 1,
            "symbol": symbol,
            "riskLimitValue": str(value),
            "maintenanceMargin": str(maintenance),
            "initialMargin": str(initial),
            "isLowestRisk": int(i == 0),
            "maxLeverage": f"{leverage:.2f}",
            "mmDeduction": "",
        }
        for i, (value, maintenance, initial, leverage) in enumerate(tiers)
    ]


def _ok(result: dict, ask: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": ask.now_ms}


def _instrument(asset: str, kind: str) -> dict[str, Any]:
    common = {
        "symbol": f"{asset}USDT",
        "baseCoin": asset,
        "quoteCoin": "USDT",
        "status": "Trading",
        "priceFilter": {"tickSize": "0.0001"},
    }
    if kind == "spot":
        lot = {
            "basePrecision": "0.00001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.0001",
            "maxOrderQty": "100",
            "minOrderAmt": "1",
            "maxOrderAmt": "1000000",
        }
        return {**common, "innovation": "0", "marginTrading": "both", "lotSizeFilter": lot}
    lot = {"maxOrderQty": "100", "minOrderQty": "0.001", "qtyStep": "0.001", "minNotionalValue": "5"}
    leverage = {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"}
    return {
        **common, "contractType": "LinearPerpetual", "launchTime": "1584230400000", "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": "2", "leverageFilter": leverage, "lotSizeFilter": lot, "settleCoin": "USDT",
        "fundingInterval": 480,
    }  # fmt: skip
