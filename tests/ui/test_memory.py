"""Memory is given back: what a visitor brought goes with the visit, results on older prices go with those prices."""

import asyncio
import gc
import tomllib
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from margin import Portfolio, Position, Settings
from tests.support import ROOT
from ui.portfolio.accounts import nearest
from ui.state import compute, leaving, prices
from ui.state.kept import Shelf
from ui.state.visit import Things

CSV = pd.DataFrame(
    100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.03, (400, 3)), axis=0)),
    index=pd.date_range("2024-01-01", periods=400, name="date"), columns=["BTC", "ETH", "SOL"],
).to_csv().encode()  # fmt: skip
BOOK = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -10.0)))


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def test_an_upload_and_all_that_was_computed_on_it_are_gone_after_the_visit():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["data_view"] = "Your own file"
    app = app.run().switch_page("pages/data.py").run()
    app = app.file_uploader(key="upload_file").set_value([("mine.csv", CSV, "text/csv")]).run()
    app = app.button(key="use_upload").click().run()
    for page in ("portfolio", "stress", "correlations", "haircuts", "liquidation"):
        app = app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, [e.value for e in app.exception]
    held = app.session_state["things_of_visit"]
    brought = held["price_upload"]
    assert brought.origin == "upload" and len(brought.results) > 5
    watched = [weakref.ref(brought), weakref.ref(brought.market), weakref.ref(brought.priceset.closes)]
    held.drop()  # as when the visit is closed; what Streamlit still keeps of it does not matter
    del brought
    leaving.give_back()
    assert not [ref for ref in watched if ref() is not None]


def active_prices(origin="fetched", version="1"):
    sample = prices.sample()
    return prices.activate(replace(sample.priceset, version=version), origin)


def test_results_on_a_superseded_set_go_with_it_and_are_not_given_for_the_newer_one():
    old, new = active_prices(version="1"), active_prices(version="2")
    first = compute.compared(BOOK, Settings(), old)
    assert compute.compared(BOOK, Settings(), old) is first
    assert compute.compared(BOOK, Settings(), new) is not first
    nearest(BOOK.accounts[0], Settings(), old)
    watched = weakref.ref(old.market)
    del old, first
    gc.collect()
    assert watched() is None


def test_a_visitors_own_prices_keep_few_results(monkeypatch):
    own, made = active_prices("upload"), []
    counted = compute.remembered(lambda n, _active: made.append(n) or n, 256)
    for n in [*range(compute.OF_ONE + 1), 0]:
        counted(n, own)
    assert made == [*range(compute.OF_ONE + 1), 0]  # the first was put away
    assert counted(1 + 1, own) == 2 and len(made) == compute.OF_ONE + 2  # a later one was not


def test_named_arguments_and_makers_have_results_of_their_own():
    shelf, own = Shelf(), active_prices()
    assert [shelf.get("a", 1, lambda: "x", 2), shelf.get("b", 1, lambda: "y", 2)] == ["x", "y"]
    double = compute.remembered(lambda active, *, by=2: 10 * by)
    assert (double(own), double(own, by=3), double(own)) == (20, 30, 20)
    with pytest.raises(ZeroDivisionError):
        shelf.get("a", 2, lambda: 1 / 0, 2)
    assert shelf.get("a", 2, lambda: "made after it failed", 2) == "made after it failed"


class Server:
    """What of Streamlit's runtime is asked when a visitor has left."""

    def __init__(self, back):
        self.back, self.closed = back, []

    def is_active_session(self, session):
        return session in self.back

    def close_session(self, session):
        self.closed.append(session)


@pytest.mark.parametrize(("back", "closed"), [((), ["one"]), (("one",), [])])
def test_a_visit_is_closed_some_time_after_its_visitor_left_unless_the_visitor_is_back(monkeypatch, back, closed):
    server, freed = Server(back), []
    one = leaving.Visit("one", Things(price_upload="large"))
    monkeypatch.setattr(leaving, "GRACE", 0.02)
    monkeypatch.setattr(leaving.runtime, "get_instance", lambda: server)
    monkeypatch.setattr(leaving, "give_back_soon", lambda: freed.append(1))

    async def visit():
        leaving.left(one)
        assert not server.closed
        await asyncio.sleep(0.01)
        leaving.left(one)  # left again: the time begins anew, and there is one end to it
        await asyncio.sleep(0.1)

    asyncio.run(visit())
    assert server.closed == closed and len(freed) == len(closed)
    assert bool(one.things) is not bool(closed)


def test_the_time_to_come_back_ends_before_streamlit_forgets_the_visit():
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["disconnectedSessionTTL"] - 5 > leaving.GRACE


def test_giving_back_frees_rings_that_were_frozen_while_they_were_in_use():
    class Ring:
        pass

    one = Ring()
    one.own, watched = one, weakref.ref(one)
    gc.freeze()  # as ui/shell/warmup.py does after a run
    del one
    gc.collect()
    assert watched() is not None
    leaving.give_back()
    assert watched() is None
