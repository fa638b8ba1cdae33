"""Every exchange's real ccxt code against its own wire format: page limits, quirks, units, and no request elsewhere."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import ccxt.async_support as ccxt
import numpy as np
import pandas as pd
import pytest

from data.exchange.client import Client, _open, to_frame
from data.exchange.gateway import through_gateway
from data.exchange.pagination import reach, request
from data.exchange.registry import EXCHANGES, exchanges
from data.fetch.fetch import fetch_prices
from data.universe import step_ms
from margin import InputError
from tests.data.exchange.conftest import NOW, QUICK
from tests.exchange_server import ExchangeServer
from tests.exchange_server.prices import candles as true_candles

AT = datetime.fromtimestamp(NOW, UTC)


def fetch(exchange, asset, interval, count):
    """The newest `count` finished candles as the client gives them: (frame, pages)."""
    step = step_ms(interval)
    until = int(NOW * 1000) // step * step - step

    async def run():
        async with Client(exchange, patience=QUICK) as client:
            return [page async for page in client.pages(asset, interval, until - (count - 1) * step, until)]

    pages = asyncio.run(run())
    return to_frame([row for page in pages for row in page.rows]).sort_index(), pages


@pytest.mark.parametrize("interval", ["1d", "1h"])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_candles_are_complete_and_exactly_the_servers(server, exchange, interval):
    count = min(2 * exchanges()[exchange].page + 7, 1300) if exchanges()[exchange].kept is None else 700
    frame, pages = fetch(exchange, "ETH", interval, count)
    step = step_ms(interval)
    until = int(NOW * 1000) // step * step - step
    expected = true_candles("ETH", until - (count - 1) * step, until, step, int(NOW * 1000))
    shares = [page.share for page in pages]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert frame.index.is_unique
    assert len(frame) == len(expected) == count
    np.testing.assert_allclose(frame.to_numpy(), [row[1:] for row in expected], rtol=1e-6)
    assert list(frame.index.to_numpy().astype("datetime64[ms]").astype("int64")) == [row[0] for row in expected]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_no_more_pages_than_needed(server, exchange):
    count = 1000
    fetch(exchange, "BTC", "1h", count)
    reachable = min(count, exchanges()[exchange].kept or count)
    asked = sum(n for what, n in server.requests.items() if what.endswith("candles"))
    page = {"okx": 100}.get(
        exchange, exchanges()[exchange].page
    )  # the server's clock is in OKX's history, which gives 100 a call
    assert asked <= -(-reachable // page) + 1


def test_kraken_gives_the_newest_720_whatever_is_asked_and_that_is_said(server, store):
    prices = fetch_prices(["BTC"], 900, exchanges=["kraken"], store=store, now=AT, patience=QUICK)
    provenance = prices.provenance["BTC"]
    assert provenance.rows == 719  # of the 720 the newest is not finished
    assert "kraken keeps only the newest" in provenance.note


def test_the_oldest_candle_that_an_exchange_keeps_is_asked_for_and_none_before_it():
    """Of Kraken's 720 newest the last is not finished: with the newest finished one they reach back 718 steps."""
    day = step_ms("1d")
    newest = 1_000 * day
    kept = [newest + day - i * day for i in range(720)]
    assert reach("kraken", newest, day) == min(kept)
    assert reach("binance", newest, day) is None


def test_who_needs_an_end_is_told_one_between_two_candles():
    day = step_ms("1d")
    told = {name for name in exchanges() if request(name, 0, 9 * day, day)[1]}
    assert "kucoin" in told and "kraken" not in told
    for name in told:
        until = request(name, 0, 9 * day, day)[1]["until"]
        assert 9 * day < until < 10 * day  # the last candle opens before it, and none opens at it


def test_a_longer_history_is_taken_from_an_exchange_that_has_it(server, store):
    prices = fetch_prices(["BTC"], 900, exchanges=["kraken", "coinbase"], store=store, now=AT, patience=QUICK)
    assert prices.provenance["BTC"].source == "coinbase"
    assert prices.provenance["BTC"].rows == 900


def test_a_late_listing_starts_when_it_was_listed(server, store):
    prices = fetch_prices(["ARB", "BTC"], 1500, exchanges=["okx"], store=store, now=AT, patience=QUICK)
    arb = prices.closes["ARB"].dropna()
    assert str(arb.index[0].date()) == "2023-03-23"
    assert prices.closes["ARB"].loc[:"2023-03-22"].isna().all()
    assert prices.closes["BTC"].notna().all()


