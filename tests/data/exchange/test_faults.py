"""Every way an exchange can fail, and what the app makes of it."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from data.exchange.client import Patience
from data.exchange.tickers import Desk, fetch_last_prices
from data.fetch.fetch import fetch_prices, stored_prices
from data.fetch.live import LiveFeed
from data.fetch.service import PriceService
from data.model import SeriesKey
from tests.data.exchange.conftest import NOW, QUICK
from tests.exchange_server import Fault

AT = datetime.fromtimestamp(NOW, UTC)


def fetch(assets, store, exchanges=("okx", "binance"), days=250, now=AT, **more):
    return fetch_prices(assets, days, exchanges=list(exchanges), store=store, now=now, patience=QUICK, **more)


@pytest.mark.parametrize("kind", ["451", "403", "429", "500", "html", "truncated", "hang", "empty"])
@pytest.mark.parametrize("where", ["candles", "markets"])
def test_the_next_exchange_is_asked_when_one_fails(server, store, kind, where):
    server.faults.append(Fault(kind, host="okx", where=where))
    prices = fetch(["BTC"], store)
    assert prices.failures == {}
    assert prices.provenance["BTC"].source == "binance"
    assert prices.provenance["BTC"].rows == 250


SAYS = {
    "451": "refuses this host", "403": "refuses this host", "429": "fewer requests", "500": "error 500",
    "html": "a web page instead of data", "truncated": "cannot be read", "hang": "does not answer",
    "empty": "returned no candles",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "said"), SAYS.items())
def test_the_reason_is_said_when_no_exchange_is_left(server, store, kind, said):
    server.faults.append(Fault(kind, host="okx"))
    prices = fetch(["BTC", "ETH"], store, exchanges=["okx"])
    assert set(prices.failures) == {"BTC", "ETH"}
    assert said in prices.failures["BTC"]
    assert prices.closes.empty


def test_one_assets_trouble_does_not_touch_the_others(server, store):
    server.faults.append(Fault("500", asset="ETH"))
    prices = fetch(["BTC", "ETH", "SOL"], store)
    assert prices.assets == ["BTC", "SOL"]
    assert "error 500" in prices.failures["ETH"]


@pytest.mark.parametrize("kind", ["500", "truncated", "html"])
def test_a_passing_fault_is_tried_again(server, store, kind):
    server.faults.append(Fault(kind, host="okx", times=2))
    prices = fetch(["BTC"], store, exchanges=["okx"])
    assert prices.provenance["BTC"].rows == 250


def test_retry_after_is_obeyed(server, store):
    server.faults.append(Fault("429", host="okx", times=1, retry_after=0.7))
    fetch(["BTC"], store, exchanges=["okx"], days=50)
    times = [t for t, host, path in server.log if "candles" in path]
    assert times[1] - times[0] >= 0.7


def test_a_long_retry_after_goes_to_the_next_exchange_instead(server, store):
    server.faults.append(Fault("429", host="okx", retry_after=3600))
    prices = fetch(["BTC"], store)
    assert prices.provenance["BTC"].source == "binance"
    assert server.requests["www.okx.com candles"] == 1


def test_a_block_is_remembered(server, store):
    server.faults.append(Fault("451", host="okx", where="all"))
    fetch(["BTC"], store)
    fetch(["SOL"], store)
    assert server.requests["www.okx.com markets"] == 1


@pytest.mark.parametrize(("kind", "finding"), [("gaps", "gap"), ("duplicates", "duplicate"), ("zeros", "zero")])
def test_damaged_candles_are_cleaned_and_reported(server, store, kind, finding):
    server.faults.append(Fault(kind, host="okx"))
    prices = fetch(["BTC"], store, exchanges=["okx"])
    closes = prices.closes["BTC"].dropna()
    assert closes.index.is_unique
    assert (closes > 0).all()
    assert 215 <= len(closes) <= 250
    stored = [f for f in prices.findings if f.asset == "BTC"]
    assert any(f.kind == finding and f.count >= 10 for f in stored), stored
    if kind == "duplicates":
        assert len(closes) == 250
    else:
        assert any(f.kind == "gap" for f in stored)
    again = fetch(["BTC"], store, exchanges=["okx"])
    assert again.provenance["BTC"].status == "stored"
    if kind != "duplicates":  # the store cannot hold a candle twice; everything else is reported every time
        assert any(f.kind == finding for f in again.findings)


def test_what_no_exchange_lists_and_is_no_ticker_either_fails_alone(server, store):
    prices = fetch(["BTC", "US0378331005"], store, exchanges=["okx"])
    assert prices.assets == ["BTC"]
    assert "not listed" in prices.failures["US0378331005"]


def test_resume_asks_only_for_what_is_missing(server, store):
    fetch(["BTC"], store, exchanges=["okx"], days=100, now=AT - timedelta(days=30))
    server.requests.clear()
    prices = fetch(["BTC"], store, exchanges=["okx"], days=130)
    assert prices.provenance["BTC"].rows == 130
    assert server.requests["www.okx.com candles"] <= 2
    server.requests.clear()
    again = fetch(["BTC"], store, exchanges=["okx"], days=130)
    assert again.provenance["BTC"].status == "stored"
    assert sum(server.requests.values()) == 0
    older = fetch(["BTC"], store, exchanges=["okx"], days=400)
    assert older.provenance["BTC"].rows == 400
    assert older.closes["BTC"].notna().all()


def test_cancel_keeps_what_came_and_the_next_fetch_goes_on(server, store):
    cancel = threading.Event()

    def stop_midway(asset, share, text):
        if share >= 0.3:
            cancel.set()

    part = fetch(["BTC"], store, exchanges=["okx"], days=1000, progress=stop_midway, cancel=cancel)
    assert 200 <= part.provenance["BTC"].rows < 900
    kept = store.read(SeriesKey("okx", "BTC/USDT", "1d"))  # page by page without a hole: nothing of it is asked again
    assert kept.complete_since == kept.candles.index[0].tz_localize("UTC")
    whole = fetch(["BTC"], store, exchanges=["okx"], days=1000)
    assert whole.provenance["BTC"].rows == 1000


def test_stale_prices_are_served_with_their_age_when_nothing_answers(server, store):
    fetch(["BTC"], store, exchanges=["okx"], now=AT - timedelta(days=3))
    server.faults.append(Fault("500", where="all"))
    prices = fetch(["BTC"], store, exchanges=["okx"])
    assert prices.failures == {}
    assert prices.provenance["BTC"].status == "stale"
    assert "3 days ago" in prices.provenance["BTC"].note
    assert stored_prices(store, now=AT).provenance["BTC"].status == "stale"


def test_offline_makes_no_request(server, store, monkeypatch):
    fetch(["BTC"], store, exchanges=["okx"])
    server.requests.clear()
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    prices = fetch(["BTC", "ETH"], store, exchanges=["okx"], now=AT + timedelta(days=5))
    assert prices.provenance["BTC"].status == "stale"
    assert "MARGIN_OFFLINE" in prices.failures["ETH"]
    assert sum(server.requests.values()) == 0


def test_progress_runs_from_waiting_to_done_per_asset(server, store):
    seen: dict[str, list[float]] = {}
    fetch(["BTC", "ETH"], store, exchanges=["okx"], days=500, progress=lambda a, s, t: seen.setdefault(a, []).append(s))
    assert set(seen) == {"BTC", "ETH"}
    for shares in seen.values():
        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert len(shares) > 4
        assert shares == sorted(shares)


@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_few_days_that_are_missing_at_the_end_are_fetched(server, store, days):
    fetch(["BTC"], store, exchanges=["okx"], days=60, now=AT - timedelta(days=days))
    shares = []
    again = fetch(["BTC"], store, exchanges=["okx"], days=60, progress=lambda a, s, t: shares.append(s))
    assert again.failures == {} and again.closes.index[-1].date() == AT.date() - timedelta(days=1)
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_last_prices_fall_through_to_the_next_exchange(server):
    server.faults.append(Fault("500", host="kraken", where="all"))
    found = fetch_last_prices(["BTC", "BNB", "NOPE"], patience=QUICK)
    assert found["BTC"].exchange == "coinbase"
    assert found["BNB"].exchange == "okx"
    assert "NOPE" not in found
    assert found["BTC"].price > 0


def test_the_service_serves_at_once_and_refreshes_behind(clock_server, store):
    service = PriceService(store, QUICK)
    assert service.snapshot().is_sample
    assert service.refresh(["BTC", "ETH"], 60, exchanges=["okx"])
    assert not service.refresh(["SOL"])
    assert service.wait()
    assert service.state == "done"
    assert service.progress()["BTC"][0] == 1.0
    prices = service.snapshot()
    assert prices.assets == ["BTC", "ETH"]
    assert not prices.is_sample


def test_the_service_says_why_a_refresh_failed(server, store):
    server.faults.append(Fault("500", where="all"))
    service = PriceService(store, QUICK)
    service.refresh(["BTC"], 60, exchanges=["okx"])
    assert service.wait()
    assert service.state == "failed"
    assert "error 500" in service.failures["BTC"]
    assert service.snapshot().is_sample


def test_the_service_backs_off_when_nothing_is_reachable(server, store):
    server.faults.append(Fault("500", where="all"))
    service = PriceService(store, QUICK)
    service.live = LiveFeed(QUICK)
    assert service.last_prices(["BTC"]) == {}
    assert service.live.wait()
    assert service.live.reachable is False
    before = sum(server.requests.values())
    assert service.last_prices(["BTC"]) == {}
    assert sum(server.requests.values()) == before
    service.live.close()


@pytest.mark.parametrize("broken", [False, True])
def test_an_asset_that_nobody_lists_is_not_asked_again_and_no_exchange_rests_for_it(server, broken):
    if broken:
        server.faults.append(Fault("500", host="okx", where="all"))

    async def twice():
        desk = Desk(exchanges=("okx", "kucoin"), patience=QUICK)
        try:
            return [await desk.last_prices(["NOPE"]), await desk.last_prices(["NOPE"])], desk
        finally:
            await desk.close()

    found, desk = asyncio.run(twice())
    assert found == [{}, {}]
    assert ("NOPE" in desk.unknown) is not broken  # only who was heard can say that it is not there
    assert set(desk.resting) == ({("okx", "spot")} if broken else set())


def test_live_prices_keep_their_connections_from_round_to_round(server, monkeypatch):
    monkeypatch.setattr("data.fetch.live.EVERY_SECONDS", 0.1)
    feed = LiveFeed(QUICK)
    seen = set()
    until = time.monotonic() + 20
    while len(seen) < 4 and time.monotonic() < until:
        seen |= {price.at for price in feed.ask(["BTC", "BNB", "USD", "no such name!"]).values()}
        time.sleep(0.02)
    feed.close()
    assert len(seen) >= 4
    lists = {host: count for host, count in server.requests.items() if host.endswith(" markets")}
    assert set(lists.values()) <= {1, 2}, lists  # loaded once (Kraken's is two requests), however many rounds


def test_blocking_calls_work_under_a_running_event_loop(server):
    """As in a notebook."""

    async def cell():
        return fetch_last_prices(["BTC"], patience=QUICK)

    assert asyncio.run(cell())["BTC"].price > 0


BAD_LISTS = ("null", "blank", "204", "maintenance", "invalid", "html", "truncated")


@pytest.mark.parametrize("exchange", ["okx", "binance", "kraken", "coinbase", "bybit", "kucoin"])
@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_bad_market_list_is_the_exchanges_answer_and_never_not_listed(server, store, kind, exchange):
    server.faults.append(Fault(kind, host=exchange, where="markets"))
    reason = fetch(["BTC"], store, exchanges=[exchange], days=30).failures["BTC"]
    assert "not listed" not in reason and "does not list" not in reason and "check the network" not in reason, reason
    assert exchange in reason


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_bad_market_list_is_asked_for_again(server, store, kind):
    server.faults.append(Fault(kind, host="okx", where="markets", times=2))
    prices = fetch(["BTC"], store, exchanges=["okx"], days=30)
    assert prices.failures == {} and prices.provenance["BTC"].rows == 30


def test_what_the_exchange_answered_is_named(server, store):
    server.faults.append(Fault("html", host="okx", where="markets"))
    assert "Just a moment" in fetch(["BTC"], store, exchanges=["okx"]).failures["BTC"]


@pytest.mark.parametrize("kind", ["null", "blank", "html", "451", "500"])
def test_a_bad_market_list_is_no_reason_for_yahoo(server, store, kind):
    server.faults.append(Fault(kind, where="markets"))
    prices = fetch_prices(["SPYX"], 30, store=store, now=AT, patience=QUICK)
    assert "SPYX" in prices.failures
    assert not [host for _, host, _ in server.log if "yahoo" in host]


@pytest.mark.parametrize("asset", ["CAKE", "LINK", "COMP", "W"])
def test_a_coin_is_never_served_by_a_share(server, store, asset):
    server.faults.append(Fault("unlisted", asset=asset))
    for exchanges in (["binance"], ["binance", "okx"], None):
        prices = fetch_prices([asset], 30, exchanges=exchanges, store=store, now=AT, patience=QUICK)
        assert asset in prices.failures
    assert not [host for _, host, _ in server.log if "yahoo" in host]


@pytest.mark.parametrize("exchange", ["okx", "binance", "coinbase", "bybit", "kucoin", "kraken"])
def test_a_page_shorter_than_asked_is_asked_again_for_its_missing_end(server, store, exchange):
    server.faults.append(Fault("short", host=exchange, times=2))
    prices = fetch(["BTC"], store, exchanges=[exchange], days=400)
    assert prices.provenance["BTC"].rows == 400
    assert not [f for f in prices.findings if f.kind in ("gap", "hole")]


def test_a_hole_that_stays_is_a_finding_and_filled_from_the_next_exchange(server, store):
    server.faults.append(Fault("hole", host="okx"))
    prices = fetch(["BTC"], store, exchanges=["okx", "binance"], days=250)
    assert prices.closes["BTC"].notna().sum() == 250
    assert any(f.kind == "hole" and f.count == 20 for f in prices.findings)


def test_a_hole_that_stays_is_not_complete_and_asked_for_at_the_next_fetch(server, store):
    server.faults.append(Fault("hole", host="okx"))
    assert fetch(["BTC"], store, exchanges=["okx"], days=250).provenance["BTC"].rows == 230
    server.faults.clear()
    assert fetch(["BTC"], store, exchanges=["okx"], days=250).provenance["BTC"].rows == 250


def test_a_hole_is_said_of_the_stored_series_too_until_it_is_filled(server, store, monkeypatch):
    """Issue 10, line 27: notes are stored with the series."""
    server.faults.append(Fault("hole", host="okx"))
    holes = [f for f in fetch(["BTC"], store, exchanges=["okx"], days=250).findings if f.kind == "hole"]
    assert [f.count for f in holes] == [20]
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    assert [f for f in stored_prices(store, now=AT).findings if f.kind == "hole"] == holes
    assert [f for f in fetch(["BTC"], store, exchanges=["okx"], days=250).findings if f.kind == "hole"] == holes
    monkeypatch.delenv("MARGIN_OFFLINE")
    server.faults.clear()
    fetch(["BTC"], store, exchanges=["okx"], days=250)
    assert not [f for f in stored_prices(store, now=AT).findings if f.kind == "hole"]


@pytest.mark.parametrize("kind", ["bomb", "redirect"])
@pytest.mark.parametrize("where", ["markets", "candles"])
def test_an_answer_without_bound_or_from_elsewhere_is_refused(server, store, kind, where):
    server.faults.append(Fault(kind, host="okx", where=where))
    patience = Patience(timeout=20, tries=2, pause=0.01, pace=0.02)
    prices = fetch_prices(["BTC"], 30, exchanges=["okx"], store=store, now=AT, patience=patience)
    assert ("48 MB" if kind == "bomb" else "elsewhere") in prices.failures["BTC"]


def test_offline_makes_no_request_at_all(server, store, monkeypatch):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    fetch(["BTC", "SPY"], store)
    fetch_last_prices(["BTC"])
    assert server.log == []
