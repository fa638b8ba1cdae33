"""The Forecast page: every view on every preset, every model, what-ifs, books that cannot be forecast."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from margin.core.account import Account
from tests.support import ROOT
from ui.forecast import judged
from ui.state import book, presets, prices, share

VIEWS = ("What would help", "Where it comes from", "Can I trust it", "Alarms", "Capital for the same safety")
THIN = Portfolio(
    (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0), Position("SOL/USDT:USDT", 200.0)),
    (Collateral("USDC", 5000.0),),
)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(view: str, portfolio: Portfolio | None = None, model: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if portfolio is not None:
        app.query_params[share.PARAMETER] = share.encode(replace(book.Book.of(portfolio)))
    if model is not None:
        app.query_params["model"] = model
    app = app.run()
    app.query_params["forecast_view"] = view
    return app.switch_page("pages/forecast.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(
        [*(str(x.value) for x in (*app.markdown, *app.caption, *app.header)),
         *(f"{m.label} {m.value} {m.delta}" for m in app.metric)]
    )  # fmt: skip
    assert not re.search(r"\bnan\b|\binf\b|None|expected time to liquidation: \d", said), said
    return said


@pytest.mark.parametrize("title", [p.title for p in presets.PRESETS])
def test_every_preset(title):
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == title)
    said = check(opened(VIEWS[0], presets.build(chosen, active.market, active.last_day)))
    assert "chance of liquidation within 3 days" in said or "already" in said


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(view):
    app = opened(view, THIN)
    said = check(app)
    assert not app.warning, [w.value for w in app.warning]
    assert "chance of liquidation within 3 days" in said
    if view == "Can I trust it":
        assert "Independent windows of 3 days" in said
        scores = next(d.value for d in app.dataframe if "Model" in d.value.columns)
        assert scores["Model"].str.contains("boosted trees").any()
    if view == "Capital for the same safety":
        assert len(app.dataframe[0].value) > 20


def test_the_page_says_what_the_engine_says():
    app = opened(VIEWS[0], THIN)
    active = prices.sample()
    found = judged.answer(THIN, active.market, book.Book.of(THIN).settings, None, "liquidation")
    at = found.horizons[1]
    assert app.header[0].value.lower().startswith(judged_words(at.probability))
    app = app.segmented_control(key="forecast_days").set_value("7").run()
    assert "within 7 days" in check(app)
    assert app.header[0].value.lower().startswith(judged_words(found.horizons[2].probability))


def judged_words(odds: float) -> str:
    from margin.forecast.results import printed

    return printed(odds)


def test_money_and_size_change_the_odds():
    app = opened("What would help", THIN)
    before = app.dataframe[0].value
    assert (before["Today"] == before["Then"]).all()
    slider = app.slider(key="forecast_added")
    app = slider.set_value(slider.max).run()
    after = app.dataframe[0].value
    assert (after["Then"] == "below 1%").all() or (after["Then"] != after["Today"]).any()
    check(app)


@pytest.mark.parametrize("model", ["isolated", "safeguarded", "hyperliquid:cross", "binance:isolated", "okx:portfolio"])
def test_every_kind_of_model(model):
    poor = Portfolio(THIN.positions, (Collateral("USDC", 60_000.0),))
    app = opened("Where it comes from", poor, model)
    said = check(app)
    assert app.session_state["model"] == model
    assert "chance of liquidation" in said


def test_a_model_that_cannot_hold_the_book_says_why_and_shows_the_others():
    app = opened(VIEWS[0], THIN, "bitmex:cross")
    assert app.warning
    assert "settled in dollars are not reproduced here" in app.warning[0].value.replace("\\", "")
    assert len(app.dataframe[0].value) > 20


def test_a_correction_on_the_books_own_past():
    app = opened("Can I trust it", THIN)
    before = app.header[0].value
    app = app.toggle(key="forecast_own").set_value(True).run()
    check(app)
    assert app.header[0].value != before
    assert not any("Model" in d.value.columns for d in app.dataframe)  # the stored table's scores say nothing of it


def test_called_already():
    broke = Portfolio(THIN.positions, (Collateral("USDC", 500.0),))
    app = opened(VIEWS[0], broke)
    check(app)
    assert "already" in app.warning[0].value


def test_several_accounts():
    many = Portfolio(accounts=(
        Account(name="HL", venue="hyperliquid", mode="cross", positions=(Position("ETH/USDC:USDC", -20.0),),
                collateral=(Collateral("USDC", 9_000.0),)),
        Account(name="Bin", venue="binance", mode="isolated", positions=(Position("BTC/USDT:USDT", 1.0),),
                collateral=(Collateral("USDT", 9_000.0),)),
    ))  # fmt: skip
    app = opened("Where it comes from", many)
    said = check(app)
    assert "Goes first" in said


def test_options_only():
    options = Portfolio((Position("BTC/USD:BTC-271231-120000-C", -1.0),), (Collateral("USD", 30_000.0),))
    check(opened("Where it comes from", options, "deribit:portfolio"))
