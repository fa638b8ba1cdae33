"""What the server does as it starts: the home page's first answers are there, a desktop gets its browser, once."""

import asyncio
import gc
import threading

import pytest
import streamlit as st
from streamlit import cli_util, config

from tests.support import ROOT
from ui.portfolio.opening import first_page
from ui.shell import ready
from ui.state import compute, prices
from ui.state.session import default_book


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    monkeypatch.setattr(ready, "_begun", [])
    yield
    gc.enable()


def test_the_first_visit_finds_its_answer_computed(monkeypatch):
    first_page()

    def not_again(*_args, **_named):
        raise AssertionError("computed again")

    monkeypatch.setattr(compute, "compare", not_again)
    active = prices.sample()
    found = compute.answer(default_book(active), active)
    assert found.comparison is not None
    assert found.comparison.portfolio > 0


@pytest.mark.parametrize("fails", [False, True])
def test_garbage_is_collected_again_once_the_first_page_is_loaded_or_could_not_be(monkeypatch, fails):
    def broken():
        raise OSError("no sample")

    if fails:
        monkeypatch.setattr(prices, "sample", broken)
    ready.ready(first_page)
    assert not gc.isenabled()
    first_page()
    assert gc.isenabled()


def test_work_begins_with_the_server_and_once_a_process(monkeypatch):
    monkeypatch.setattr(ready, "_open_browser", lambda: None)
    done, count = threading.Event(), []

    def work():
        count.append(1)
        done.set()

    async def serve():
        for _ in range(2):  # a port that was taken: the server starts again
            async with ready.ready(work)(None):
                await asyncio.to_thread(done.wait, 5)

    asyncio.run(serve())
    assert count == [1]


@pytest.mark.parametrize(
    ("headless", "address", "opened"),
    [
        (True, None, []),
        (False, None, ["http://localhost:8501"]),
        (False, "0.0.0.0", ["http://localhost:8501"]),
        (False, "10.1.2.3", ["http://10.1.2.3:8501"]),
    ],
)
def test_a_desktop_gets_its_browser(monkeypatch, headless, address, opened):
    values = {
        "server.headless": headless, "server.address": address, "server.port": 8501, "server.baseUrlPath": "",
        "browser.serverPort": 8501,
    }  # fmt: skip
    monkeypatch.setattr(st, "get_option", values.get)
    monkeypatch.setattr(config, "get_option", values.get)
    monkeypatch.setattr(config, "is_manually_set", lambda name: values.get(name) is not None and "address" in name)
    monkeypatch.setattr(ready, "_OPEN_AFTER", 0.0)
    seen: list[str] = []
    monkeypatch.setattr(cli_util, "open_browser", seen.append)
    ready._open_browser()
    assert seen == opened


def test_streamlit_takes_the_file_for_a_server_and_a_script():
    text = (ROOT / "app.py").read_text(encoding="utf-8")
    assert "st.App(__file__" in text
    assert 'if __name__ == "__main__"' in text
