"""A real book in, in one paste, in Chromium: an address, a venue's answer, ccxt's print, a page's table, Deribit names."""

import json

import pytest

from tests.exchange_server import ExchangeServer
from tests.exchange_server.accounts import DYDX, WALLET
from tests.exchange_server.faults import Fault
from tests.running_app import settled, started_app

PASTES = {
    "a venue's answer": (
        json.dumps({"result": {"list": [
            {"symbol": "BTCUSDT", "side": "Sell", "size": "0.5", "avgPrice": "61000", "leverage": "10"},
            {"symbol": "ETHUSDT", "side": "Buy", "size": "0", "avgPrice": "0"}]}}),
        ["BTC/USDT:USDT"],
    ),
    "ccxt as Python prints it": (
        "[{'info': {}, 'symbol': 'BTC/USDT:USDT', 'contracts': None, 'contractSize': 1.0, 'side': 'short', "
        "'notional': 30000.0, 'markPrice': 60000.0, 'entryPrice': 61000.0, 'percentage': nan, 'hedged': False}]",
        ["BTC/USDT:USDT"],
    ),
    "a page's table": (
        "Symbol\tSize\tEntry Price\tMark Price\tLiq.Price\nBTCUSDT Perp 20x\t-0.500 BTC\t61,000.0\t60,000.0\t90,000\n"
        "ETHUSDT Perp 10x\t3.000 ETH\t3,000.00\t3,100.00\t--",
        ["BTC/USDT:USDT", "ETH/USDT:USDT"],
    ),
    "German numbers": (
        "Symbol;Seite;Größe;Einstieg\nBTCUSDT;Short;0,5;61.000,00\nETHUSDT;Long;3;3.000,00",
        ["BTC/USDT:USDT", "ETH/USDT:USDT"],
    ),
    "Deribit names": (
        "Instrument\tSize\tAvg price\nBTC-PERPETUAL\t-60,000 USD\t61,000\nETH-PERPETUAL\t3,000 USD\t3,000",
        ["BTC/USD:BTC", "ETH/USD:ETH"],
    ),
}  # fmt: skip


def paste(page, text: str) -> None:
    page.get_by_role("button", name="Import").click()
    page.get_by_role("textbox", name="Paste anything").fill(text)
    page.get_by_role("button", name="Read", exact=True).click()


def symbols(page) -> list[str]:
    page.get_by_label("Symbol, position 1").wait_for()
    return [box.input_value() for box in page.get_by_label("Positions").locator("td[data-key=symbol] input").all()]


@pytest.mark.parametrize("kind", PASTES)
@pytest.mark.parametrize("width", [1280, 390], ids=["desk", "phone"])
def test_a_paste_is_shown_then_opened_then_undone(visit, kind, width):
    text, wanted = PASTES[kind]
    page = visit(viewport={"width": width, "height": 850})
    before = symbols(page)
    paste(page, text)
    page.get_by_text("Nothing is changed yet").wait_for()
    assert symbols(page) == before
    page.get_by_role("button", name="Open it", exact=True).click()
    page.get_by_text("Undo brings the old book back").wait_for()
    settled(page)
    assert symbols(page) == wanted
    page.get_by_role("button", name="Undo").click()
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.get_by_label("Symbol, position 1")).to_have_value(before[0])


def test_a_row_that_cannot_be_read_is_named_and_the_rest_opens(visit):
    page = visit()
    paste(page, "Symbol\tSide\tSize\tEntry\nBTCUSDT\tshort\t0.5\t61,000\nETHUSDT\tlong\tmany\t3000")
    page.get_by_text("1 set aside, with the reason").wait_for()
    page.get_by_text("is not a number").wait_for()
    page.get_by_role("button", name="Open it", exact=True).click()
    page.get_by_text("Opened 1 position").wait_for()


@pytest.fixture(scope="module")
def online(tmp_path_factory):
    """An app that may ask the loopback exchange, and that exchange."""
    with (
        ExchangeServer() as exchange,
        started_app(
            tmp_path_factory.mktemp("online"), MARGIN_OFFLINE="", MARGIN_EXCHANGE_GATEWAY=exchange.address
        ) as address,
    ):
        yield address, exchange


@pytest.fixture
def look_up(browser, online):
    """look_up(address) -> (page, exchange): the import box after Read."""
    address, exchange = online
    exchange.reset()
    contexts = []

    def asked(wallet: str, *faults: Fault):
        exchange.faults[:] = faults
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        settled(page)
        paste(page, wallet)
        return page

    yield asked
    for context in contexts:
        context.close()


def test_an_address_opens_every_venue_that_has_something(look_up):
    page = look_up(WALLET)
    page.get_by_text("Nothing is changed yet").wait_for(timeout=30_000)
    page.get_by_role("button", name="Open it", exact=True).click()
    page.get_by_text("Opened 5 positions").wait_for()
    settled(page)
    assert "XYZ-TSLA/USDC:USDC" in symbols(page)
    assert WALLET not in page.url and WALLET not in page.locator("[data-testid=stMain]").inner_text()


@pytest.mark.parametrize("kind", ["429", "500", "truncated", "html"])
def test_a_venue_that_fails_is_named_and_the_other_is_offered(look_up, kind):
    page = look_up(WALLET, Fault(kind, host="hyperliquid", where="account"))
    page.get_by_text("Hyperliquid: perpetual positions").wait_for(timeout=60_000)
    page.get_by_text("Nothing is changed yet").wait_for()
    assert WALLET not in page.locator("body").inner_text()


def test_a_venue_that_hangs_is_waited_for_and_then_named(look_up):
    page = look_up(DYDX, Fault("hang", host="dydx", where="account"))
    page.get_by_text("opens no account").wait_for(timeout=60_000)
    page.get_by_text("does not answer").wait_for()