def test_a_delisted_asset_ends_where_it_ended(server, store):
    prices = fetch_prices(["LUNA", "BTC"], 1600, exchanges=["binance"], store=store, now=AT, patience=QUICK)
    luna = prices.closes["LUNA"]
    assert str(luna.dropna().index[-1].date()) == "2022-05-13"
    assert luna.loc["2022-05-14":].isna().all()
    assert any(f.asset == "LUNA" and "delisted" in f.kind for f in prices.findings)


def test_the_unfinished_candle_is_left_out(server, store):
    for interval, last in (("1d", "2026-03-19 00:00"), ("1h", "2026-03-20 08:00")):
        prices = fetch_prices(["BTC"], 5, interval, ["binance"], store, AT, patience=QUICK)
        assert prices.closes.index[-1] == pd.Timestamp(last)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_no_address_is_left_that_bypasses_the_gateway(server, exchange):
    opened = _open(exchange, "spot", QUICK)
    asyncio.run(opened.close())

    def addresses(value):
        return [a for part in value.values() for a in addresses(part)] if isinstance(value, dict) else [value]

    rewritten = [a for a in addresses(opened.urls["api"]) if isinstance(a, str)]
    assert rewritten
    for address in rewritten:
        assert address.startswith(f"{server.address}/")
        assert "{" not in address
    original = [a for a in addresses(getattr(ccxt, exchange)().urls["api"]) if isinstance(a, str)]
    assert len(original) == len(rewritten)


def test_gateway_addresses():
    assert through_gateway("https://api.kraken.com/x", "http://h:1") == "http://h:1/api.kraken.com/x"
    assert through_gateway("wss://ws.kraken.com", "http://h:1") == "wss://ws.kraken.com"


def test_a_bad_gateway_is_named(monkeypatch, store):
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", "localhost:80")
    with pytest.raises(InputError, match="MARGIN_EXCHANGE_GATEWAY"):
        fetch_prices(["BTC"], 5, exchanges=["kraken"], store=store, now=AT, patience=QUICK)


def test_assets_are_fetched_side_by_side_within_the_exchanges_rate(server, store):
    """Kraken allows one request a second (here 0.3): the assets take their turn and the spacing is kept."""
    pace = replace(QUICK, pace=0.3)
    fetch_prices(["BTC", "ETH", "SOL"], 100, exchanges=["kraken"], store=store, now=AT, patience=pace)
    times = [t for t, host, _ in server.log if host == "api.kraken.com"]
    assert len(times) == 4
    assert times[-1] - times[0] > 0.85  # three turns; a busy machine may hand one on late, and the next in time
    assert (np.diff(times) > 0.1).all()


def test_funding_history_pages_through_and_order_books_are_read(server):
    from data.exchange.funding import fetch_funding_history
    from data.exchange.orderbook import fetch_order_book

    since = datetime(2026, 1, 1, tzinfo=UTC)
    for exchange, per_day in (("binanceusdm", 3), ("bybit", 3), ("okx", 3), ("hyperliquid", 24)):
        rates = fetch_funding_history(exchange, "BTC", since, AT, QUICK)
        expected = int((NOW - since.timestamp()) // (86_400 / per_day)) + 1
        assert len(rates) == expected, exchange
        assert rates.index.is_monotonic_increasing
        assert 0 < rates.iloc[0] < 0.001
    for exchange in EXCHANGES:
        book = fetch_order_book(exchange, "BTC", 20, QUICK)
        assert book.bids[0, 0] < book.mid < book.asks[0, 0]
        assert (np.diff(book.bids[:, 0]) < 0).all()
        assert (np.diff(book.asks[:, 0]) > 0).all()


def test_the_server_can_be_steered_from_another_process(server):
    import json
    from urllib.request import Request, urlopen

    body = json.dumps([{"kind": "451", "host": "kraken"}]).encode()
    with urlopen(Request(f"{server.address}/_faults", body, {"Content-Type": "application/json"})) as answer:
        assert json.load(answer) == {"faults": 1}
    assert server.faults[0].kind == "451"
    assert isinstance(server, ExchangeServer)
