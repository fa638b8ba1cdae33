"""Yahoo's chart of shares and funds: candles of trading days only, opening at 9:30 in New York."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.exchange_server.prices import SHARES, candle

HOSTS = ("query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "finance.yahoo.com", "www.yahoo.com")
NEW_YORK = ZoneInfo("America/New_York")
DIVIDENDS = 0.98  # the adjusted close is this much of the close


def where(path: str, body: Any) -> str:
    return "candles" if "/chart/" in path else "other"


def answer(ask: Any) -> tuple[int, Any]:
    if ask.path.endswith("/getcrumb"):
        return 200, "crumb"
    if "/chart/" not in ask.path:
        return 404, ""
    ticker = ask.path.rsplit("/", 1)[-1]
    if ticker not in ask.listed(list(SHARES)):
        description = "No data found, symbol may be delisted"
        return 404, {"chart": {"result": None, "error": {"code": "Not Found", "description": description}}}
    first, last = (datetime.fromtimestamp(int(ask.query[k]), UTC) for k in ("period1", "period2"))
    last = min(last, datetime.fromtimestamp(ask.now_ms / 1000, UTC))
    hourly = ask.query["interval"] == "1h"
    opens = [t for t in _opens(first, last, hourly) if first <= t < last]
    rows = [candle(ticker, int(t.timestamp()) * 1000, 3_600_000 if hourly else 86_400_000) for t in opens]
    rows = [] if ask.emptied else rows
    period = {"timezone": "EST", "start": 0, "end": 10**10, "gmtoffset": -18000}
    meta = {
        "currency": "USD", "symbol": ticker, "exchangeTimezoneName": "America/New_York", "timezone": "EST",
        "instrumentType": "ETF", "gmtoffset": -18000, "dataGranularity": ask.query["interval"], "range": "",
        "priceHint": 2, "exchangeName": "PCX", "regularMarketTime": ask.now_ms // 1000, "firstTradeDate": 0,
        "validRanges": ["1d", "max"], "currentTradingPeriod": dict.fromkeys(("pre", "regular", "post"), period),
    }  # fmt: skip
    columns = {name: [row[n] for row in rows] for n, name in enumerate(("open", "high", "low", "close"), 1)}
    indicators: dict[str, Any] = {"quote": [{**columns, "volume": [int(row[5]) for row in rows]}]}
    if hourly:
        meta["tradingPeriods"] = {name: [[dict(period)]] for name in ("pre", "regular", "post")}
    else:
        indicators["adjclose"] = [{"adjclose": [close * DIVIDENDS for close in columns["close"]]}]
    result = {"meta": meta, "timestamp": [row[0] // 1000 for row in rows], "indicators": indicators}
    return 200, {"chart": {"result": [result], "error": None}}


def _opens(first: datetime, last: datetime, hourly: bool) -> list[datetime]:
    day, out = first.astimezone(NEW_YORK).date(), []
    while day <= last.astimezone(NEW_YORK).date():
        if day.weekday() < 5:
            hours = range(7) if hourly else range(1)
            out += [datetime.combine(day, time(9, 30), NEW_YORK) + timedelta(hours=h) for h in hours]
        day += timedelta(days=1)
    return out
