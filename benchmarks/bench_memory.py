"""Memory of the started app: before, at the peak, 150 s after the last visitor left; others' edits meanwhile.

python -m benchmarks.bench_memory [upload] [columns] [gzip] [superseded] [stalls] [edits]

All but the last when none is named.

upload     : ../shared/files/memory_0.parquet, 0.9 MB, 190,000 days x 25 assets (refused: days before 1970); and the
             largest file that is read, 80,000 days x 60 assets, used on five pages
columns    : a CSV with a million columns
gzip       : an exchange whose every answer unpacks to 300 MB
edits      : the three above and no waiting: only another visitor's edits meanwhile
superseded : ten fetched sets of 5 million cells, one after the other, with results on each (one process, no browser)
stalls     : how long another thread of the process waits for its turn while the largest file is read, in CPU time, so
             that a busy machine does not matter
"""

import asyncio
import contextlib
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.bench_app import Visitor, chromium, load, quantile
from tests.exchange_server import ExchangeServer, Fault
from tests.running_app import settled, started_app
from tests.support import SHARED

AFTER = 150.0  # seconds after the last visitor left
waiting = True  # for it
PAGES = ("portfolio", "stress", "correlations", "haircuts", "liquidation")


class Meter:
    """MB that a process and its children hold, read ten times a second."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.peak, self._stop = process, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def now(self) -> float:
        total = 0
        with contextlib.suppress(psutil.Error):  # one has just ended
            for process in [self.process, *self.process.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
        return total / 1e6

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, self.now())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def page_of(browser: Any) -> Any:
    """A visitor's page; patient, for the machine may be busy."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(180_000)
    return page


# Whether a refresh may be started: none is running.
FREE = """() => [...document.querySelectorAll("button")]
  .some(b => b.innerText.trim().endsWith("Refresh") && !b.disabled)"""
PAUSE = 0.3  # seconds between two edits of the other visitor
ALONE = 20  # edits before anything else happens, to be compared with


@contextmanager
def another_visitor(address: str) -> Iterator[None]:
    """A visitor without a browser who edits a quantity all the while; the times are printed at the end.

    A time runs from the edit's message to the new figure's, so it is the server's and not that of a browser beside it.
    """
    ready, stop, times, alone = threading.Event(), threading.Event(), [], []
    failed: list[BaseException] = []

    async def edit(visitor: Visitor, number: int) -> float:
        visitor.rows[0]["cells"]["quantity"] = f"{40 + (number % 97) * 0.37:.2f}"
        seconds, _ = await visitor.run(
            {"version": visitor.version, "seq": number, "edit": number, "rows": visitor.rows}
        )
        if not seconds:
            raise RuntimeError("the figure did not change")
        await asyncio.sleep(PAUSE)
        return 1000.0 * seconds

    async def visit() -> None:
        visitor = Visitor(address, 1)
        await visitor.connect()
        alone.extend([await edit(visitor, number) for number in range(ALONE)])
        ready.set()
        number = ALONE
        while not stop.is_set():
            times.append(await edit(visitor, number))
            number += 1
        await visitor.socket.close()

    def run() -> None:
        try:
            asyncio.run(visit())
        except BaseException as error:  # said by the thread that waits
            failed.append(error)
            ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    yield
    stop.set()
    thread.join()
    if failed:
        raise failed[0]
    print(
        f"  another visitor's {len(times)} edits meanwhile: p50 {quantile(times, 0.5):.0f} ms, "
        f"max {max(times):.0f} ms (target <= 500); {len(alone)} before it: p50 {quantile(alone, 0.5):.0f}, "
        f"max {max(alone):.0f}; {load()}",
        flush=True,
    )


def told(what: str, address: str, visit: Callable[[Any], None]) -> None:
    """The three figures around one visit."""
    port = int(address.rsplit(":", 1)[1])
    server = next(p for p in psutil.Process().children() if f"--server.port={port}" in p.cmdline())
    meter = Meter(server)
    with chromium() as browser:
        page = page_of(browser)
        for name in PAGES:  # what every process loads once
            page.goto(f"{address}/{name}")
            settled(page)
        page.close()
        time.sleep(2.0)
        before = meter.now()
        visit(browser)
    if not waiting:
        meter.close()
        return
    time.sleep(AFTER)
    after = meter.now()
    meter.close()
    print(
        f"{what}: {before:.0f} MB before, {meter.peak:.0f} at the peak, {after:.0f} {AFTER:.0f} s after all left",
        flush=True,
    )


def upload_of(name: str, content: bytes, address: str, browser: Any, accepted: bool) -> None:
    """One visitor brings a file, uses it where it is accepted, and looks at five pages; another one edits."""
    page = page_of(browser)
    page.goto(f"{address}/data?data_view=Your+own+file")
    settled(page)
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    with another_visitor(address):
        begun = time.monotonic()
        page.locator("input[type=file]").set_input_files(file)
        used, refused = page.get_by_role("button", name="Use these prices"), page.get_by_test_id("stAlert")
        used.or_(refused).first.wait_for()
        said = "" if used.count() else f": {refused.first.inner_text()[-160:]!r}"
        print(f"  {'read' if used.count() else 'refused'} after {time.monotonic() - begun:.1f} s{said}", flush=True)
        assert bool(used.count()) == accepted
        if accepted:
            used.click()
            settled(page)
            for title in PAGES:
                begun = time.monotonic()
                go_to(page, title)
                settled(page)
                print(f"  {title}: {time.monotonic() - begun:.1f} s", flush=True)
        time.sleep(2.0)  # what follows a refusal is meanwhile too
        page.close()


