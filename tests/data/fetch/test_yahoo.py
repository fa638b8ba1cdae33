"""Yahoo through the real yfinance, against a server on this machine that speaks its chart format and its faults.

MARGIN_EXCHANGE_GATEWAY sends every request to the server, so nothing of yfinance is replaced.
"""

import gzip
import json
import logging
import resource
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import data.fetch.yahoo
from data.errors import FetchError
from data.fetch.fetch import fetch_prices, stored_prices
from data.fetch.yahoo import _explain, check_ticker, fetch_yahoo
from data.store.store import Store
from margin.core.errors import InputError

pytest.importorskip("yfinance")

NEW_YORK = ZoneInfo("America/New_York")
SINCE, UNTIL = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC)


def chart(opens, zone="America/New_York", currency="USD", adjustment=0.5, interval="1d", kind="ETF"):
    """A chart answer of Yahoo: candles that open at `opens`, closes 100, 101, ..., adjusted `adjustment` times."""
    close = [100.0 + n for n in range(len(opens))]
    meta = {
        "currency": currency, "symbol": "SPY", "exchangeTimezoneName": zone, "timezone": "EST", "instrumentType": kind,
        "gmtoffset": -18000, "dataGranularity": interval, "range": "", "priceHint": 2, "exchangeName": "PCX",
        "regularMarketTime": int(opens[-1]) if len(opens) else 0, "firstTradeDate": 0,
        "validRanges": ["1d", "5d", "1mo", "1y", "max"],
        "currentTradingPeriod": {
            k: {"timezone": "EST", "start": 0, "end": 10**10, "gmtoffset": -18000} for k in ("pre", "regular", "post")
        },
    }  # fmt: skip
    if interval == "1h":
        period = {"timezone": "EST", "start": 0, "end": 10**10, "gmtoffset": -18000}
        meta["tradingPeriods"] = {k: [[dict(period)]] for k in ("pre", "regular", "post")}
    quote = {
        "open": [c - 1 for c in close], "high": [c + 1 for c in close], "low": [c - 2 for c in close],
        "close": close, "volume": [1000 + n for n in range(len(opens))],
    }  # fmt: skip
    indicators = {"quote": [quote]}
    if interval == "1d":
        indicators["adjclose"] = [{"adjclose": [c * adjustment for c in close]}]
    return {"chart": {"result": [{"meta": meta, "timestamp": list(opens), "indicators": indicators}], "error": None}}


def business_days(first, count, zone=NEW_YORK):
    """Opening times, 9:30 of weekdays in `zone`, as epoch seconds."""
    days = pd.bdate_range(first, periods=count)
    return [int(datetime(d.year, d.month, d.day, 9, 30, tzinfo=zone).timestamp()) for d in days]


class Server:
    """Answers as `self.answer(ticker, query)` says: (status, bytes) or a JSON value; remembers what was asked."""

    def __init__(self):
        self.asked = []
        self.answer = lambda ticker, query: chart(business_days("2024-03-01", 21))
        self.cookies = lambda path: (200, b"abcdef") if path.endswith("getcrumb") else (404, b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                host, _, path = parts.path[1:].partition("/")
                outer.asked.append((host, path, parse_qs(parts.query)))
                if path.startswith("v8/finance/chart/"):
                    answer = outer.answer(path.rsplit("/", 1)[1], parse_qs(parts.query))
                else:
                    answer = outer.cookies(path)
                if answer is None:
                    return  # nothing at all
                status, body, *more = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def yahoo(tmp_path, monkeypatch):
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "yfinance"))
    data.fetch.yahoo._forget_answers()
    server = Server()
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.url)
    monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
    yield server
    server.http.shutdown()
    server.http.server_close()
    data.fetch.yahoo._forget_answers()


def failure(ticker="SPY", interval="1d", since=SINCE, until=UNTIL):
    with pytest.raises(FetchError) as caught:
        fetch_yahoo(ticker, interval, since, until)
    assert (caught.value.asset, caught.value.exchange) == (ticker, "yahoo")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    return caught.value


