"""The payoff tab shows the engine's greeks, follows the date slider, and says so where nothing moves."""

import pytest
from streamlit.testing.v1 import AppTest

from margin.core.portfolio import Collateral, Portfolio, Position
from margin.ladder.compare import compare
from margin.sample.ready import sample_market
from tests.support import ROOT
from ui.portfolio.options import greeks
from ui.state import share
from ui.state.book import Book

CALL = "BTC/USD:BTC-260925-80000-C"
BOOK = Portfolio(
    (Position(CALL, -1.0, 4_000.0, implied_vol=0.55), Position("BTC/USDT:USDT", 0.5), Position("ETH/USDT:USDT", 2.0)),
    (Collateral("USDC", 50_000.0),),
)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(portfolio: Portfolio) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = share.encode(Book.of(portfolio), "sample")
    app.session_state["view"] = "Payoff and greeks"
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def test_greeks_are_the_engines_and_sum_by_underlying():
    result = compare(BOOK, sample_market())
    table = greeks(result).set_index("Position")
    assert table.loc[CALL, "IV"] == "55.0%"
    assert table.loc[CALL, "Delta"] == result.positions[0].delta < 0
    both = table.loc[CALL, "Delta"] + table.loc["BTC/USDT:USDT", "Delta"]
    assert table.loc["All of BTC", "Delta"] == pytest.approx(both)
    assert table.loc["All of BTC", "Theta"] > 0 > table.loc["All of BTC", "Vega"]


def test_the_tab_draws_and_follows_its_slider():
    app = opened(BOOK)
    slider = next(s for s in app.slider if s.label == "Days from as-of")
    slider.set_value(slider.max).run()
    assert not app.exception
    assert [d.value["Position"].iloc[-1] for d in app.dataframe][-1] == "All of ETH"


def test_a_book_without_options_has_a_payoff_without_a_slider():
    app = opened(Portfolio((Position("BTC/USDT:USDT", 1.0),), (Collateral("USDC", 1e4),)))
    assert not [s for s in app.slider if s.label == "Days from as-of"]
    assert list(app.dataframe[-1].value.columns) == ["Position", "Delta", "Delta, USD"]
