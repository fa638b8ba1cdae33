"""OKX: 300 recent candles a call (the newest 1,440), 100 from history; newest first, between `after` and `before`."""

from typing import Any

from tests.exchange_server.prices import COINS, mark, price

HOSTS = ("www.okx.com",)
ASSETS = [a for a in COINS if a not in ("USDT", "DAI", "HYPE")]
HONG_KONG = 8 * 3_600_000  # a bar "1D" begins at midnight there; "1Dutc" at midnight UTC
STEPS = {"1H": 3_600_000, "1D": 86_400_000, "1Dutc": 86_400_000}
RECENT = 1440
FUNDING_DAYS = 92


def where(path: str, body: Any) -> str:
    if path.endswith("/mark-price"):
        return "marks"
    return "candles" if "candles" in path else "markets" if "/public/instruments" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    endpoint = ask.path.rsplit("/", 1)[-1]
    query = ask.query
    if endpoint == "instruments":
        kind = query["instType"]
        form = {"SPOT": _spot, "SWAP": _swap}.get(kind)
        return 200, _ok([form(a) for a in ask.listed(ASSETS)] if form else [])
    if endpoint in ("candles", "history-candles"):
        parts = query["instId"].split("-")
        if parts[0] not in ASSETS:
            return 200, {"code": "51001", "msg": "Instrument ID does not exist", "data": []}
        step = STEPS[query["bar"]]
        history = endpoint == "history-candles"
        most = min(int(query.get("limit", 100)), 100 if history else 300)
        newest = int(query.get("after", ask.now_ms + 1)) - 1
        oldest = int(query["before"]) + 1 if "before" in query else newest - most * step
        if not history:
            oldest = max(oldest, ask.now_ms - RECENT * step)
        rows = ask.candles(
            parts[0], max(oldest, newest - most * step + 1), newest, step, -HONG_KONG if query["bar"] == "1D" else 0
        )
        done = [str(int(r[0] + step <= ask.now_ms)) for r in rows]
        data = [
            [str(t), *(f"{x:.8g}" for x in (o, h, lo, c, v)), f"{v:.8g}", f"{v * c:.8g}", ok]
            for (t, o, h, lo, c, v), ok in zip(rows, done, strict=True)
        ]
        return 200, _ok(data[::-1])
    if endpoint == "position-tiers":
        return 200, _ok(_position_tiers(query["instFamily"]))
    if endpoint == "mark-price":
        rows = [
            {
                "instId": f"{a}-USDT-SWAP",
                "instType": "SWAP",
                "markPx": f"{mark(a, ask.now_ms):.8g}",
                "ts": str(ask.now_ms),
            }
            for a in ask.listed(ASSETS)
        ]
        return 200, _ok(ask.marked(rows, "markPx"))
    asset = query["instId"].split("-")[0]
    last = price(asset, ask.now_ms)
    if endpoint == "ticker":
        text = f"{last:.8g}"
        ticker = dict.fromkeys(("last", "askPx", "bidPx", "open24h", "high24h", "low24h", "sodUtc0", "sodUtc8"), text)
        return 200, _ok(
            [
                {
                    "instType": "SPOT",
                    "instId": query["instId"],
                    **ticker,
                    "ts": str(ask.now_ms),
                    "vol24h": "1",
                    "volCcy24h": "1",
                    "lastSz": "1",
                    "askSz": "1",
                    "bidSz": "1",
                }
            ]
        )
    if endpoint == "books" and int(query.get("sz", 1)) > 400:
        return 200, {"code": "51000", "msg": "Parameter sz error", "data": []}
    if endpoint in ("books", "books-full", "books-lite"):
        size = "150" if query["instId"].endswith("-SWAP") else "1.5"  # contracts of 0.01 coins, or coins
        sides = {
            s: [[f"{last * (1 + g * 0.0001 * i):.8g}", size, "0", "1"] for i in range(1, 21)]
            for s, g in (("asks", 1), ("bids", -1))
        }
        return 200, _ok([{**sides, "ts": str(ask.now_ms)}])
    if endpoint == "funding-rate-history":
        step = 8 * 3_600_000
        newest = int(query.get("after", ask.now_ms))
        oldest = max(int(query.get("before", 0)), ask.now_ms - FUNDING_DAYS * 86_400_000)
        times = list(range(newest // step * step, oldest, -step))[: min(int(query.get("limit", 100)), 100)]
        rows = [
            {
                "instId": query["instId"],
                "instType": "SWAP",
                "fundingRate": "0.0001",
                "realizedRate": "0.0001",
                "fundingTime": str(t),
                "method": "current_period",
            }
            for t in times
        ]
        return 200, _ok(rows)
    raise KeyError(endpoint)


def _position_tiers(family: str) -> list[dict[str, str]]:
    """Sizes are contracts, and a tier begins one contract after the one before it ends."""
    tiers = (
        (0, 2000, "0.004", "0.01", "100"),
        (2001, 8000, "0.0065", "0.0133", "75"),
        (8001, 20000, "0.01", "0.02", "50"),
    )
    return [
        {
            "baseMaxLoan": "",
            "imr": initial,
            "instFamily": family,
            "instId": "",
            "maxLever": leverage,
            "maxSz": str(high),
            "minSz": str(low),
            "mmr": maintenance,
            "optMgnFactor": "0",
            "quoteMaxLoan": "",
            "tier": str(i + 1),
            "uly": family,
        }
        for i, (low, high, maintenance, initial, leverage) in enumerate(tiers)
    ]


def _ok(data: list) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def _spot(asset: str) -> dict[str, Any]:
    blank = dict.fromkeys(
        (
            "alias",
            "ctMult",
            "ctType",
            "ctVal",
            "ctValCcy",
            "expTime",
            "instFamily",
            "optType",
            "settleCcy",
            "stk",
            "uly",
        ),
        "",
    )
    return {
        **blank, "instType": "SPOT", "instId": f"{asset}-USDT", "baseCcy": asset, "quoteCcy": "USDT", "category": "1",
        "lever": "10", "listTime": "1548133413000", "lotSz": "0.00000001", "minSz": "0.00001", "tickSz": "0.0001",
        "state": "live", "maxLmtSz": "9999999", "maxMktSz": "1000000",
    }  # fmt: skip


def _swap(asset: str) -> dict[str, Any]:
    return {
        **_spot(asset), "instType": "SWAP", "instId": f"{asset}-USDT-SWAP", "baseCcy": "", "quoteCcy": "",
        "uly": f"{asset}-USDT",
        "instFamily": f"{asset}-USDT", "settleCcy": "USDT", "ctVal": "0.01", "ctMult": "1", "ctValCcy": asset,
        "ctType": "linear",
    }  # fmt: skip
