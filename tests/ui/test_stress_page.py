"""The Stress page: a margin model chosen in the header, one sign for profit, what is not recorded in the headline."""

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals
from margin import Collateral, Portfolio, Position
from margin.core.account import Account
from tests.exchange_server import ExchangeServer
from tests.exchange_server.faults import Fault
from tests.support import ROOT
from ui.state import book, presets, prices, share

THREE = Portfolio((Position("BTC/USDT:USDT", 0.5), Position("SOL/USDT:USDT", 300.0)), (Collateral("USDC", 12_000.0),))


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(page: str, portfolio: Portfolio, view: str = "", model: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(book.Book.of(portfolio))
    app = app.run()
    if model is not None:
        app.session_state["model"] = model
    if view:
        app.query_params[f"{page}_view"] = view
    app = app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def heading(app: AppTest) -> str:
    return next(x.value for x in app.header).replace("\\", "")


def captions(app: AppTest) -> str:
    return "\n".join(x.value for x in app.caption).replace("\\", "")


@pytest.mark.parametrize("page", ["stress", "liquidation"])
def test_the_model_of_the_header_judges(page):
    ours, venue = (opened(page, THREE, model=key) for key in ("portfolio", "hyperliquid:cross"))
    assert "Judged by our own method (portfolio)" in captions(ours)
    assert "Judged by Hyperliquid, cross" in captions(venue)
    assert heading(ours) != heading(venue)
    assert any(s.key == "maintenance_share" for s in ours.slider)
    assert not any(s.key == "maintenance_share" for s in venue.slider), "a venue's maintenance is its own"


@pytest.mark.parametrize("page", ["stress", "liquidation"])
def test_an_account_at_a_venue_is_judged_by_that_venue_unless_another_is_chosen(page):
    held = Portfolio(accounts=(Account(venue="binance", positions=THREE.positions, collateral=THREE.collateral),))
    assert "Judged by Binance USD-M, cross" in captions(opened(page, held))


@pytest.mark.parametrize("page", ["stress", "liquidation"])
def test_a_dead_account_is_said_to_be_dead(page):
    lost = Portfolio((Position("BTC/USDT:USDT", 10, 500_000.0),), (Collateral("USD", 10_000),))
    assert heading(opened(page, lost)).startswith("Liquidated before anything moves: the pool has equity of −$")


@pytest.mark.parametrize("page", ["stress", "liquidation"])
def test_what_the_model_does_not_reproduce_is_a_message(page):
    app = opened(page, THREE, model="aave:cross")
    assert app.warning
    assert "Aave" in app.warning[0].value


def test_what_was_not_recorded_is_in_the_headline_and_can_be_switched_off():
    app = opened("stress", Portfolio((Position("SOL/USDT:USDT", 300.0),), (Collateral("USD", 9_000.0),)))
    said = heading(app)
    table = app.dataframe[0].value
    assert "Black Thursday" in set(table["Event"])
    assert "Not recorded then: SOL moved by beta to BTC (100% of the book)" in said
    app = app.toggle(key="stress_beta").set_value(False).run()
    assert "Black Thursday" not in set(app.dataframe[0].value["Event"]), "nothing of it is known then"
    assert "Not recorded" not in heading(app)


def test_profit_has_one_sign_and_one_meaning_in_every_view():
    """Issue 10, line 24."""
    app = opened("stress", THREE, "Named events")
    table = app.dataframe[0].value
    whole = table["Of positions"] + table["Of collateral"]
    assert (abs(table["Profit or loss"] - whole) < 0.01).all()
    crash = table.set_index("Event").loc["FTX collapse"]
    assert crash["Profit or loss"] < 0
    own = opened("stress", THREE, "Your own shock")
    shown = next(m.value for m in own.metric if m.label == "Profit or loss")
    assert shown.startswith("−$"), "a fall of 20% of a long book is a loss, with a minus"
    assert "Profit above zero, loss below" in captions(own)


def test_the_cross_means_liquidated_in_every_view():
    app = opened("stress", THREE, "Spot and volatility")
    assert "✕: liquidated as it is held" in captions(app)
    assert "✕: liquidated as it is held" in captions(opened("stress", THREE, "Named events"))


def test_day_by_day_names_what_was_looked_at():
    assert "Checked at closes only" in captions(opened("stress", THREE, "Day by day"))


def test_recorded_funding_is_fetched_for_the_event_s_days_and_what_fails_is_said(monkeypatch):
    """Through the loopback exchange: the payments of those days come out of the account; with every exchange down none."""
    monkeypatch.delenv("MARGIN_OFFLINE")
    long = Portfolio((Position("BTC/USDT:USDT", 0.5),), (Collateral("USDC", 12_000.0),))
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        refusals.forget()
        app = opened("stress", long, "Day by day")
        assert "Funding on this path" not in captions(app)
        app = app.toggle(key="stress_funding").set_value(True).run()
        assert not app.exception, [e.value for e in app.exception]
        assert "Funding on this path: paid $" in captions(app)
        assert "as recorded from" in captions(app)
        server.faults.append(Fault("500", where="other"))
        app = app.slider(key="stress_days").set_value(10).run()
        assert "No recorded funding of BTC, nothing is paid there: " in captions(app)
        assert "Funding on this path: paid $0.00" in captions(app)
    refusals.forget()


def test_the_account_that_goes_is_named_with_its_own_money():
    """It said "uses up $36,011 (Binance USD-M)": the money of all accounts beside the name of one."""
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == "Three venues")
    portfolio = presets.build(chosen, active.market, active.last_day)
    said = "\n".join(m.value for m in opened("stress", portfolio, "What exhausts it").markdown).replace("\\", "")
    assert "The nearest move that uses up the $15,006 of Binance USD-M is" in said
    said = "\n".join(m.value for m in opened("stress", portfolio, "Your own shock").markdown).replace("\\", "")
    assert "As held, Binance USD-M is liquidated." in said