def go_to(page: Any, title: str) -> None:
    """Another page of the same visit, by the menu."""
    for section in page.get_by_test_id("stTopNavSection").all():
        section.click()
        link = page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title.capitalize())
        page.wait_for_timeout(300)
        if link.count():
            link.first.click()
            return
        page.keyboard.press("Escape")
    raise LookupError(title)


def upload() -> None:
    path = SHARED / "files" / "memory_0.parquet"
    if path.exists():
        with tempfile.TemporaryDirectory() as folder, started_app(Path(folder)) as address:
            content = path.read_bytes()
            told(
                f"{path.name}, {len(content) / 1e6:.1f} MB", address,
                lambda browser: upload_of(path.name, content, address, browser, False),
            )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, started_app(Path(folder)) as address:
        largest = _largest_accepted()
        told(
            f"4.8 million cells in {len(largest) / 1e6:.1f} MB", address,
            lambda browser: upload_of("largest.parquet", largest, address, browser, True),
        )  # fmt: skip


def _largest_accepted() -> bytes:
    """80,000 days of 60 assets, few different prices: as many cells as are read, in less than 2 MB."""
    days = pd.date_range("1971-01-01", periods=80_000)
    names = ["BTC", "ETH", "SOL", "USDC", *(f"COIN{i}" for i in range(56))]
    levels = np.random.default_rng(1).integers(90, 111, (4_000, len(names)))
    return bytes(pd.DataFrame(np.repeat(levels, 20, axis=0).astype(float), days, names).to_parquet())


def columns() -> None:
    content = b"date" + b"," * 1_000_000 + b"\n2024-01-01" + b",1" * 100
    with tempfile.TemporaryDirectory() as folder, started_app(Path(folder)) as address:
        wide = b"," * 1_000_000 + b"\n2024-01-01" + b",1" * 100
        told(
            "CSV of a million columns", address, lambda b: upload_of("wide.csv", content[:50] + wide, address, b, False)
        )


def gzip() -> None:
    with ExchangeServer() as exchange, tempfile.TemporaryDirectory() as folder:
        exchange.faults.append(Fault("bomb", where="all"))
        online = {"MARGIN_OFFLINE": "", "MARGIN_EXCHANGE_GATEWAY": exchange.address}
        with started_app(Path(folder), **online) as address:

            def visit(browser: Any) -> None:
                page = page_of(browser)
                page.goto(f"{address}/data?data_view=Refresh")
                start = page.get_by_role("button", name="Refresh", exact=True)
                page.wait_for_function(FREE)  # the refresh that the first page started is over
                with another_visitor(address):
                    begun = time.monotonic()
                    start.click()
                    page.wait_for_function(f"!({FREE})()")
                    page.wait_for_function(FREE)
                    print(f"  refreshed, all in vain, in {time.monotonic() - begun:.1f} s", flush=True)
                page.close()

            told("gzip answers of 300 MB", address, visit)


def superseded() -> None:
    from margin import Portfolio, Position, Settings
    from ui.state import compute, leaving, prices

    class Service:
        version = 0

        def snapshot(self) -> Any:
            return replace(frame, version=str(self.version), provenance={})

    os.environ["MARGIN_COMMON_ASSETS"] = "*"  # one visitor's own would be a part of the set
    sample = prices.sample().priceset
    rng = np.random.default_rng(1)
    days = pd.date_range("1985-01-01", periods=15_000)
    names = ["BTC", "ETH", *(f"COIN{i}" for i in range(331))]
    closes = pd.DataFrame(100.0 * np.exp(np.cumsum(rng.normal(0, 0.02, (15_000, 333)), axis=0)), days, names)
    frame = replace(sample, closes=closes, volumes=closes * np.nan)
    service = Service()
    prices.service = lambda: service  # type: ignore[assignment]
    book = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -10.0)))
    meter = Meter(psutil.Process())
    gc.collect()
    before = meter.now()
    for service.version in range(1, 11):
        active = prices.fetched()
        assert active is not None
        compute.compared(book, Settings(), active)
        gc.freeze()  # as the pages do after a run
    del active
    time.sleep(leaving.PAUSE + 2.0)
    after = meter.now()
    meter.close()
    figures = f"{before:.0f} MB before, {meter.peak:.0f} at the peak, {after:.0f} with the last"
    print(f"ten fetched sets of 5 million cells: {figures}", flush=True)


def edits() -> None:
    global waiting
    waiting = False
    for part in (upload, columns, gzip):
        part()


def stalls() -> None:
    from data.files.read import read_prices
    from ui.state import prices

    content, gaps, done = _largest_accepted(), [], threading.Event()

    def other_visitor() -> None:
        last = time.process_time()
        while not done.is_set():
            time.sleep(0.001)
            now = time.process_time()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=other_visitor)
    thread.start()
    prices.activate(read_prices(content, "largest.parquet"), "upload")
    done.set()
    thread.join()
    print(
        f"another thread waits at most {1000 * max(gaps):.0f} ms of CPU time while the largest file is read", flush=True
    )


if __name__ == "__main__":
    parts = {
        "edits": edits,
        "upload": upload,
        "columns": columns,
        "gzip": gzip,
        "superseded": superseded,
        "stalls": stalls,
    }
    for name in sys.argv[1:] or [*parts][1:]:
        parts[name]()