def test_daily_candles_are_adjusted_and_dated_by_the_exchanges_own_day(yahoo):
    candles = fetch_yahoo("spy", "1d", SINCE, UNTIL)
    assert list(candles.columns) == ["open", "high", "low", "close", "volume"]
    assert list(candles.index) == list(pd.bdate_range("2024-03-01", periods=21))
    assert candles.index.tz is None
    assert candles["close"].tolist() == [0.5 * (100 + n) for n in range(21)]
    assert candles["open"].tolist() == [0.5 * (99 + n) for n in range(21)]  # the whole candle is adjusted
    assert candles["volume"].tolist() == [1000.0 + n for n in range(21)]
    hosts = {(host, path) for host, path, _ in yahoo.asked}
    assert ("query2.finance.yahoo.com", "v8/finance/chart/SPY") in hosts


def test_the_span_is_from_since_up_to_but_not_including_until(yahoo):
    candles = fetch_yahoo("SPY", "1d", datetime(2024, 3, 6, 15, tzinfo=UTC), datetime(2024, 3, 12, tzinfo=UTC))
    assert [f"{d:%m-%d}" for d in candles.index] == ["03-06", "03-07", "03-08", "03-11"]
    asked = next(q for _, path, q in reversed(yahoo.asked) if "period1" in q)
    assert int(asked["period1"][0]) <= datetime(2024, 3, 6, 15, tzinfo=UTC).timestamp()
    assert int(asked["period2"][0]) >= datetime(2024, 3, 12, tzinfo=UTC).timestamp()


def test_a_tokyo_day_keeps_its_date(yahoo):
    tokyo = ZoneInfo("Asia/Tokyo")
    yahoo.answer = lambda t, q: chart(business_days("2024-03-01", 5, tokyo), zone="Asia/Tokyo")
    candles = fetch_yahoo("ADR.T", "1d", SINCE, UNTIL)
    assert list(candles.index) == list(pd.bdate_range("2024-03-01", periods=5))


def test_hourly_candles_are_utc_and_reach_back_no_further_than_yahoo_keeps_them(yahoo):
    now = datetime.now(UTC)
    day = next(d for d in (now - timedelta(days=n) for n in range(3, 10)) if d.weekday() < 5)
    opens = [int(datetime(day.year, day.month, day.day, 9 + n, 30, tzinfo=NEW_YORK).timestamp()) for n in range(6)]
    yahoo.answer = lambda t, q: chart(opens, interval="1h")
    candles = fetch_yahoo("SPY", "1h", now - timedelta(days=3000), now)
    expected = pd.to_datetime(opens, unit="s")
    assert list(candles.index) == list(expected)
    assert candles["close"].tolist() == [100.0 + n for n in range(6)]
    asked = next(q for _, path, q in reversed(yahoo.asked) if "period1" in q)
    assert now.timestamp() - int(asked["period1"][0]) < 731 * 86400


def test_a_price_that_is_not_in_dollars_is_refused(yahoo):
    yahoo.answer = lambda t, q: chart(business_days("2024-03-01", 5), currency="GBp")
    error = failure("SHEL.L")
    assert error.kind == "not listed" and "GBp" in error.message


NOT_FOUND = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}


@pytest.mark.parametrize(
    ("what", "answer", "kind"),
    [
        ("an unknown ticker", (404, json.dumps(NOT_FOUND).encode()), "not listed"),
        ("too many requests", (429, b"Too Many Requests"), "rate limited"),
        ("a refused region", (403, b"<html>Forbidden</html>"), "blocked"),
        ("a legal block", (451, b""), "blocked"),
        ("a fault of the server", (500, b"<html>oops</html>"), "unavailable"),
        ("a fault of its gateway", (502, b""), "unavailable"),
        ("a page instead of data", (200, b"<html>consent</html>"), "bad answer"),
        ("truncated JSON", (200, b'{"chart": {"result": [{"meta": {"curr'), "bad answer"),
        ("another JSON", {"hello": 1}, "empty"),
        ("no JSON object", [1, 2, 3], "empty"),
        ("an empty list", {"chart": {"result": [], "error": None}}, "empty"),
        ("no candle at all", chart([]), "empty"),
        ("no answer", None, "unavailable"),
    ],
)
def test_every_fault_is_one_fetch_error_that_names_its_kind(yahoo, capfd, caplog, what, answer, kind):
    yahoo.answer = lambda t, q: answer
    with caplog.at_level(logging.DEBUG):
        error = failure()
    assert error.kind == kind, (what, error.message, error.__cause__)
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.name.startswith("yfinance") and r.levelno >= logging.WARNING]


