"""The Venues page: every preset, spot as perpetuals, a slider of a venue's own rules, what nobody can hold."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from tests.support import ROOT
from ui import book, presets, prices, share


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(portfolio: Portfolio | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    if portfolio is not None:
        app.query_params[share.PARAMETER] = share.encode(replace(book.Book.of(portfolio)))
    return app.run().switch_page("pages/venues.py").run()


def check(app: AppTest) -> str:
    assert not app.exception, [e.value for e in app.exception]
    said = "\n".join(str(x.value) for x in (*app.metric, *app.markdown, *app.caption, *app.subheader))
    assert not re.search(r"\bnan\b|\binf\b|None", said), said
    return said


@pytest.mark.parametrize("title", [p.title for p in presets.PRESETS])
def test_every_preset(title):
    active = prices._sample()
    chosen = next(p for p in presets.PRESETS if p.title == title)
    app = opened(presets.build(chosen, active.market, active.last_day))
    check(app)
    for toggle in list(app.toggle):
        app = toggle.set_value(True).run()
        check(app)


def test_the_least_comes_first_and_every_line_has_a_source():
    app = opened()
    said = check(app)
    assert "asks least to open this book" in said
    table, lines = app.dataframe[0].value, app.dataframe[1].value
    amounts = [float(x.replace("$", "").replace(",", "")) for x in table["Initial"]]
    assert amounts == sorted(amounts)
    assert lines["Source"].str.len().min() > 10
    for option in app.selectbox(key="venue_picked").options:
        app = app.selectbox(key="venue_picked").set_value(option).run()
        check(app)


def test_open_interest_raises_what_dydx_asks():
    held = Portfolio((Position("SOL/USDT:USDT", 100),), (Collateral("USDC", 5000),))
    app = opened(held)
    names = app.selectbox(key="venue_picked").options
    app = app.selectbox(key="venue_picked").set_value(next(n for n in names if n.startswith("dYdX"))).run()
    before = app.dataframe[0].value.set_index("Venue")["Initial"]["dYdX v4"]
    app = app.slider(key="venue_dydx_open_interest").set_value(1.0).run()
    check(app)
    assert app.dataframe[0].value.set_index("Venue")["Initial"]["dYdX v4"] != before


def test_what_nobody_can_hold_is_said():
    said = check(opened(Portfolio((Position("SPY/USD", 10),))))
    assert "No venue reproduced here can hold this book" in said
    assert "it lists perpetuals, no spot" in said.replace("\\", "")
