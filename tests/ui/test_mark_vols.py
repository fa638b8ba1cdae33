"""The button that fills the IV column from Deribit, against the loopback exchange."""

import pytest
from streamlit.testing.v1 import AppTest

from data.exchange import refusals
from margin.core.portfolio import Portfolio, Position
from tests.exchange_server import ExchangeServer, Fault
from tests.exchange_server.deribit import mark_iv
from tests.exchange_server.prices import price
from tests.support import ROOT
from ui.state import share
from ui.state.book import _KEY, Book

CALL, OTHER = "BTC/USD:BTC-261225-80000-C", "DOGE/USDC:USDC-261225-1-C"
BOOK = Portfolio((Position(CALL, 1.0), Position(OTHER, 5.0, implied_vol=1.1), Position("BTC/USDT:USDT", -0.5)))


def button(app: AppTest):
    return next((b for b in app.button if b.key == "mark_vols"), None)


def test_the_column_is_filled_what_is_missing_keeps_its_own_and_undo_brings_it_back(monkeypatch, tmp_path):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    refusals.forget()
    with ExchangeServer() as server:
        monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", server.address)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.query_params[share.PARAMETER] = share.encode(Book.of(BOOK), "sample")
        app.run()
        assert not app.exception and button(app) is None  # offline: typed only

        monkeypatch.delenv("MARGIN_OFFLINE")
        app.run()
        button(app).click().run()
        assert not app.exception, [e.value for e in app.exception]
        held = app.session_state[_KEY].present.book.portfolio.positions
        spot = price("BTC", server.now_ms())
        assert held[0].implied_vol == pytest.approx(mark_iv("BTC", 80_000, spot) / 100.0, abs=0.01)
        assert held[1].implied_vol == 1.1 and held[2].implied_vol is None
        said = " ".join(str(m.value) for m in (*app.info, *app.warning, *app.caption, *app.markdown))
        assert "IV of 1 option is Deribit" in said and "keeps its own" in said

        app.button(key="undo").click().run()
        assert app.session_state[_KEY].present.book.portfolio.positions[0].implied_vol is None
        server.faults[:] = [Fault("500", host="deribit", where="vols")]
        button(app).click().run()
        assert not app.exception
        assert app.session_state[_KEY].present.book.portfolio.positions[0].implied_vol is None