def test_too_many_requests_is_told_by_the_status_alone_too():
    """yfinance raises its own error for it, and another one where the body is no JSON."""
    from yfinance.exceptions import YFRateLimitError

    assert _explain(ValueError("no JSON"), 429)[0] == _explain(YFRateLimitError(), 200)[0] == "rate limited"


def test_a_fault_is_not_remembered(yahoo):
    yahoo.answer = lambda t, q: (500, b"<html>oops</html>")
    failure()
    yahoo.answer = lambda t, q: chart(business_days("2024-03-01", 21))
    assert len(fetch_yahoo("SPY", "1d", SINCE, UNTIL)) == 21


def test_candles_that_are_all_outside_the_span_or_without_a_close_are_an_empty_answer(yahoo):
    error = failure(since=datetime(2023, 3, 1, tzinfo=UTC), until=datetime(2023, 4, 1, tzinfo=UTC))
    assert error.kind == "empty"
    hollow = chart(business_days("2024-03-01", 5))
    hollow["chart"]["result"][0]["indicators"]["quote"][0]["close"] = [None] * 5
    hollow["chart"]["result"][0]["indicators"]["adjclose"][0]["adjclose"] = [None] * 5
    yahoo.answer = lambda t, q: hollow
    assert failure().kind == "empty"


def test_a_server_that_never_answers_is_given_up_on(yahoo, monkeypatch):
    """yfinance alone asks five times, 10 to 30 seconds each; here all of it together has one time limit."""
    monkeypatch.setattr(data.fetch.yahoo, "TOTAL_SECONDS", 0.8)
    monkeypatch.setattr(data.fetch.yahoo, "REQUEST_SECONDS", 0.5)
    released = threading.Event()
    yahoo.cookies = lambda path: released.wait(20) and None
    yahoo.answer = lambda t, q: released.wait(20) and None
    error = failure()
    released.set()
    assert error.kind == "timeout"
    assert len(yahoo.asked) <= 2


def test_a_refused_cookie_is_not_the_users_concern(yahoo, caplog, capfd):
    yahoo.cookies = lambda path: (429, b"Too Many Requests")
    with caplog.at_level(logging.DEBUG):
        assert len(fetch_yahoo("SPY", "1d", SINCE, UNTIL)) == 21
    assert not [r for r in caplog.records if r.name.startswith("yfinance") and r.levelno >= logging.WARNING]
    assert capfd.readouterr() == ("", "")


def test_without_a_connection_the_reason_is_said(monkeypatch, yahoo, capfd):
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", "http://127.0.0.1:9")
    error = failure()
    assert error.kind == "unavailable" and "cannot be reached" in error.message
    assert capfd.readouterr() == ("", "")


def test_offline_never_asks(monkeypatch, yahoo):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    assert failure().kind == "offline"
    assert yahoo.asked == []


def test_several_tickers_at_once_keep_their_own_answers(yahoo):
    def answer(ticker, query):
        if ticker == "BAD":
            return (403, b"")
        return chart(business_days("2024-03-01", 21), adjustment={"SPY": 0.5, "QQQ": 2.0, "GLD": 1.0}[ticker])

    yahoo.answer = answer
    results = {}

    def fetch(ticker):
        try:
            results[ticker] = fetch_yahoo(ticker, "1d", SINCE, UNTIL)["close"].iloc[0]
        except FetchError as error:
            results[ticker] = error.kind

    threads = [threading.Thread(target=fetch, args=(t,)) for t in ("SPY", "QQQ", "GLD", "BAD")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"SPY": 50.0, "QQQ": 200.0, "GLD": 100.0, "BAD": "blocked"}


