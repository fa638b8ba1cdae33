"""A book of nothing, or of next to nothing: every page stays up, points to a start that is there, and writes no nan."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from margin import Collateral, Portfolio, Position
from tests.support import ROOT
from ui.state import book, presets

PAGES = ("stress", "haircuts", "liquidation", "backtest", "forecast", "hedge", "venues", "correlations")
NEEDED = ("stress", "liquidation", "backtest", "forecast", "hedge", "venues")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


@pytest.fixture(scope="module")
def app():
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MARGIN_OFFLINE", "1")
        return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def hold(app, portfolio):
    app.session_state[book._KEY] = app.session_state[book._KEY].loaded(book.Book.of(portfolio))
    return app


def started_from(app):
    (pills,) = [p for p in app.button_group if str(p.key).startswith("preset_")]
    return pills


def said(app):
    assert not app.exception, [e.value for e in app.exception]
    parts = (*app.metric, *app.markdown, *app.caption, *app.warning, *app.info, *app.error)
    return "\n".join(f"{getattr(p, 'label', '')} {p.value}" for p in parts)


@pytest.mark.parametrize("page", NEEDED)
def test_an_empty_page_points_to_a_start_that_is_there(app, page):
    hold(app, Portfolio(()))
    app.switch_page(f"pages/{page}.py").run()
    assert "The book is empty. Choose a start or build one on the Portfolio page." in said(app)
    assert presets.PRESETS[0].title in str(started_from(app).options)


def test_the_start_that_is_marked_is_that_of_the_book_and_of_no_other(app):
    app.switch_page("pages/portfolio.py").run()
    started_from(app).set_value(presets.PRESETS[1].title).run()
    assert started_from(app).value == presets.PRESETS[1].title
    hold(app, Portfolio((Position("SOL/USDT:USDT", 3.0),))).run()
    assert started_from(app).value is None and presets.PRESETS[1].title not in str(app.session_state[book._KEY].present)


@pytest.mark.parametrize("size", [1e-13, 5e-324])
def test_the_smallest_sizes_write_no_nan_and_take_no_page_down(app, size):
    hold(app, Portfolio((Position("BTC/USDT:USDT", size),), (Collateral("USDC", size),)))
    for page in ("portfolio", *PAGES):
        app.switch_page(f"pages/{page}.py").run()
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b", said(app)), page


def test_the_logo_is_drawn_not_typed():
    """A word in a font that a visitor lacks would be cut: it is paths."""
    logo = (ROOT / "ui" / "shell" / "logo.svg").read_text(encoding="utf-8")
    assert "<path" in logo and "<text" not in logo and "font" not in logo
