"""One loopback server for the whole module run, a fresh store and no remembered refusals for each test."""

import pytest

from data.exchange import refusals
from data.exchange.client import Patience
from data.store.store import Store
from tests.exchange_server import ExchangeServer

NOW = 1_774_000_000.0  # 2026-03-20 09:46:40 UTC, so that daily and hourly candles are both half done
QUICK = Patience(timeout=0.6, tries=3, pause=0.01, longest_pause=2.0, pace=0.02)


@pytest.fixture(scope="session")
def running_server():
    with ExchangeServer(now=NOW) as server:
        yield server


@pytest.fixture
def clock_server(monkeypatch):
    """A server on the real clock, for what reads the clock itself."""
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
        refusals.forget()
        yield server
    refusals.forget()


@pytest.fixture
def server(running_server, monkeypatch):
    running_server.reset()
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", running_server.address)
    monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
    refusals.forget()
    yield running_server
    refusals.forget()
    assert not running_server.unknown, running_server.unknown
    running_server.unknown.clear()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "prices.db")
    yield store
    store.close()
