"""The app as a visitor meets it: `streamlit run` offline on the bundled sample, driven in Chromium.

Every test here carries the marker `browser`, runs in one xdist group (one server, one browser) and is skipped where
/usr/bin/chromium is missing.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import ROOT

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_healthy(process: subprocess.Popen, address: str, seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.1)):
        assert process.poll() is None, "streamlit ended before it served a page"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"streamlit did not answer within {seconds} s")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a started app: offline, an empty price store of its own."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs {CHROMIUM}, which is not here")
    folder = tmp_path_factory.mktemp("app")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}"]
    options = ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
    environment = {**os.environ, "MARGIN_OFFLINE": "1", "MARGIN_DATA_DIR": str(folder)}
    environment.pop("MARGIN_EXCHANGE_GATEWAY", None)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(20)
            shutil.copy(folder / "log", folder / "log.kept")


@pytest.fixture(scope="session")
def browser(server):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, server):
    """visit(path="", **context options) -> a page on which the app has finished its first run.

    Ends with the check every journey shares: no request left the app's own host, and no error in the console.
    """
    contexts, hosts, faults = [], set(), []

    def opened(path: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(server + path)
        settled(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert hosts <= {urlsplit(server).netloc, ""}, f"requests left the app: {hosts}"
    assert not faults, faults


def settled(page) -> None:
    """Wait until Streamlit has finished its run and drawn it."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
