"""A real book in, in one paste, in Chromium: an address, a venue's answer, ccxt's print, a page's table, Deribit names."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.exchange_server import ExchangeServer
from tests.exchange_server.accounts import DYDX, WALLET
from tests.exchange_server.faults import Fault
from tests.running_app import settled, started_app
from ui.state import incoming
from ui.state.book import Book
from ui.state.share import decode

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
    cells = page.get_by_label("Positions").locator("td[data-key=symbol] input")
    return cells.evaluate_all("boxes => boxes.map(box => box.value)")


def shows(page, wanted: list[str], kind: str) -> None:
    """Wait until the table holds these symbols."""
    for _ in range(120):
        if symbols(page) == wanted:
            break
        page.wait_for_timeout(250)
    settled(page)
    assert symbols(page) == wanted, kind


def answers(present: Book) -> dict[str, tuple[str, list[str]]]:
    """Every other kind, with what the readers' own tests paste; the readers' figures are checked there."""
    from tests.formats import test_venues as venues
    from tests.formats.test_hostile_pastes import FRAME, PYTHON, ROW

    texts = {
        "Hyperliquid": json.dumps(venues.HYPERLIQUID), "Bybit and its wallet": json.dumps([venues.BYBIT, venues.BYBIT_WALLET]),
        "OKX": json.dumps(venues.OKX), "Deribit": json.dumps(venues.DERIBIT), "Kraken": json.dumps(venues.KRAKEN),
        "BitMEX": json.dumps(venues.BITMEX), "dYdX": json.dumps(venues.DYDX), "Lighter": json.dumps(venues.LIGHTER),
        "Binance": json.dumps(venues.BINANCE_ACCOUNT), "wrapped": json.dumps({"positions": [ROW]}),
        "moments": PYTHON, "a data frame": FRAME,
    }  # fmt: skip
    opened = {}
    for kind, text in texts.items():
        read = incoming.read_text(text)
        book = incoming.applied(present, read, incoming.proposals(present, read))
        opened[kind] = (text, [d.cells[0] for d in book.positions])
    return opened


@pytest.mark.parametrize("width", [1280, 390], ids=["desk", "phone"])
def test_every_paste_is_shown_then_opened_then_undone(visit, width):
    page = visit(viewport={"width": width, "height": 850})
    before = symbols(page)
    page.wait_for_function("location.search.includes('p=')")
    present = decode(parse_qs(urlsplit(page.url).query)["p"][0]).book
    for kind, (text, wanted) in (PASTES | (answers(present) if width > 1000 else {})).items():
        paste(page, text)
        page.get_by_text("Nothing is changed yet").wait_for()
        assert symbols(page) == before, kind
        page.get_by_role("button", name="Open it", exact=True).click()
        shows(page, wanted, kind)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Undo").click()
        shows(page, before, kind)


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
