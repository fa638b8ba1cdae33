"""The Backtest and Stress pages: every view, every preset, settings that shorten history, files to take away."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from tests.support import ROOT
from ui.state import book, presets, prices, share

BACKTEST = ("Through time", "As often as promised?", "Frontier", "An account left alone", "Under a venue's rules")
STRESS = (
    "Named events", "Day by day", "Your own shock", "Spot and volatility", "Depeg and dry markets",
    "Correlations break", "What exhausts it",
)  # fmt: skip
VIEWS = [("backtest", v) for v in BACKTEST] + [("stress", v) for v in STRESS]


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(page: str, view: str, portfolio: Portfolio | None = None, **settings) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        made = book.Book.of(portfolio)
        app.query_params[share.PARAMETER] = share.encode(replace(made, settings=made.settings.with_(**settings)))
    app = app.run()
    app.query_params[f"{page}_view"] = view
    return app.switch_page(f"pages/{page}.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.header))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


def preset(title: str) -> Portfolio:
    active = prices.sample()
    return presets.build(next(p for p in presets.PRESETS if p.title == title), active.market, active.last_day)


@pytest.mark.parametrize(("page", "view"), VIEWS)
def test_every_view(page, view):
    app = opened(page, view)
    said = check(app)
    assert not app.warning, [w.value for w in app.warning]
    if page == "backtest":
        assert re.search(
            r"Cross margin saved \d+% and was breached on [\d.]+% of days; at most 2.5% are promised", said
        )
    else:
        assert "Worst recorded event" in said


@pytest.mark.parametrize("title", [p.title for p in presets.PRESETS])
def test_every_preset(title):
    for page, view in (
        ("backtest", BACKTEST[0]),
        ("backtest", BACKTEST[1]),
        ("stress", STRESS[0]),
        ("stress", STRESS[2]),
    ):
        check(opened(page, view, preset(title)))


@pytest.mark.parametrize("view", STRESS)
def test_a_book_with_options_is_stressed(view):
    check(opened("stress", view, preset("Covered call")))


def test_options_are_left_out_of_the_walk_and_named():
    assert "Left out" in check(opened("backtest", BACKTEST[0], preset("Covered call")))


@pytest.mark.parametrize("estimator", ["filtered", "gaussian", "student", "stressed"])
def test_every_estimator_can_be_walked_or_falls_back(estimator):
    said = check(opened("backtest", BACKTEST[1], preset("ETH/BTC pair"), estimator=estimator))
    if estimator in ("gaussian", "student"):
        assert {"gaussian": "gaussian", "student": "Student-t"}[estimator] in said


def test_too_short_a_history_is_a_message():
    app = opened("backtest", BACKTEST[0], preset("ETH/BTC pair"), lookback=3000)
    check(app)
    assert "leaves 0 days" in app.warning[0].value


def test_a_perfect_hedge_and_an_empty_book():
    hedge = Portfolio((Position("BTC/USD", 1), Position("BTC/USDT:USDT", -1)), (Collateral("USD", 100),))
    for page, view in VIEWS:
        app = opened(page, view, hedge)
        check(app)
    for page in ("backtest", "stress"):
        app = opened(page, "", Portfolio())
        check(app)
        assert "empty" in app.info[0].value


def test_a_shock_moves_the_figures():
    app = opened("stress", "Your own shock")
    before = [m.value for m in app.metric]
    app = app.slider(key="shock_all").set_value(-70).run()
    check(app)
    assert [m.value for m in app.metric] != before


def test_the_account_view_answers_its_sliders():
    app = opened("backtest", BACKTEST[3])
    before = app.dataframe[0].value
    app = app.slider(key="account_maintenance").set_value(90).run()
    check(app)
    assert not app.dataframe[0].value.equals(before)


def judged(app: AppTest, key: str) -> AppTest:
    """The page under the margin model that the header chooses."""
    app.session_state["model"] = key
    return app.run()


def test_the_model_chosen_in_the_header_judges_the_book_through_time():
    app = opened("backtest", BACKTEST[4])
    ours = check(app)
    assert "Under **" in ours and "openings" in ours
    app = judged(app, "binance:cross")
    said = check(app)
    assert "Under **Binance USD-M, cross** losses passed the initial margin" in said
    assert "today's rules on the prices of the past" in said
    before = [m.value for m in app.metric]
    app = app.slider(key="model_hold").set_value(60).run()
    assert [m.value for m in app.metric] != before
    app = app.toggle(key="model_recorded").set_value(True).run()
    assert "No recorded funding of BTC" in check(app), "without a network the rate stands in, and the page says so"


def test_options_are_named_and_a_model_that_does_not_take_the_book_is_a_message():
    app = opened("backtest", BACKTEST[4], preset("Covered call"))
    check(judged(app, "deribit:cross"))
    app = judged(opened("backtest", BACKTEST[4]), "aave:cross")
    check(app)
    assert app.warning or "Under **" in check(app)
