"""The Haircuts page: every view, every tail, sizes, parameters turned, collateral of every kind, a live order book."""

import re
import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals
from margin import Collateral, Portfolio, Position
from tests.exchange_server import ExchangeServer
from tests.support import ROOT
from ui.haircuts.page import TAIL_NAMES
from ui.state import book, prices, share

VIEWS = (
    "By asset", "By size", "Was it enough?", "Beside venues", "Your collateral", "Right and wrong way", "Parameters",
)  # fmt: skip
HELD = Portfolio(
    (Position("ETH/USDT:USDT", -20), Position("BTC/USD", 0.5, paid=False)),
    (Collateral("BTC", 0.4), Collateral("USDC", 5000), Collateral("USD", -100), Collateral("DAI", 50)),
)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(view: str = VIEWS[0], portfolio: Portfolio | None = None, **settings) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        made = book.Book.of(portfolio)
        app.query_params[share.PARAMETER] = share.encode(replace(made, settings=made.settings.with_(**settings)))
    app = app.run()
    app.query_params["haircut_view"] = view
    return app.switch_page("pages/haircuts.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


@pytest.mark.parametrize("tail", TAIL_NAMES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_with_every_tail(view, tail):
    app = opened(view, HELD)
    app = app.segmented_control(key="haircut_tail").set_value(tail).run()
    said = check(app)
    assert not app.warning, [w.value for w in app.warning]
    assert "Of your collateral of" in said


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_in_the_past_and_with_nothing_held(view):
    empty = Portfolio((Position("BTC/USD", 1, paid=False),))
    said = check(opened(view, empty, as_of="2022-06-30"))
    assert "posts no collateral" in said


def test_larger_holdings_have_larger_haircuts():
    app = opened(portfolio=HELD)

    def btc(app):
        table = app.dataframe[0].value
        return float(table.loc[table["Asset"] == "BTC", "Haircut"].iloc[0])

    small = btc(app)
    app = app.select_slider(key="haircut_size").set_value(1e9).run()
    check(app)
    assert btc(app) > small


def test_a_parameter_turned_changes_the_haircuts_and_can_be_taken_back():
    app = opened("Parameters", HELD)
    app = app.slider(key="haircut_set_minimum").set_value(0.5).run()
    check(app)
    shown = app.dataframe[0].value
    assert shown.loc[shown["Name"] == "minimum", "Value"].item() == "0.5"
    app = app.button(key="haircut_defaults").click().run()
    shown = app.dataframe[0].value
    assert shown.loc[shown["Name"] == "minimum", "Value"].item() == "0.05"


def test_a_wallet_that_does_not_reach_is_told_by_how_much():
    poor = Portfolio((Position("BTC/USDT:USDT", 10),), (Collateral("BTC", 0.01),))
    app = opened("Your collateral", poor)
    check(app)
    assert "too little" in app.warning[0].value


def test_the_best_allocation_covers_what_is_asked():
    app = opened("Your collateral", HELD)
    said = check(app)
    assert re.search(r"Post \*\*\\?\$[\d,]+\*\* to cover \\?\$[\d,]+", said), said
    app = app.segmented_control(key="allocation_need").set_value("With safeguards").run()
    assert check(app) != said


def test_a_live_order_book_is_walked(monkeypatch):
    monkeypatch.delenv("MARGIN_OFFLINE")
    monkeypatch.setattr(prices, "_asked_at", [time.monotonic()])  # no refresh behind this test
    refusals.forget()
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        app = opened("By size", HELD)
        app = app.button(key="haircut_order_book").click().run(timeout=60)
        said = check(app)
        assert "the larger of the square-root law and kraken" in said
    refusals.forget()
