"""The Data page: what a visitor's own price file becomes, and what it asks where the file does not say."""

import pytest
from streamlit.testing.v1 import AppTest

from margin.sample.load import load_sample
from tests.support import ROOT
from ui.state import prices

ROWS = "\n".join(f"2024-{1 + n // 28:02d}-{1 + n % 28:02d},{60_000 + n}" for n in range(84))
UNNAMED = f"Date,Close\n{ROWS}\n".encode()


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


@pytest.fixture
def page():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["data_view"] = "Your own file"
    return app.run().switch_page("pages/data.py").run()


def brought(app, name, content):
    app.file_uploader(key="upload_file").set_value([(name, content, "text/csv")]).run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def said(app):
    return "\n".join(str(x.value) for x in [*app.markdown, *app.caption, *app.error])


def test_a_file_that_does_not_say_which_asset_it_holds_is_asked_in_a_text_box(page):
    brought(page, "my prices.csv", UNNAMED)
    (box,) = page.text_input
    assert "Which asset" in box.label and "closes** of" not in said(page)
    box.set_value("btc-usd").run()
    assert "**84 closes** of **1 assets**" in said(page) and "BTC" in said(page)
    page.button(key="use_upload").click().run()
    assert not page.exception


class Running:
    """A price service in the middle of a refresh of SECRET, started by somebody as number 7."""

    state, run, message, failures, notices = "running", 7, "", {}, ()
    stopped = False

    def snapshot(self):
        return load_sample()

    def refresh(self, *_):
        return False

    def progress(self):
        return {"SECRET": (0.5, "kraken SECRET/USD")}

    def cancel(self):
        self.stopped = True


@pytest.fixture
def refreshing(monkeypatch):
    service = Running()
    monkeypatch.setenv("MARGIN_OFFLINE", "0")
    monkeypatch.setattr(prices, "service", lambda: service)
    return service


def refresh_view(mine):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["data_view"] = "Refresh"
    if mine:
        app.session_state["refresh_run"] = 7
    app = app.run().switch_page("pages/data.py").run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def test_a_visitor_does_not_see_anothers_ticker_in_the_refresh_nor_stops_it(refreshing):
    app = refresh_view(mine=False)
    assert "being refreshed" in said(app)
    assert not app.get("progress") and not [b for b in app.button if b.key == "refresh_stop"]


def test_the_visitor_whose_refresh_it_is_sees_its_names_and_stops_it(refreshing):
    app = refresh_view(mine=True)
    (bar,) = app.get("progress")
    assert "SECRET" in str(bar.proto)
    app.button(key="refresh_stop").click().run()
    assert refreshing.stopped
