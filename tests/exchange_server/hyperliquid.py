"""Hyperliquid: one POST endpoint; candleSnapshot gives the newest 5,000 candles at most."""

from typing import Any

from tests.exchange_server import accounts
from tests.exchange_server.prices import COINS, mark, price

HOSTS = ("api.hyperliquid.xyz",)
ASSETS = [a for a in COINS if a not in ("USDC", "USDT", "DAI", "LUNA")]
STEPS = {"1h": 3_600_000, "1d": 86_400_000}


TABLES = [
    [20, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 20}]}],
    [
        56,
        {
            "description": "tiered 40x",
            "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 40}, {"lowerBound": "150000000.0", "maxLeverage": 20}],
        },
    ],
]


def where(path: str, body: Any) -> str:
    kind = (body or {}).get("type", "")
    if "learinghouseState" in kind or kind == "perpDexs":
        return "account"
    return "candles" if kind == "candleSnapshot" else "markets" if "eta" in kind else "other"


def answer(ask: Any) -> tuple[int, Any]:
    kind = ask.body["type"]
    if kind == "meta":
        return 200, {"universe": [_coin(a) for a in ask.listed(ASSETS)], "marginTables": TABLES}
    if kind == "metaAndAssetCtxs":
        contexts = [_context(price(a, ask.now_ms), mark(a, ask.now_ms)) for a in ask.listed(ASSETS)]
        return 200, [{"universe": [_coin(a) for a in ask.listed(ASSETS)]}, ask.marked(contexts, "markPx")]
    if kind == "spotMetaAndAssetCtxs":
        return 200, [{"universe": [], "tokens": []}, []]
    if kind == "perpDexs":
        return 200, [None, {"name": "xyz", "full_name": "a builder", "deployer": "0x" + "0" * 40}]
    if kind == "clearinghouseState":
        return 200, accounts.hyperliquid(ask.body["user"], ask.body.get("dex", ""), ask.now_ms)
    if kind == "userAbstraction":
        return 200, f'"{accounts.MODES.get(ask.body["user"], "default")}"'  # a bare JSON string
    if kind == "spotClearinghouseState":
        return 200, accounts.hyperliquid_spot(ask.body["user"])
    if kind == "candleSnapshot":
        req = ask.body["req"]
        step = STEPS[req["interval"]]
        rows = ask.candles(
            req["coin"], max(req["startTime"], ask.now_ms - 5000 * step), req.get("endTime", ask.now_ms), step
        )
        return 200, [
            {
                "t": t,
                "T": t + step - 1,
                "s": req["coin"],
                "i": req["interval"],
                "o": f"{o:.8g}",
                "c": f"{c:.8g}",
                "h": f"{h:.8g}",
                "l": f"{lo:.8g}",
                "v": f"{v:.8g}",
                "n": 10,
            }
            for t, o, h, lo, c, v in rows
        ]
    if kind == "l2Book":
        last = price(ask.body["coin"], ask.now_ms)
        levels = [
            [{"px": f"{last * (1 + g * 0.0001 * i):.8g}", "sz": "1", "n": 1} for i in range(1, 21)] for g in (-1, 1)
        ]
        return 200, {"coin": ask.body["coin"], "levels": levels, "time": ask.now_ms}
    if kind == "fundingHistory":
        step = 3_600_000
        start = -(-ask.body["startTime"] // step) * step
        times = list(range(start, min(ask.body.get("endTime", ask.now_ms), ask.now_ms) + 1, step))[:500]
        return 200, [{"coin": ask.body["coin"], "fundingRate": "0.0000125", "premium": "0", "time": t} for t in times]
    raise KeyError(kind)


def _coin(asset: str) -> dict[str, Any]:
    table = 56 if asset == "BTC" else 20
    leverage = 40 if asset == "BTC" else 20
    return {
        "name": asset, "szDecimals": 4, "maxLeverage": leverage, "onlyIsolated": False, "marginTableId": table
    }  # fmt: skip


def _context(last: float, marked: float) -> dict[str, Any]:
    text = f"{last:.8g}"
    return {
        "dayNtlVlm": "1", "funding": "0.0000125", "impactPxs": [text, text], "markPx": f"{marked:.8g}", "midPx": text,
        "openInterest": "1",
        "oraclePx": text, "premium": "0", "prevDayPx": text, "dayBaseVlm": "1",
    }  # fmt: skip
