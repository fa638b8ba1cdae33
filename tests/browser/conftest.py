"""The app as a visitor meets it: `streamlit run` offline on the bundled sample, driven in Chromium.

Every test here carries the marker `browser`, and is skipped where /usr/bin/chromium is missing. Each worker has one
server and one browser.
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


@pytest.fixture(scope="session")
def expect():
    """Playwright's assertions, which wait until a page shows what is asked: long enough for a busy machine."""
    found = pytest.importorskip("playwright.sync_api").expect
    found.set_options(timeout=30_000)
    return found


class Contexts:
    """A browser context for each set of options, used by every test: the app's scripts are then in its cache already.

    Each visit is a tab of its own, and so a session of its own at the server. After a test its tabs are closed, and
    cookies, permissions and stored values are gone.
    """

    def __init__(self, browser):
        self.browser = browser
        self.open = {}

    def of(self, options):
        key = repr(sorted(options.items()))
        if key not in self.open:
            self.open[key] = (self.browser.new_context(**options), options)
        return self.open[key][0]

    def clean(self):
        for context, options in self.open.values():
            for page in context.pages:
                if page.url.startswith("http"):
                    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
                page.close()
            context.clear_cookies()
            context.clear_permissions()
            context.grant_permissions(options.get("permissions", []))


@pytest.fixture(scope="session")
def contexts(browser):
    return Contexts(browser)


@pytest.fixture
def visit(contexts, server):
    """visit(path="", **context options) -> a page on which the app has finished its first run.

    Ends with the check every journey shares: no request left the app's own host, and no script error in the page.
    """
    hosts, faults = set(), []

    def opened(path: str = "", **given):
        options = {"viewport": {"width": 1280, "height": 900}, **given}
        page = contexts.of(options).new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path if path.startswith("http") else server + path)
        settled(page)
        return page

    yield opened
    contexts.clean()
    assert hosts <= {urlsplit(server).netloc, ""}, f"requests left the app: {hosts}"
    assert not faults, faults
