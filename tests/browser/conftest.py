"""The app as a visitor meets it: `streamlit run` offline on the bundled sample, driven in Chromium.

Every test here carries the marker `browser`, is skipped where /usr/bin/chromium is missing, and runs in the xdist group of
its file: each worker has one server and one browser.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.running_app import CHROMIUM, CHROMIUM_FLAGS, settled, started_app


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a started app: offline, an empty price store of its own."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs {CHROMIUM}, which is not here")
    with started_app(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="session")
def browser(server):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, server):
    """visit(path="", **context options) -> a page on which the app has finished its first run.

    Ends with the check every journey shares: no request left the app's own host, and no script error in the page.
    """
    contexts, hosts, faults = [], set(), []

    def opened(path: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path if path.startswith("http") else server + path)
        settled(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert hosts <= {urlsplit(server).netloc, ""}, f"requests left the app: {hosts}"
    assert not faults, faults
