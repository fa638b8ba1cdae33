"""The dashboard as a visitor feels it: edit latency in Chromium, time to the first usable page, 50 visitors at once.

python -m benchmarks.bench_app [edits] [start] [users]        (all three when none is named)

Each part ends by itself within three minutes, on a busy machine too: what it had measured by then is printed, with the
load of the machine and the server's own CPU time, which tell a slow app from a busy machine.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.running_app import CHROMIUM, CHROMIUM_FLAGS, server_of, settled, started_app

EDITS, STARTS = 150, 4
USERS, THINK_SECONDS, USER_SECONDS = 50, 5.0, 60.0
MOST_SECONDS = 110.0  # of one part, whatever the machine
ANSWER_SECONDS = 30.0  # an edit that takes longer is an error

# What `start` is compared with: the least that anyone would call a Streamlit page with a chart.
BARE = """import plotly.graph_objects as go
import streamlit as st

st.title("One chart")
st.plotly_chart(go.Figure(go.Scatter(x=[1, 2, 3], y=[2, 1, 3])))
"""

# Times are taken inside the page: from the keystroke's input event to the frame in which the figure has changed.
WATCH = """
() => {
  window.shown = [];
  let last = null;
  const value = () => document.querySelectorAll("[data-testid=stMetricValue]")[1]?.textContent;
  new MutationObserver(() => {
    const now = value();
    if (now !== last) { last = now; window.shown.push(performance.now()); }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
  document.addEventListener("input", () => { window.typed = performance.now(); window.shown = []; }, true);
}
"""


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def edits() -> None:
    """A quantity typed over, again and again, on the default book; every answer waited for."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder, started_app(Path(folder)) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        settled(page)
        page.wait_for_timeout(1500)
        page.evaluate(WATCH)
        cell = page.get_by_label("Quantity, position 1")
        before, until = 0.0, time.monotonic() + MOST_SECONDS
        for i in range(EDITS + 10):
            if i == 10:
                before = cpu_seconds(server_of(address))
            cell.fill(f"{40 + (i % 97) * 0.37:.2f}")
            page.wait_for_function("window.shown.length > 0")
            page.wait_for_timeout(120)
            if i >= 10:
                times.append(page.evaluate("window.shown[0] - window.typed"))
            if time.monotonic() > until:
                break
        used = cpu_seconds(server_of(address)) - before
    print(
        f"edit -> new figures in the browser: p50 {statistics.median(times):.0f} ms, "
        f"p95 {quantile(times, 0.95):.0f} ms, max {max(times):.0f} ms "
        f"over {len(times)} edits (target p50 <= 100, p95 <= 250); "
        f"the server used {1000 * used / len(times):.0f} ms of CPU an edit; {load()}"
    )


def start() -> None:
    """From the start of `streamlit run` to a usable page in a running browser, ours and a bare page's in turn."""
    ours: list[float] = []
    bare: list[float] = []
    cpu: dict[int, list[float]] = {id(ours): [], id(bare): []}
    until = time.monotonic() + MOST_SECONDS - 40.0  # a pair of starts is the least that is waited for
    with chromium() as browser, tempfile.TemporaryDirectory() as place:
        script = Path(place) / "bare.py"
        script.write_text(BARE)
        for _ in range(STARTS + 1):
            for times, app in ((bare, script), (ours, None)):
                with tempfile.TemporaryDirectory() as folder:
                    page = browser.new_page(viewport={"width": 1280, "height": 900})
                    began = time.perf_counter()
                    with started_app(Path(folder), app=app) as address:
                        page.goto(address)
                        page.locator(".js-plotly-plot .main-svg").first.wait_for()
                        if app is None:
                            page.locator("[data-testid=stMetricValue]").nth(4).wait_for()
                            page.get_by_label("Quantity, position 1").wait_for()
                        times.append(time.perf_counter() - began)
                        cpu[id(times)].append(cpu_seconds(server_of(address)))
                        page.close()
            if time.monotonic() > until:
                break
    mine_cpu, bare_cpu = (statistics.median(cpu[id(times)]) for times in (ours, bare))
    ours, bare = ours[1:] or ours, bare[1:] or bare  # the first of each warms the disk
    ratios = [mine / other for mine, other in zip(ours, bare, strict=True)]
    print(
        f"streamlit run -> first page usable: median {statistics.median(ours):.2f} s, worst {max(ours):.2f} s over "
        f"{len(ours)} starts (target <= 3 s); a bare page with one chart, in turn with it, "
        f"{statistics.median(bare):.2f} s: ratio {statistics.median(ratios):.2f} (target <= 1.3); "
        f"CPU of the server by then {mine_cpu:.2f} s and {bare_cpu:.2f} s; {load()}"
    )


class Visitor:
    """One visitor's websocket: opens the page, edits a quantity, waits for the run to finish. No browser."""

    def __init__(self, address: str, number: int):
        self.url = address.replace("http", "ws", 1) + "/_stcore/stream"
        self.number = number
        self.chance = random.Random(number)
        self.widget = ""
        self.query = ""  # what the browser's address holds: the app writes it, and it comes back with every edit
        self.rows: list[dict] = []
        self.version = 0
        self.portfolio = ""

    async def connect(self) -> None:
        import websockets

        self.socket = await websockets.connect(self.url, subprotocols=["streamlit"], max_size=None)
        await self.run(None)

    async def run(self, edit: dict | None) -> tuple[float, float]:
        """(seconds to the new figure, seconds to the end of the run) of one rerun. Raises on a failed run."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = BackMsg()
        message.rerun_script.query_string = self.query
        if edit is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.json_value = self.widget, json.dumps({"edit": edit})
        before, began, figure = self.portfolio, time.perf_counter(), 0.0
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await asyncio.wait_for(self.socket.recv(), ANSWER_SECONDS))
            kind = answer.WhichOneof("type")
            if kind == "delta":
                self.read(answer.delta.new_element)
                if not figure and self.portfolio != before:
                    figure = time.perf_counter() - began
            elif kind == "script_finished":
                if answer.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    raise RuntimeError(f"run ended with status {answer.script_finished}")
                return figure, time.perf_counter() - began

    def read(self, element: Any) -> None:
        if element.WhichOneof("type") == "exception":
            raise RuntimeError(element.exception.message)
        if element.metric.label == "Portfolio":
            self.portfolio = element.metric.body
        component = element.bidi_component
        data = component.json or component.mixed.json
        if component.component_name == "editable_table" and data and "Positions" in data:
            shown = json.loads(data)
            self.widget, self.rows, self.version = component.id, shown["rows"], shown["version"]
        if component.component_name == "address" and data:
            self.query = urllib.parse.urlencode(json.loads(data)["set"])

    async def edit_often(self, until: float, figures: list[float], runs: list[float], errors: list[str]) -> None:
        """Think, edit, wait for the answer; again until that time."""
        await asyncio.sleep(self.chance.uniform(0, THINK_SECONDS))
        step = 0
        while time.monotonic() < until:
            try:
                self.rows[0]["cells"]["quantity"] = f"{self.chance.uniform(5, 90):.3f}"
                edit = {"version": self.version, "seq": step, "edit": step, "rows": self.rows}
                figure, run = await self.run(edit)
                if not figure:
                    raise RuntimeError("the figure did not change")
                figures.append(1000 * figure)
                runs.append(1000 * run)
            except Exception as error:
                errors.append(f"visitor {self.number}: {error!r}")
                return
            step += 1
            await asyncio.sleep(self.chance.expovariate(1 / THINK_SECONDS))


async def visitors(address: str) -> None:
    everyone = [Visitor(address, i) for i in range(USERS)]
    for visitor in everyone:  # one after the other, as people come
        await visitor.connect()
    if not all("p=" in visitor.query for visitor in everyone):
        raise RuntimeError("the address does not hold the book")
    figures: list[float] = []
    runs: list[float] = []
    errors: list[str] = []
    began, before = time.monotonic(), cpu_seconds(server_of(address))
    until = began + USER_SECONDS
    await asyncio.gather(*(visitor.edit_often(until, figures, runs, errors) for visitor in everyone))
    rate = len(runs) / (time.monotonic() - began)
    used = cpu_seconds(server_of(address)) - before
    print(
        f"{USERS} visitors, think time {THINK_SECONDS:g} s, {rate:.1f} edits/s, the state in the address: "
        f"figures p50 {statistics.median(figures):.0f} ms, "
        f"p95 {quantile(figures, 0.95):.0f} ms; "
        f"whole run p95 {quantile(runs, 0.95):.0f} ms; {len(errors)} errors "
        f"in {len(runs)} edits (target p95 <= 300 ms, 0 errors); "
        f"the server used {1000 * used / len(runs):.0f} ms of CPU an edit; {load()}"
    )
    for error in errors[:5]:
        print("  ", error)
    for visitor in everyone:
        await visitor.socket.close()


def users() -> None:
    with tempfile.TemporaryDirectory() as folder, started_app(Path(folder)) as address:
        urllib.request.urlopen(address, timeout=10).read()
        asyncio.run(visitors(address))


def main(names: list[str]) -> int:
    parts = {"edits": edits, "start": start, "users": users}
    unknown = [name for name in names if name not in parts]
    if unknown:
        print(f"error: {unknown[0]!r} is not one of {', '.join(parts)}", file=sys.stderr)
        return 2
    chip = subprocess.run(["uname", "-mr"], capture_output=True, text=True, check=False).stdout.strip()
    print(f"$ python -m benchmarks.bench_app {' '.join(names)}   ({chip})")
    for name in names or parts:
        parts[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