@pytest.mark.parametrize(
    "text", ["SPY", " spy ", "BRK-B", "^GSPC", "EURUSD=X", "ES=F", "005930.KS", "BTC-USD", "M&M.NS"]
)
def test_tickers_are_taken_in_upper_case(text):
    assert check_ticker(text) == text.strip().upper()


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "..", "A..B", "A/B", "SPY,QQQ", "SPY QQQ", "SPY?x=1", "SPY#", "SPY%2f..", "../../etc/passwd",
     "A" * 40, "SPY\nQQQ", "SPY\x00", "http://evil", "\u0430pple", "\uff33PY", "'; DROP", "<script>", "^", "-A",
     "US0378331005", "=1+1"],
)  # fmt: skip
def test_nothing_but_a_ticker_reaches_a_url(text, yahoo):
    with pytest.raises(InputError) as caught:
        fetch_yahoo(text, "1d", SINCE, UNTIL)
    assert caught.value.field == "ticker" and "\n" not in str(caught.value)
    assert yahoo.asked == []


def test_naive_times_are_a_programming_error():
    with pytest.raises(ValueError, match="aware"):
        fetch_yahoo("SPY", "1d", datetime(2024, 1, 1), UNTIL)


def test_values_are_floats_even_for_whole_numbers(yahoo):
    assert (fetch_yahoo("SPY", "1d", SINCE, UNTIL).dtypes == np.float64).all()


def series(closes, start="2024-01-01", volume=10.0):
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes), dtype=float)
    frame["volume"] = volume
    frame.index = pd.date_range(start, periods=len(closes))
    return frame


def test_older_stored_candles_are_brought_to_the_adjustment_of_a_later_fetch():
    """A two-for-one split between two fetches halves every earlier close: no return may change."""
    closes = np.array([100.0, 110, 121, 133.1, 146.41, 161.051])
    stored, fresh = series(closes[:5]), series(closes[2:] / 2, start="2024-01-03", volume=20.0)
    whole = data.fetch.yahoo.whole_series(stored, fresh)
    np.testing.assert_allclose(whole["close"], closes / 2, rtol=1e-15)
    np.testing.assert_allclose(whole["close"].pct_change().dropna(), 0.1, rtol=1e-12)
    np.testing.assert_allclose(whole["close"] * whole["volume"], closes * 10, rtol=1e-15)  # the dollars stay
    assert stored["close"].tolist() == closes[:5].tolist()


@pytest.mark.parametrize("stored", [None, series([]), series([5.0], "2024-02-01"), series([5.0, 6.0], "2020-01-01")])
def test_nothing_is_joined_on_where_no_candle_is_shared(stored):
    fresh = series([1.0, 2.0, 3.0])
    pd.testing.assert_frame_equal(data.fetch.yahoo.whole_series(stored, fresh), fresh)


def test_a_dividend_between_two_fetches_leaves_no_jump_in_the_store(yahoo, tmp_path):
    """Through the whole fetch: 400 days, then, adjusted otherwise, the newest 60 only."""
    days = pd.bdate_range("2023-01-02", periods=330)
    opens = [int(datetime(d.year, d.month, d.day, 9, 30, tzinfo=NEW_YORK).timestamp()) for d in days]

    def answer(factor):
        return lambda ticker, query: chart_of([(t, 100 + n) for n, t in enumerate(opens)], factor, query)

    store, now = Store(tmp_path / "prices.db"), datetime(2024, 4, 6, 12, tzinfo=UTC)
    yahoo.answer = answer(1.0)
    first = fetch_prices(["SPY"], 400, store=store, now=now)
    assert first.provenance["SPY"].source == "yahoo" and len(first.closes) > 250
    yahoo.answer = answer(0.97)
    later = fetch_prices(["SPY"], 60, store=store, now=now + timedelta(days=2))
    assert later.provenance["SPY"].status == "live"
    closes = stored_prices(store, now=now + timedelta(days=2)).closes["SPY"].dropna()
    assert len(closes) > 250
    expected = [0.97 * (100 + list(days).index(day)) for day in closes.index]
    np.testing.assert_allclose(closes, expected, rtol=1e-12)
    store.close()


def chart_of(candles, factor, query):
    """The part of `candles` [(open time, close)] that the query asks for."""
    low, high = (int(query[k][0]) if k in query else d for k, d in (("period1", 0), ("period2", 2**40)))
    chosen = [(t, c) for t, c in candles if low <= t < high]
    answer = chart([t for t, _ in chosen], adjustment=factor)
    result = answer["chart"]["result"][0]["indicators"]
    for key in ("open", "high", "low", "close"):
        result["quote"][0][key] = [float(c) for _, c in chosen]
    result["adjclose"][0]["adjclose"] = [c * factor for _, c in chosen]
    return answer


