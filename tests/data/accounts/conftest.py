"""The loopback exchange on a fixed clock; no remembered refusals."""

import pytest

from data.exchange import refusals
from data.exchange.asker import Patience
from tests.exchange_server import ExchangeServer

QUICK = Patience(timeout=0.6, tries=3, pause=0.01, longest_pause=2.0, pace=0.02)


@pytest.fixture(scope="session")
def account_server():
    with ExchangeServer(now=1_774_000_000.0) as server:
        yield server


@pytest.fixture
def server(account_server, monkeypatch):
    account_server.reset()
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", account_server.address)
    monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
    refusals.forget()
    yield account_server
    refusals.forget()
    assert not account_server.unknown, account_server.unknown
    account_server.unknown.clear()
