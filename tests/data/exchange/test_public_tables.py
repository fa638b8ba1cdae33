"""Whole public margin tables through the real ccxt code against loopback venues, into tiers and parameter files."""

import pytest

from data.errors import FetchError
from data.exchange.event_loop import run
from data.exchange.public import fetch_table
from data.exchange.tables import lighter, public_tables
from data.exchange.tiers import PUBLISHERS, fetch_tiers
from margin import Collateral, InputError, Portfolio, Position, venues
from margin.models.marks import Marks
from tests.data.exchange.conftest import QUICK
from tests.data.exchange.test_tiers import NOW_DAY
from tests.exchange_server.faults import Fault


def test_hyperliquid_s_margin_tables(server):
    found = fetch_tiers("hyperliquid", ["BTC", "ETH", "NOSUCH"], QUICK)
    assert found.rows["BTC"] == ((0.0, 150e6, 0.0125, 40.0), (150e6, None, 0.025, 20.0))
    assert found.rows["ETH"] == ((0.0, None, 0.025, 20.0),)
    assert set(found.rows) == {"BTC", "ETH"}


def test_dydx_s_markets_become_liquidity_tiers(server):
    table = run(fetch_table("dydx", QUICK))
    assert table.facts["liquidity_tiers"] == [[0.02, 0.6, 0.0, 0.0], [0.05, 0.6, 4e7, 1e8], [0.1, 0.5, 2e7, 5e7]]
    assert table.facts["markets"] == {"BTC": 0, "SOL": 1, "XRP": 2}
    assert table.rows["SOL"] == ((0.0, None, pytest.approx(0.03), pytest.approx(20.0)),)


def test_lighter_and_paradex(server):
    assert run(fetch_table("lighter", QUICK)).facts["fractions"] == {
        "BTC": [200, 500, 120, 80],
        "SOL": [400, 1000, 240, 160],
    }
    paradex = run(fetch_table("paradex", QUICK))
    assert paradex.facts["initial_fractions"] == {"BTC": 0.02, "SOL": 0.02, "KPEPE": 0.05}, (
        "options and growing fractions are left out"
    )
    assert paradex.rows["BTC"] == ((0.0, None, 0.01, 50.0),)


@pytest.mark.parametrize("venue", sorted(public_tables()))
def test_a_rulebook_margins_by_the_live_table_and_says_so(server, venue):
    book = Portfolio((Position("BTC/USDC:USDC", 0.5, 60_000.0, 10.0),), (Collateral("USDC", 9_000.0),))
    marks = Marks({"BTC": 60_000.0, "USDC": 1.0}, NOW_DAY)
    rows = fetch_tiers(venue, ["BTC"], QUICK).rows
    live = venues.rulebook(venue).with_tiers(rows, f"{venue}, live")
    found = live.requirement(book, marks, "cross")
    assert found.maintenance == pytest.approx(30_000 * rows["BTC"][0][2])
    assert found.initial == pytest.approx(3_000.0)
    assert any(line.source == f"{venue}, live" for line in found.lines)


@pytest.mark.parametrize("venue", sorted(public_tables()))
def test_the_facts_fit_the_parameter_file(server, venue):
    """What the tool would write has the names and forms that the rulebook reads, and gives the same tiers."""
    table = run(fetch_table(venue, QUICK))
    rulebook = venues.rulebook(venue)
    assert set(table.facts) <= set(rulebook.parameters.facts)
    from tests.venues.door import with_facts

    made = with_facts(venue, **table.facts)
    for asset, rows in table.rows.items():
        tiers = made.tiers(asset)
        assert [(t.floor, t.cap, t.rate, t.leverage) for t in tiers] == [pytest.approx(row) for row in rows]


@pytest.mark.parametrize("kind", ["html", "truncated", "500", "451", "null"])
@pytest.mark.parametrize("venue", ["dydx", "hyperliquid"])
def test_failures_are_said(server, venue, kind):
    server.faults.append(Fault(kind, where="all"))
    with pytest.raises(FetchError) as caught:
        fetch_tiers(venue, ["BTC"], QUICK)
    assert caught.value.message


def test_a_table_that_can_t_be_is_refused():
    table = public_tables()["lighter"]
    with pytest.raises((LookupError, TypeError)):
        table.facts({"order_book_details": [{"symbol": "BTC"}]})


def test_who_has_none_is_refused():
    with pytest.raises(InputError, match="no public table"):
        run(fetch_table("mango"))
    assert {"okx", "bybit", "kraken", *public_tables()} == set(PUBLISHERS)


def test_a_market_of_lighter_without_a_margin_is_left_out():
    market = {f"{name}_margin_fraction": 500 for name in lighter.NAMES}
    rows = [market | {"symbol": "BTC"}, market | {"symbol": "NEW", "maintenance_margin_fraction": 0}]
    rows += [market | {"symbol": "OLD", "status": "inactive"}]
    assert lighter.facts({"order_book_details": rows}) == {"fractions": {"BTC": [500, 500, 500, 500]}}
