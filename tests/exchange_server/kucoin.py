"""KuCoin: at most 1,500 candles between startAt and endAt, newest first, open-close-high-low order; and its perpetuals."""

from typing import Any

from tests.exchange_server.prices import COINS, price

HOSTS = ("api.kucoin.com", "api-futures.kucoin.com")
ASSETS = [a for a in COINS if a not in ("USDT", "DAI")]
STEPS = {"1hour": 3_600_000, "1day": 86_400_000}
MULTIPLIER = 0.001  # coins per futures contract
FUNDING_PAGE = 100


def where(path: str, body: Any) -> str:
    if "candles" in path:
        return "candles"
    return "markets" if path.endswith(("/symbols", "/contracts/active")) else "other"


def answer(ask: Any) -> tuple[int, Any]:
    endpoint, query = ask.path.rsplit("/", 1)[-1], ask.query
    if ask.host == "api-futures.kucoin.com":
        return _futures(ask, endpoint)
    if endpoint == "symbols":
        return 200, _ok([_symbol(a) for a in ask.listed(ASSETS)])
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
    if endpoint in ("level2_20", "level2_100"):
        return 200, _ok({"time": ask.now_ms, "sequence": "1", **_sides(query["symbol"].removesuffix("-USDT"), ask)})
    raise KeyError(endpoint)


def _futures(ask: Any, endpoint: str) -> tuple[int, Any]:
    """Perpetuals: sizes in contracts, funding at most 100 payments a call, the newest first."""
    query = ask.query
    if endpoint == "active":
        return 200, _ok([_contract(a) for a in ask.listed(ASSETS)])
    asset = query["symbol"].removesuffix("USDTM").replace("XBT", "BTC")
    if endpoint in ("depth20", "depth100"):
        sides = {side: [[p, int(float(q) / MULTIPLIER)] for p, q in rows] for side, rows in _sides(asset, ask).items()}
        return 200, _ok({"symbol": query["symbol"], "sequence": 1, "ts": ask.now_ms * 1_000_000, **sides})
    if endpoint == "funding-rates":
        step = 8 * 3_600_000
        end = min(int(query["to"]), ask.now_ms)
        times = range(end // step * step, int(query["from"]) - 1, -step)[:FUNDING_PAGE]
        return 200, _ok([{"symbol": query["symbol"], "fundingRate": 0.0001, "timepoint": t} for t in times])
    raise KeyError(endpoint)


def _sides(asset: str, ask: Any) -> dict[str, list[list[str]]]:
    last = price(asset, ask.now_ms)
    return {
        side: [[f"{last * (1 + sign * 0.0001 * i):.8g}", "1"] for i in range(1, 21)]
        for side, sign in (("asks", 1), ("bids", -1))
    }


def _contract(asset: str) -> dict[str, Any]:
    name = asset.replace("BTC", "XBT")
    return {
        "symbol": f"{name}USDTM", "rootSymbol": "USDT", "type": "FFWCSX", "firstOpenDate": 1_585_555_200_000,
        "expireDate": None, "baseCurrency": name, "quoteCurrency": "USDT", "settleCurrency": "USDT", "lotSize": 1,
        "tickSize": 0.1, "maxOrderQty": 1_000_000, "maxPrice": 1_000_000.0, "multiplier": MULTIPLIER,
        "isInverse": False, "makerFeeRate": 0.0002, "takerFeeRate": 0.0006, "status": "Open", "maxLeverage": 100,
        "nextFundingRateTime": 25_481_884, "fundingRateSymbol": f".{name}USDTMFPI8H",
    }  # fmt: skip


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
