"""Every page under every preset and every estimator runs without an exception and shows figures, never NaN."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from margin.core.settings import CORRELATIONS
from margin.risk.estimators import estimators
from tests.support import ROOT
from ui.state import book, presets, prices, share

PRESETS = [p.title for p in presets.PRESETS]


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened(parameter: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if parameter is not None:
        app.query_params[share.PARAMETER] = parameter
    return app.run()


def texts(app: AppTest) -> str:
    found = [m.value for m in app.metric] + [m.value for m in app.markdown] + [c.value for c in app.caption]
    return "\n".join(str(x) for x in found)


def check(app: AppTest) -> None:
    assert not app.exception, [e.value for e in app.exception]
    assert not re.search(r"\bnan\b|\binf\b|None", texts(app)), texts(app)


def preset_link(title: str, **settings) -> str:
    active = prices.sample()
    chosen = next(p for p in presets.PRESETS if p.title == title)
    made = book.Book.of(presets.build(chosen, active.market, active.last_day))
    return share.encode(replace(made, settings=made.settings.with_(**settings)))


@pytest.mark.parametrize("estimator", [row.key for row in estimators()])
@pytest.mark.parametrize("title", PRESETS)
def test_every_preset_with_every_estimator(title, estimator):
    app = opened(preset_link(title, estimator=estimator))
    check(app)
    shown = {m.label: m.value for m in app.metric}
    assert set(shown) >= {"Isolated", "Portfolio", "With safeguards", "Saved", "Health"}
    assert shown["Isolated"].startswith("$") and shown["Isolated"] != "$0"


@pytest.mark.parametrize(
    "settings",
    [{"measure": "var"}, {"level": 0.99}, {"horizon": 5}, {"lookback": 100}, {"collateral_treatment": "joint"}]
    + [{"estimator": "gaussian", "correlation": c} for c in CORRELATIONS],
    ids=str,
)
def test_every_setting(settings):
    check(opened(preset_link("ETH/BTC pair", **settings)))


@pytest.mark.parametrize("tab", ["Why", "By method", "At equal risk", "Freed capital", "How it is computed"])
@pytest.mark.parametrize("title", ["ETH/BTC pair", "Cash and carry", "Covered call"])
def test_every_explanation(title, tab):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params[share.PARAMETER] = preset_link(title)
    app.session_state["view"] = tab
    check(app.run())


def test_a_long_only_book_is_told_plainly_that_it_saves_next_to_nothing():
    text = texts(opened(preset_link("Long-only majors")))
    assert "Almost nothing is saved because everything is long" in text


@pytest.mark.parametrize("page", ["pages/learn.py", "pages/data.py"])
def test_the_other_pages_run(page):
    app = opened()
    app.switch_page(page).run()
    check(app)


@pytest.mark.parametrize("broken", ["", "%%%", "AAAA", "x" * 5000, "eJwDAAAAAAE", "你好"])
def test_a_broken_link_opens_the_default_book_with_a_message(broken):
    app = opened(broken)
    check(app)
    assert {m.label for m in app.metric} >= {"Isolated"}
    said = " ".join(x.value for x in (*app.warning, *app.info, *app.error))
    assert "link" in said
