"""KuCoin: at most 1,500 candles between startAt and endAt, newest first, open-close-high-low order."""

from typing import Any

from tests.exchange_server.prices import BASE, price

HOSTS = ("api.kucoin.com", "api-futures.kucoin.com")
ASSETS = [a for a in BASE if a != "USDT"]
STEPS = {"1hour": 3_600_000, "1day": 86_400_000}


def where(path: str, body: Any) -> str:
    return (
        "candles"
        if "candles" in path or "kline" in path
        else "markets"
        if "symbols" in path or "contracts" in path
        else "other"
    )


def answer(ask: Any) -> tuple[int, Any]:
    endpoint, query = ask.path.rsplit("/", 1)[-1], ask.query
    if endpoint == "symbols":
        return 200, _ok([_symbol(a) for a in ASSETS])
    if endpoint == "candles":
        asset = query["symbol"].removesuffix("-USDT")
        if asset not in ASSETS:
            return 200, {"code": "400100", "msg": "symbol not exists"}
        step = STEPS[query["type"]]
        end = int(query.get("endAt", ask.now_ms // 1000)) * 1000
        start = int(query.get("startAt", end // 1000 - 1500 * step // 1000)) * 1000
        rows = ask.candles(asset, start, end - 1, step)[-1500:]  # endAt is excluded
        data = [[str(t // 1000), *(f"{x:.8g}" for x in (o, c, h, lo, v, v * c))] for t, o, h, lo, c, v in rows]
        return 200, _ok(data[::-1])
    if endpoint == "stats":
        last = f"{price(query['symbol'].removesuffix('-USDT'), ask.now_ms):.8g}"
        names = ("buy", "sell", "high", "low", "last", "averagePrice")
        return 200, _ok(
            {
                "time": ask.now_ms,
                "symbol": query["symbol"],
                **dict.fromkeys(names, last),
                "vol": "1",
                "volValue": "1",
                "changeRate": "0",
                "changePrice": "0",
            }
        )
    if endpoint.startswith("level2_"):
        last = price(query["symbol"].removesuffix("-USDT"), ask.now_ms)
        sides = {
            s: [[f"{last * (1 + g * 0.0001 * i):.8g}", "1"] for i in range(1, 21)]
            for s, g in (("asks", 1), ("bids", -1))
        }
        return 200, _ok({"time": ask.now_ms, "sequence": "1", **sides})
    raise KeyError(endpoint)


def _ok(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


def _symbol(asset: str) -> dict[str, Any]:
    return {
        "symbol": f"{asset}-USDT", "name": f"{asset}-USDT", "baseCurrency": asset, "quoteCurrency": "USDT",
        "feeCurrency": "USDT", "market": "USDS", "baseMinSize": "0.00001", "quoteMinSize": "0.1",
        "baseMaxSize": "10000000",
        "quoteMaxSize": "99999999", "baseIncrement": "0.00000001", "quoteIncrement": "0.000001",
        "priceIncrement": "0.0001",
        "priceLimitRate": "0.1", "minFunds": "0.1", "isMarginEnabled": True, "enableTrading": True, "st": False,
    }  # fmt: skip
