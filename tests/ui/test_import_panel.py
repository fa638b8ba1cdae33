"""The import box of the Portfolio page, run as the page runs it: preview first, then open, undo, refusals."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals
from tests.exchange_server import ExchangeServer
from tests.exchange_server.accounts import WALLET
from tests.support import ROOT

TABLE = "Symbol\tSide\tSize\tEntry\nBTCUSDT\tshort\t0.5\t61,000.0\nETHUSDT\tlong\tmany\t3000"
HYPERLIQUID = json.dumps(
    {
        "assetPositions": [{"position": {
            "coin": "ETH", "szi": "2.7", "entryPx": "2300", "positionValue": "7000", "unrealizedPnl": "790",
            "marginUsed": "280", "maxLeverage": 25, "liquidationPx": "1665", "leverage": {"type": "cross", "value": 25}}}],
        "crossMarginSummary": {"accountValue": "6867.9", "totalMarginUsed": "280"},
        "crossMaintenanceMarginUsed": "140", "withdrawable": "5000",
    }
)  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))


def opened() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["panel_import"] = True
    return app.run()


def read(app: AppTest, text: str) -> AppTest:
    box = next(area for area in app.text_area if area.label == "Paste anything")
    box.set_value(text)
    app.button(key="import_read").click().run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def symbols(app: AppTest) -> list[str]:
    from ui.state.book import _KEY

    return [p.symbol for p in app.session_state[_KEY].present.book.portfolio.positions]


def test_a_table_is_shown_before_it_is_opened_and_a_bad_row_is_named():
    app = opened()
    before = symbols(app)
    read(app, TABLE)
    assert symbols(app) == before
    assert "Read: 1 positions" in said(app) and "ETHUSDT" in said(app) and "is not a number" in said(app)
    assert "its collateral (1)" in said(app)
    app.button(key="import_open").click().run()
    assert not app.exception
    assert symbols(app) == ["BTC/USDT:USDT"]
    app.button(key="undo").click().run()
    assert symbols(app) == before


def test_a_venues_answer_brings_its_account():
    app = read(opened(), HYPERLIQUID)
    assert "Hyperliquid, cross" in said(app)
    app.button(key="import_open").click().run()
    assert not app.exception, [e.value for e in app.exception]
    from ui.state.book import _KEY

    (account,) = app.session_state[_KEY].present.book.portfolio.accounts
    assert (account.venue, account.venue_says.get("maintenance")) == ("hyperliquid", 140.0)


def test_what_btcusdt_means_is_asked():
    app = read(opened(), "symbol;size\nBTCUSDT;1,5")
    choice = next(group for group in app.button_group if group.key == "import_pairs")
    choice.set_value("the perpetual").run()
    assert not app.exception
    app.button(key="import_open").click().run()
    assert symbols(app) == ["BTC/USDT:USDT"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "is empty"),
        ("hello", "no table"),
        ("0x12", "no wallet address"),
        ("ab" * 32, "private key"),
        (WALLET, "OFFLINE"),
    ],
)
def test_what_cannot_be_read_is_one_line(text, line):
    app = read(opened(), text)
    assert line in said(app)
    assert not text or len(text) < 40 or text not in said(app)


def test_an_address_is_looked_up_and_offered(monkeypatch):
    refusals.forget()
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        app = opened()
        monkeypatch.delenv("MARGIN_OFFLINE")
        read(app, WALLET)
        assert "Read: 5 positions" in said(app), said(app)
        monkeypatch.setenv("MARGIN_OFFLINE", "1")
        app.button(key="import_open").click().run()
        assert not app.exception, [e.value for e in app.exception]
        from ui.state.book import _KEY

        book = app.session_state[_KEY].present.book
        assert [a.name or a.venue for a in book.portfolio.accounts] == [
            "hyperliquid",
            "Hyperliquid spot",
            "Hyperliquid xyz",
            "lighter",
        ]
        from ui.state import share

        assert WALLET not in share.encode(book) and WALLET not in book.portfolio.to_json()


@pytest.mark.parametrize("text", ["ab" * 32, "apiKey: AKIA1234567\nsymbol\tsize\nBTC/USDT:USDT\t1"])
def test_a_secret_leaves_the_box_at_once(text):
    app = read(opened(), text)
    assert "secret" in said(app) or "private key" in said(app)
    assert app.text_area[0].value == ""
    assert not any(text in str(value) for value in app.session_state._state.filtered_state.values())
