"""`streamlit run app.py` as a child process, offline, with its own price store; for browser tests and benchmarks."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import ROOT

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


_servers: dict[str, int] = {}


def server_of(address: str) -> int:
    """The process that `started_app` started at this address."""
    return _servers[address]


@contextmanager
def started_app(folder: Path, wait: bool = True, app: Path | None = None, **environment: str) -> Iterator[str]:
    """Address of a started app; `folder` takes its price store and its log. Ends the process it started.

    app : another script than Margin Lab's own
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(app or ROOT / "app.py"), f"--server.port={port}"]
    options = ["--server.address=127.0.0.1", "--server.headless=true", "--server.fileWatcherType=none"]
    variables = {**os.environ, "MARGIN_OFFLINE": "1", "MARGIN_DATA_DIR": str(folder), **environment}
    if "MARGIN_EXCHANGE_GATEWAY" not in environment:
        variables.pop("MARGIN_EXCHANGE_GATEWAY", None)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, *options], cwd=ROOT, env=variables, stdout=log, stderr=log)
        _servers[address] = process.pid
        try:
            if wait:
                wait_until_healthy(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_healthy(process: "subprocess.Popen | None", address: str, seconds: float = 60.0) -> None:
    """Return once the server answers. Raises AssertionError when it ends first or takes too long."""
    for _ in range(int(seconds / 0.05)):
        assert process is None or process.poll() is None, "streamlit ended before it served a page"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"streamlit did not answer within {seconds} s")


def settled(page) -> None:
    """Wait until Streamlit has finished its run and drawn it. `page` is Playwright's."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
