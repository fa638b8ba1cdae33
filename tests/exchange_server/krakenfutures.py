"""Kraken Futures: one list of instruments, each with its margin levels, and one of tickers."""

from typing import Any

from tests.exchange_server.prices import mark, price

HOSTS = ("futures.kraken.com",)
ASSETS = ("BTC", "ETH", "SOL")
CODES = {"BTC": "XBT"}


def where(path: str, body: Any) -> str:
    return "marks" if path.endswith("/tickers") else "markets"


def answer(ask: Any) -> tuple[int, Any]:
    endpoint = ask.path.rsplit("/", 1)[-1]
    if endpoint == "tickers":
        rows = [
            {
                "tag": "perpetual", "symbol": f"PF_{CODES.get(a, a)}USD", "pair": f"{CODES.get(a, a)}:USD",
                "last": price(a, ask.now_ms), "markPrice": mark(a, ask.now_ms),
            }
            for a in ask.listed(list(ASSETS))
        ]  # fmt: skip
        said = {"result": "success", "tickers": ask.marked(rows, "markPrice")}
        return 200, said | {"serverTime": "2026-03-20T09:46:40.000Z"}
    if endpoint != "instruments":
        raise KeyError(endpoint)
    listed = [_perpetual(a) for a in ask.listed(list(ASSETS))]
    return 200, {"result": "success", "instruments": listed, "serverTime": "2026-03-20T09:46:40.000Z"}


def _perpetual(asset: str) -> dict[str, Any]:
    code = CODES.get(asset, asset)
    levels = [(0, 0.02), (1_000_000, 0.04), (2_000_000, 0.06), (5_000_000, 0.10)]
    return {
        "symbol": f"PF_{code}USD",
        "type": "flexible_futures",
        "base": code,
        "quote": "USD",
        "pair": f"{code}:USD",
        "tickSize": 0.5,
        "contractSize": 1,
        "tradeable": True,
        "impactMidSize": 1.0,
        "maxPositionSize": 1_000_000.0,
        "openingDate": "2022-01-01T00:00:00.000Z",
        "marginLevels": [
            {"numNonContractUnits": float(size), "initialMargin": rate, "maintenanceMargin": rate / 2}
            for size, rate in levels
        ],
        "fundingRateCoefficient": 8,
        "maxRelativeFundingRate": 0.005,
        "contractValueTradePrecision": 4,
        "postOnly": False,
        "feeScheduleUid": "x",
        "mtf": False,
        "tags": [],
    }
