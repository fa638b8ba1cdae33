"""The started app against exchanges on loopback: live prices arrive, a refresh shows progress, a failing exchange is said."""

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.exchange_server import ExchangeServer
from tests.running_app import CHROMIUM, settled, started_app


def steer(server, *rules):
    body = json.dumps(rules).encode()
    with urlopen(Request(f"{server.address}/_faults", body, {"Content-Type": "application/json"})) as answer:
        assert answer.status == 200


@pytest.fixture
def online(tmp_path):
    """(exchange server, address of an app that reaches exchanges through it)."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs {CHROMIUM}, which is not here")
    with (
        ExchangeServer() as exchanges,
        started_app(tmp_path, MARGIN_OFFLINE="", MARGIN_EXCHANGE_GATEWAY=exchanges.address) as address,
    ):
        yield exchanges, address


def test_real_prices_come_by_themselves_a_live_line_follows_and_a_refresh_is_stopped_or_says_what_failed(
    online, browser
):
    """One start: the first fetch is waited for once, and the refresh begins where it has ended."""
    exchanges, address = online
    page = browser.new_page()
    page.goto(address)
    settled(page)
    page.get_by_text("Exchange prices").first.wait_for(timeout=90_000)
    page.get_by_text("Live:").first.wait_for(timeout=60_000)
    assert page.locator("[data-testid=stMetricValue]").first.inner_text().startswith("$")
    cell = page.get_by_label("Quantity, position 1")
    cell.fill("7.25")
    page.wait_for_timeout(6_000)  # longer than one turn of the live line
    assert cell.input_value() == "7.25"
    page.goto(f"{address}/data")
    settled(page)
    page.get_by_role("tab", name="Refresh").click()
    button = page.get_by_role("button", name="Refresh", exact=True)
    button.wait_for()
    assert button.is_enabled()
    steer(exchanges, {"kind": "hang", "where": "all", "asset": ""})  # so that the refresh cannot end by itself
    button.click()
    stop = page.get_by_role("button", name="Stop, keep what came")
    stop.wait_for(timeout=20_000)
    assert button.is_disabled()
    stop.click()
    page.get_by_text("Stopped; what came is kept.").wait_for(timeout=30_000)
    free = "[...document.querySelectorAll('button')].some(b => b.innerText.includes('Refresh') && !b.disabled)"
    page.wait_for_function(free)
    steer(exchanges, {"kind": "500", "where": "all", "asset": ""})
    button.click()
    page.get_by_text("SPY: Yahoo has a fault of its own (status 500)").wait_for(timeout=60_000)
    page.wait_for_function(free)
    page.close()
