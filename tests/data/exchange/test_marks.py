"""Mark prices through ccxt's own methods against the exchanges on loopback: whose mark it is, and every way to fail."""

import pytest

from data.exchange.registry import EXCHANGES, MARKING, facts_of
from data.exchange.tickers import Desk, fetch_last_prices
from tests.data.exchange.conftest import NOW, QUICK
from tests.exchange_server.faults import ODD_MARKS, Fault
from tests.exchange_server.prices import mark, price

HOSTS = {"binanceusdm": "fapi", "krakenfutures": "futures.kraken"}  # part of the host where it is not the id
MS = int(NOW * 1000)


def host(exchange: str) -> str:
    return HOSTS.get(exchange, exchange)


@pytest.mark.parametrize("exchange", MARKING)
def test_the_venue_that_holds_a_contract_gives_its_mark(server, exchange):
    venues = facts_of(exchange).marks_of
    found = fetch_last_prices(["BTC", "SOL", "BNB"], patience=QUICK, marked={"BTC": venues, "SOL": venues})
    for asset in ("BTC", "SOL"):
        assert (found[asset].exchange, found[asset].kind) == (exchange, "mark")
        assert found[asset].price == pytest.approx(mark(asset, MS), rel=1e-7)
    assert (found["BNB"].kind, found["BNB"].price) == ("last trade", pytest.approx(price("BNB", MS), rel=1e-7))


WAYS = [*ODD_MARKS, "451", "429", "500", "html", "truncated", "null", "hang"]


@pytest.mark.parametrize(
    ("exchange", "kind"), [*((e, "mark missing") for e in MARKING if e != "okx"), *(("okx", k) for k in WAYS)]
)
def test_without_its_mark_another_venues_is_taken_never_a_last_trade_under_its_name(server, exchange, kind):
    where = "vols" if exchange == "deribit" else "marks" if exchange != "hyperliquid" else "all"
    server.faults.append(Fault(kind, host=host(exchange), where=where if kind not in ODD_MARKS else "all"))
    found = fetch_last_prices(["BTC"], patience=QUICK, marked={"BTC": facts_of(exchange).marks_of})
    assert (found["BTC"].exchange, found["BTC"].kind) == (next(e for e in MARKING if e != exchange), "mark")
    assert found["BTC"].price == pytest.approx(mark("BTC", MS), rel=1e-7)


def test_where_no_venue_gives_a_mark_the_last_trade_says_that_it_is_one(server):
    for exchange in MARKING:
        server.faults.append(Fault("mark missing", host=host(exchange), where="all"))
    found = fetch_last_prices(["BTC"], patience=QUICK, marked={"BTC": ["binance"]})
    assert (found["BTC"].exchange, found["BTC"].kind) == ("kraken", "last trade")
    assert found["BTC"].price == pytest.approx(price("BTC", MS), rel=1e-7)


def test_what_a_venue_does_not_list_comes_from_the_next(server):
    server.faults.append(Fault("unlisted", host="okx", asset="SOL"))
    found = fetch_last_prices(["BTC", "SOL"], patience=QUICK, marked={"BTC": ["okx"], "SOL": ["okx"]})
    assert [(found[a].exchange, found[a].kind) for a in ("BTC", "SOL")] == [("okx", "mark"), ("hyperliquid", "mark")]


def test_two_venues_of_one_coin_and_a_venue_without_an_exchange(server):
    found = fetch_last_prices(
        ["BTC", "ETH", "SOL"], patience=QUICK, marked={"BTC": ["binance", "okx"], "ETH": ["gmx"], "SOL": []}
    )
    assert [found[a].exchange for a in ("BTC", "ETH", "SOL")] == ["okx", "hyperliquid", "hyperliquid"]
    assert all(seen.is_mark for seen in found.values())


def test_a_coin_at_two_venues_has_the_mark_of_each(server):
    server.faults.append(Fault("mark up", host="fapi", where="all"))
    held = {"BTC": ["binance", "okx", "gmx"], "SOL": ["okx"]}
    found = fetch_last_prices(["BTC", "SOL"], patience=QUICK, marked=held)
    at = {venue: found["BTC"].held_at(venue) for venue in ("okx", "binance", "gmx")}
    assert {venue: seen.exchange for venue, seen in at.items()} == {
        "okx": "okx",
        "binance": "binanceusdm",
        "gmx": "okx",
    }
    assert at["okx"].price == pytest.approx(mark("BTC", MS), rel=1e-7)
    assert at["binance"].price == pytest.approx(1.01 * mark("BTC", MS), rel=1e-7)
    assert set(found["SOL"].marks) == {"okx"}


@pytest.mark.parametrize("kind", ["429", "hang", "mark missing"])
def test_a_venue_that_gives_no_mark_stands_at_the_others(server, kind):
    server.faults.append(Fault(kind, host="fapi", where="marks" if kind != "mark missing" else "all"))
    found = fetch_last_prices(["BTC"], patience=QUICK, marked={"BTC": ["binance", "okx"]})
    assert [found["BTC"].held_at(venue).exchange for venue in ("okx", "binance")] == ["okx", "okx"]


def test_a_coin_at_one_venue_asks_no_other(server):
    fetch_last_prices(["BTC"], patience=QUICK, marked={"BTC": ["okx"]})
    assert [what for what in server.requests if what.endswith(" marks")] == ["www.okx.com marks"]


def test_only_the_exchanges_asked_for_give_marks(server):
    found = fetch_last_prices(["BTC"], exchanges=["kraken", "bybit"], patience=QUICK, marked={"BTC": ["okx"]})
    assert (found["BTC"].exchange, found["BTC"].kind) == ("bybit", "mark")
    found = fetch_last_prices(["BTC"], exchanges=["kraken"], patience=QUICK, marked={"BTC": ["okx"]})
    assert (found["BTC"].exchange, found["BTC"].kind) == ("kraken", "last trade")
    assert not any("mark" in what for what in server.requests if "okx" in what)


async def _rounds(times: int, marked: dict) -> tuple[list, "Desk"]:
    desk = Desk(exchanges=EXCHANGES, patience=QUICK)
    try:
        return [await desk.last_prices(["BTC"], marked) for _ in range(times)], desk
    finally:
        await desk.close()


def test_an_exchange_whose_marks_fail_still_gives_its_trades_and_rests(server):
    import asyncio

    for exchange in MARKING:
        server.faults.append(Fault("500", host=host(exchange), where="marks" if exchange == "okx" else "all"))
    server.faults += [Fault("500", host=h, where="all") for h in ("api.kraken", "coinbase")]
    found, desk = asyncio.run(_rounds(2, {"BTC": ["okx"]}))
    assert [(f["BTC"].exchange, f["BTC"].kind) for f in found] == [("okx", "last trade")] * 2
    assert ("okx", "perpetual") in desk.resting and ("okx", "spot") not in desk.resting
    assert server.requests["www.okx.com marks"] == QUICK.tries  # the second round leaves it alone
