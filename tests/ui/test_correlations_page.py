"""The Correlations page: every view by every method, few assets, a book of one, a what-if taken into the book."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from tests.support import ROOT
from ui.correlations.page import METHODS
from ui.state import book, presets, prices, share

VIEWS = ("Through time", "Calm and stress", "Market mode", "Persistence", "What if", "When it breaks")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(view: str = VIEWS[0], parameter: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if parameter is not None:
        app.query_params[share.PARAMETER] = parameter
    app = app.run()
    app.query_params["correlation_view"] = view
    return app.switch_page("pages/correlations.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


def link(portfolio: Portfolio, **settings) -> str:
    made = book.Book.of(portfolio)
    return share.encode(replace(made, settings=made.settings.with_(**settings)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_by_every_method(view, method):
    app = opened(view)
    app = app.segmented_control(key="correlation_method").set_value(method).run()
    said = check(app)
    assert "BTC and ETH" in said
    assert not app.warning, [w.value for w in app.warning]


@pytest.mark.parametrize("preset", [p.title for p in presets.PRESETS])
@pytest.mark.parametrize("view", ["Through time", "What if", "When it breaks"])
def test_every_preset(preset, view):
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == preset)
    check(opened(view, link(presets.build(chosen, active.market, active.last_day))))


def test_the_headline_names_the_books_two_largest():
    made = Portfolio(
        (Position("SOL/USD", 500, paid=False), Position("LINK/USD", -4000), Position("BTC/USD", 0.01, paid=False))
    )
    said = check(opened(parameter=link(made)))
    assert re.search(r"SOL and LINK: 0\.\d\d now|LINK and SOL: 0\.\d\d now", said)
    assert "95% band" in said


def test_one_asset_is_asked_for_a_second():
    app = opened()
    app = app.multiselect[0].set_value(["BTC"]).run()
    check(app)
    assert "two assets or more" in app.info[0].value


def test_a_book_of_one_asset_has_no_what_if():
    made = Portfolio((Position("BTC/USD", 1, paid=False),), (Collateral("USDC", 1000),))
    for view in ("What if", "When it breaks"):
        app = opened(view, link(made))
        check(app)
        assert "one asset only" in app.info[0].value


def test_a_window_longer_than_the_history_is_told(tmp_path):
    app = opened(
        parameter=link(Portfolio((Position("BTC/USD", 1, paid=False), Position("ETH/USD", -1))), as_of="2020-12-01")
    )
    app = app.slider(key="correlation_window").set_value(250).run()
    check(app)
    assert app.warning or "no figure" in app.header[0].value


def test_a_what_if_moves_the_margin_and_can_be_taken_into_the_book():
    app = opened("What if")
    slider = next(s for s in app.slider if "What if" in s.label)
    app = slider.set_value(0.0).run()
    check(app)
    shown = {m.label: m.value for m in app.metric}
    assert shown["Margin, what if"] != shown["Margin, measured"]
    app = app.button(key="what_if_use").click().run()
    check(app)
    settings = app.session_state["history"].present.book.settings if "history" in app.session_state else None
    app = app.switch_page("pages/portfolio.py").run()
    margin = {m.label: m.value for m in app.metric}["Portfolio"]
    assert margin == shown["Margin, what if"], settings


def test_an_impossible_what_if_shows_its_repair():
    made = Portfolio(
        (Position("BTC/USD", 1, paid=False), Position("ETH/USD", -15), Position("SOL/USD", 100, paid=False))
    )
    app = opened("What if", link(made))
    slider = next(s for s in app.slider if "What if" in s.label)
    said = check(slider.set_value(-1.0).run())
    assert "No data could have that matrix" in said


def test_wishes_for_pairs_of_another_book_do_nothing():
    app = opened("What if")
    app.session_state["correlation_wishes"] = {("DOGE", "XRP"): 0.9}
    app = app.run()
    check(app)
    assert app.button(key="what_if_reset").disabled
    shown = {m.label: m.value for m in app.metric}
    assert shown["Margin, what if"] == shown["Margin, measured"]
