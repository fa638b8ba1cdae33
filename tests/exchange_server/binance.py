"""Binance spot and USD-M futures: at most 1,000 candles (1,500 on futures) forward from startTime."""

from typing import Any

from tests.exchange_server.prices import COINS, mark, price

HOSTS = ("api.binance.com", "fapi.binance.com")
ASSETS = [a for a in COINS if a not in ("USDT", "DAI", "HYPE")]
DEPTHS = (5, 10, 20, 50, 100, 500, 1000)  # what the futures depth takes; spot takes any up to 5,000
STEPS = {"1h": 3_600_000, "1d": 86_400_000}


def where(path: str, body: Any) -> str:
    if path.endswith("/premiumIndex"):
        return "marks"
    return "candles" if path.endswith("/klines") else "markets" if "exchangeInfo" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    endpoint, query = ask.path.rsplit("/", 1)[-1], ask.query
    futures = ask.host.startswith("fapi")
    if endpoint == "exchangeInfo":
        return 200, {
            "timezone": "UTC",
            "serverTime": ask.now_ms,
            "rateLimits": [],
            "symbols": [_symbol(a, futures) for a in ask.listed(ASSETS)],
        }
    if endpoint == "premiumIndex":
        rows = [
            {
                "symbol": f"{a}USDT", "markPrice": f"{mark(a, ask.now_ms):.8f}", "lastFundingRate": "0.0001",
                "indexPrice": f"{price(a, ask.now_ms):.8f}", "interestRate": "0.0001", "time": ask.now_ms,
                "nextFundingTime": ask.now_ms + 3_600_000,
            }
            for a in ask.listed(ASSETS)
        ]  # fmt: skip
        return 200, ask.marked(rows, "markPrice")
    asset = query["symbol"].removesuffix("USDT")
    if asset not in ASSETS:
        return 400, {"code": -1121, "msg": "Invalid symbol."}
    if endpoint == "klines":
        step = STEPS[query["interval"]]
        most = min(int(query.get("limit", 500)), 1500 if futures else 1000)
        end = int(query.get("endTime", ask.now_ms))
        if "startTime" in query:
            rows = ask.candles(asset, int(query["startTime"]), end, step)[:most]
        else:
            rows = ask.candles(asset, end - most * step, end, step)[-most:]
        return 200, [
            [t, *(f"{x:.8f}" for x in (o, h, lo, c, v)), t + step - 1, f"{v * c:.8f}", 100, "1", "1", "0"]
            for t, o, h, lo, c, v in rows
        ]
    last = price(asset, ask.now_ms)
    if endpoint == "24hr":
        text = f"{last:.8f}"
        names = (
            "lastPrice",
            "openPrice",
            "highPrice",
            "lowPrice",
            "weightedAvgPrice",
            "prevClosePrice",
            "bidPrice",
            "askPrice",
        )
        return 200, {
            "symbol": query["symbol"],
            **dict.fromkeys(names, text),
            "volume": "1",
            "quoteVolume": "1",
            "priceChange": "0",
            "priceChangePercent": "0",
            "closeTime": ask.now_ms,
            "openTime": ask.now_ms - 86_400_000,
        }
    if endpoint == "depth":
        if int(query.get("limit", 100)) not in (DEPTHS if futures else range(1, 5001)):
            return 400, {"code": -1130, "msg": "Data sent for parameter 'limit' is not valid."}
        sides = {
            s: [[f"{last * (1 + g * 0.0001 * i):.8f}", "2.0"] for i in range(1, 21)]
            for s, g in (("asks", 1), ("bids", -1))
        }
        return 200, {"lastUpdateId": 1, **sides}
    if endpoint == "fundingRate":
        step = 8 * 3_600_000
        start = -(-int(query.get("startTime", ask.now_ms - 100 * step)) // step) * step
        end = int(query.get("endTime", ask.now_ms))
        times = list(range(start, end + 1, step))[: min(int(query.get("limit", 100)), 1000)]
        return 200, [
            {"symbol": query["symbol"], "fundingTime": t, "fundingRate": "0.00010000", "markPrice": f"{last:.8f}"}
            for t in times
        ]
    raise KeyError(endpoint)


def _symbol(asset: str, futures: bool) -> dict[str, Any]:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.0001", "maxPrice": "1000000", "tickSize": "0.0001"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ]
    common = {
        "symbol": f"{asset}USDT", "status": "TRADING", "baseAsset": asset, "quoteAsset": "USDT", "filters": filters,
        "baseAssetPrecision": 8, "quotePrecision": 8, "orderTypes": ["LIMIT"], "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
    }  # fmt: skip
    if not futures:
        return common
    return {
        **common, "pair": f"{asset}USDT", "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "marginAsset": "USDT", "pricePrecision": 4, "quantityPrecision": 5, "underlyingType": "COIN",
    }  # fmt: skip