# What a volume counts, and answers without bound -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticker", "kind", "units"),
    [
        ("SPY", "ETF", [1000, 1020]), ("AAPL", "EQUITY", [1000, 1020]), ("VFIAX", "MUTUALFUND", [1000, 1020]),
        ("BTC-USD", "CRYPTOCURRENCY", [1000 / 100, 1020 / 120]), ("UNI7083-USD", "CRYPTOCURRENCY", [10, 8.5]),
        ("GC=F", "FUTURE", [np.nan, np.nan]), ("^GSPC", "INDEX", [np.nan, np.nan]), ("X", "", [np.nan, np.nan]),
    ],
)  # fmt: skip
def test_a_volume_is_units_of_what_is_priced_or_not_used(yahoo, ticker, kind, units):
    """Yahoo's coins print dollars, its futures contracts, its indices shares of their members."""
    yahoo.answer = lambda t, q: chart(business_days("2024-03-01", 21), adjustment=1.0, kind=kind)
    candles = fetch_yahoo(ticker, "1d", SINCE, UNTIL)
    np.testing.assert_allclose(candles["volume"].iloc[[0, -1]], units)


@pytest.mark.parametrize(
    ("ticker", "kind", "traded", "said"),
    [("BTC-USD", "CRYPTOCURRENCY", 1000.0, "dollars already"), ("GC=F", "FUTURE", np.nan, "cannot be told")],
)
def test_a_fetched_coin_of_yahoo_has_its_dollars_once_and_the_finding_stays(
    yahoo, tmp_path, ticker, kind, traded, said
):
    yahoo.answer = lambda t, q: chart(business_days("2024-03-01", 21), adjustment=1.0, kind=kind)
    store, now = Store(tmp_path / "prices.db"), datetime(2024, 4, 1, tzinfo=UTC)
    prices = fetch_prices([ticker], 40, exchanges=["yahoo"], store=store, now=now)
    np.testing.assert_allclose(prices.volumes[ticker].iloc[0], traded)
    again = fetch_prices([ticker], 40, exchanges=["yahoo"], store=store, now=now + timedelta(hours=1))
    assert again.provenance[ticker].status == "stored"
    for found in (prices, again, stored_prices(store, now=now + timedelta(hours=1))):
        assert [f for f in found.findings if f.kind == "volume" and said in f.detail]
    store.close()


def bomb(size):
    body = gzip.compress(b'{"chart": "' + b"0" * size + b'"}', 1)
    return 200, body, {"Content-Encoding": "gzip"}


@pytest.mark.parametrize("where", ["answer", "cookies"])
def test_an_answer_that_unpacks_to_300_mb_is_not_read(yahoo, where):
    packed = bomb(300_000_000)
    setattr(yahoo, where, lambda *_: packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = failure()
    assert error.kind == "bad answer" and "48 MB" in error.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://localhost:9/elsewhere", "https://yahoo.com.evil.example/x", "//evil.example/"]
)
def test_a_redirect_to_somebody_elses_host_is_not_followed(yahoo, status, place):
    yahoo.answer = lambda t, q: (status, b"", {"Location": place})
    error = failure()
    assert error.kind == "bad answer" and "elsewhere" in error.message


@pytest.mark.parametrize("place", ["https://query1.finance.yahoo.com/v8/finance/chart/SPY2", "/v8/finance/chart/SPY2"])
def test_a_redirect_within_yahoo_is_followed(yahoo, place):
    good = chart(business_days("2024-03-01", 21))
    yahoo.answer = lambda t, q: good if t == "SPY2" else (302, b"", {"Location": place})
    assert len(fetch_yahoo("SPY", "1d", SINCE, UNTIL)) == 21


def test_an_endless_chain_of_redirects_ends(yahoo):
    yahoo.answer = lambda t, q: (302, b"", {"Location": "/v8/finance/chart/SPY"})
    assert "more than 8 times" in failure().message
