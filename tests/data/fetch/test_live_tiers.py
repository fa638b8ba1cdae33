"""Live tiers side by side: in the time of the slowest, bounded, stopped at will."""

import threading
import time

import pytest

from data.exchange.client import Patience
from data.fetch import live
from data.fetch.live_tiers import SECONDS, fetch_all_tiers
from tests.data.exchange.conftest import QUICK, running_server, server, store  # noqa: F401
from tests.exchange_server import Fault

SLOW = Patience(timeout=30.0, tries=1, pause=0.01, pace=0.02)


def test_every_venue_is_asked_and_a_failing_one_is_named(server):  # noqa: F811
    server.faults.append(Fault("500", host="okx", where="all"))
    found = fetch_all_tiers(["okx", "bybit", "kraken"], ["BTC"], patience=QUICK)
    assert set(found.tiers) == {"bybit", "kraken"}
    assert "error 500" in found.failures["okx"]


def test_a_silent_venue_costs_no_more_than_the_bound(server):  # noqa: F811
    server.faults.append(Fault("hang", host="okx", where="all"))
    began = time.monotonic()
    found = fetch_all_tiers(["okx", "bybit"], ["BTC"], seconds=3.0, patience=SLOW)
    assert time.monotonic() - began < 6.0
    assert set(found.tiers) == {"bybit"} and "no answer within 3 s" in found.failures["okx"]
    assert SECONDS == 10.0


def test_cancel_returns_within_a_moment_with_what_came(server):  # noqa: F811
    server.faults.append(Fault("hang", where="all"))
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    began = time.monotonic()
    found = fetch_all_tiers(["okx", "bybit"], ["BTC"], cancel=cancel, patience=SLOW)
    assert time.monotonic() - began < 3.0
    assert found.tiers == {} and "stopped" in found.failures["bybit"]


def test_offline_asks_nobody(server, monkeypatch):  # noqa: F811
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    found = fetch_all_tiers(["okx", "kraken"], ["BTC"], patience=QUICK)
    assert found.tiers == {} and set(found.failures) == {"okx", "kraken"} and server.log == []


def test_each_venues_tiers_are_handed_over_as_they_come_and_an_ended_page_ends_the_asking(server):  # noqa: F811
    server.faults.append(Fault("hang", host="okx", where="all"))
    came, shares = [], []

    def leave(share):
        shares.append(share)
        if came:
            raise KeyboardInterrupt  # as a page does whose visitor goes elsewhere

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch_all_tiers(
            ["okx", "bybit"], ["BTC"], arrived=lambda t: came.append(t.venue), progress=leave, patience=SLOW
        )
    assert came == ["bybit"] and shares[0] == 0.0 and shares[-1] == 0.5
    assert time.monotonic() - began < 5.0


def test_of_too_many_assets_those_asked_for_last_are_followed(monkeypatch):
    monkeypatch.setattr(live, "MOST_ASSETS", 2)
    monkeypatch.setattr(live.LiveFeed, "_start", lambda _: None)
    feed = live.LiveFeed(QUICK)
    for asset in ("BTC", "ETH", "SOL"):
        feed.ask([asset])
    assert feed._names() == ["SOL", "ETH"]
