"""A visitor sees the common assets and those it named itself; what others had fetched shows nowhere."""

import sqlite3
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data.cleaning.clean import only
from data.fetch.service import PriceService
from data.fetch.sets import stored_prices
from data.model import SeriesKey
from data.sample import load_sample
from data.store.store import Store
from margin import Portfolio, Position
from tests.support import ROOT
from ui.state import book, prices

NOW = datetime.now(UTC)
DAYS = pd.date_range(end=pd.Timestamp(NOW).tz_localize(None).floor("D") - pd.Timedelta(days=1), periods=600)
VIEWS = ("Coverage", "What was cleaned", "Refresh", "Your own file", "Download")


def candles(seed, level, days=DAYS):
    close = level * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, len(days))))
    return pd.DataFrame({"close": close, "volume": 1e6}, days)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """BTC and ETH, and SECRET, which somebody had fetched: for longer than the others, and with a hole of ten days."""
    path = tmp_path_factory.mktemp("store") / "prices.db"
    store = Store(path)
    older = pd.date_range(end=DAYS[-1], periods=900)
    for number, (asset, level, days) in enumerate(
        [("BTC", 60_000.0, DAYS), ("ETH", 3_000.0, DAYS), ("SECRET", 2.0, older.delete(range(100, 110)))]
    ):
        store.append(SeriesKey("kraken", f"{asset}/USD", "1d"), candles(number, level, days), NOW)
    return store


@pytest.fixture(autouse=True)
def service(monkeypatch, store, tmp_path):
    made = PriceService(store)
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(prices, "service", lambda: made)
    prices._newest.clear()
    yield made
    prices._newest.clear()


def visit(view="Coverage", **state):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["data_view"] = view
    for name, value in state.items():
        app.session_state[name] = value
    return shown(app.run().switch_page("pages/data.py").run())


def shown(app):
    assert not app.exception, [e.value for e in app.exception]
    return app


def everything(app):
    """All that a page sends: texts, tables, charts with their data."""
    tables = [table.value.to_csv() for table in app.dataframe]
    return "\n".join([*(str(getattr(e, "proto", e)) for block in (app.main, app.sidebar) for e in block), *tables])


def test_a_visitor_sees_nothing_of_what_others_had_fetched():
    for view in VIEWS:
        app = visit(view)
        text = everything(app)
        assert "SECRET" not in text, view
        assert next(m.value for m in app.metric if m.label == "Assets") == "2"
        assert next(m.value for m in app.metric if m.label == "First close") == str(DAYS[0])[:10]


def test_a_visitor_sees_what_it_named_itself():
    app = visit(price_names={"SECRET"})
    assert "SECRET" in everything(app) and next(m.value for m in app.metric if m.label == "Assets") == "3"


def test_what_stands_in_the_book_is_the_visitors_own():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.session_state[book._KEY] = app.session_state[book._KEY].loaded(
        book.Book.of(Portfolio((Position("SECRET/USDT:USDT", 100.0),)))
    )
    shown(app.switch_page("pages/data.py").run())
    assert "SECRET" in everything(app)


def audit(**query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for key, value in {"audit_accounts": "10,000", **query}.items():
        app.query_params[key] = value
    return app.switch_page("pages/audit.py").run()


def test_an_audited_file_names_assets_too_and_a_made_up_book_holds_none_of_others():
    assert "SECRET" not in everything(shown(audit()))
    rows = "account,asset,quantity,equity\na,BTC,0.1,900\nb,SECRET,-500,400\n"
    app = audit(audit_book="My files")
    app.file_uploader(key="audit_positions").set_value([("book.csv", rows.encode(), "text/csv")])
    said = everything(shown(app.run()))
    assert "SECRET" in app.session_state["price_names"] and "Of 2 accounts" in said and "not judged" not in said


def test_an_operator_may_show_more(monkeypatch):
    for said, seen in (("pepe, secret", True), ("*", True), ("PEPE", False)):
        monkeypatch.setenv("MARGIN_COMMON_ASSETS", said)
        assert ("SECRET" in everything(visit())) == seen, said


def test_prices_that_grew_old_are_marked_so_and_results_on_them_stay(monkeypatch, store):
    held = [stored_prices(store), stored_prices(store, now=NOW + timedelta(days=9))]
    assert held[0].version == held[1].version
    monkeypatch.setattr(prices, "service", lambda: SimpleNamespace(snapshot=lambda: held[0]))
    monkeypatch.setattr(prices, "named", set)
    fresh = prices.fetched()
    held.pop(0)
    old = prices.fetched()
    assert {p.status for p in fresh.priceset.provenance.values()} == {"stored"}
    assert {p.status for p in old.priceset.provenance.values()} == {"stale"}
    assert old == fresh and old.market is fresh.market and old.results is fresh.results


def test_a_damaged_series_of_others_is_not_told_by_name(monkeypatch, tmp_path):
    path = tmp_path / "prices.db"
    Store(path).append(SeriesKey("kraken", "SECRET/USD", "1d"), candles(1, 2.0), NOW)
    with sqlite3.connect(path) as connection:
        (blob,) = connection.execute("SELECT candles FROM series").fetchone()
        broken = bytes([*blob[:-1], blob[-1] ^ 1])
        connection.execute("UPDATE series SET candles = ?", (broken,))
    damaged = PriceService(Store(path))
    monkeypatch.setattr(prices, "service", lambda: damaged)
    assert not visit().warning and damaged.notices[0].asset == "SECRET"
    assert "SECRET" in visit(price_names={"SECRET"}).warning[0].value


def test_a_part_of_a_price_set_is_as_if_the_rest_had_never_been_there(store):
    whole = stored_prices(store)
    part = only(whole, {"BTC", "ETH", "DOGE"})
    assert part.assets == ["BTC", "ETH"] and set(part.provenance) == {"BTC", "ETH"}
    pd.testing.assert_frame_equal(part.closes, whole.closes[["BTC", "ETH"]].loc[DAYS[0] :], check_freq=False)
    assert list(part.volumes.index) == list(part.closes.index)
    assert [f.kind for f in whole.findings if f.asset == "BTC"] == ["late listing"] and not part.findings
    assert part.version not in (whole.version, only(whole, {"BTC"}).version)
    assert only(whole, whole.assets) is whole
    sample = load_sample()
    kept = only(sample, {"BTC", "SPY"})
    assert [f.kind for f in kept.findings if f.asset == "SPY"].count("calendar") == 1
    assert only(sample, set()).closes.empty
