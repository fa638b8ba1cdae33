"""Mark volatilities of options from Deribit's public ticker, against the loopback exchange and its faults."""

import pytest

from data.exchange import refusals
from data.exchange.asker import Patience
from data.exchange.vols import deribit_name, fetch_mark_vols
from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from tests.exchange_server import ExchangeServer, Fault
from tests.exchange_server.deribit import MISSING, mark_iv
from tests.exchange_server.prices import price

CALL, PUT = "BTC/USD:BTC-270625-100000-C", "SOL/USDC:USDC-270625-150-P"
QUICK = Patience(timeout=1.0, tries=1, pace=0.01)


@pytest.fixture(scope="module")
def exchange():
    with ExchangeServer(now=1_780_000_000.0) as server:
        yield server


@pytest.fixture(autouse=True)
def online(monkeypatch, exchange):
    exchange.reset()
    refusals.forget()
    monkeypatch.delenv("MARGIN_OFFLINE", raising=False)
    monkeypatch.setenv("MARGIN_EXCHANGE_GATEWAY", exchange.address)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        (CALL, "BTC-25JUN27-100000-C"),
        (PUT, "SOL_USDC-25JUN27-150-P"),
        ("BTC/USDT:USDT-261204-80000-P", "BTC-4DEC26-80000-P"),  # settled elsewhere: by coin, expiry, strike
        ("BTC/USDC:USDC-261204-80000-P", "BTC_USDC-4DEC26-80000-P"),
        ("XRP/USDC:USDC-270625-1.5-C", "XRP_USDC-25JUN27-1d5-C"),
    ],
)
def test_deribits_name_of_an_option(symbol, name):
    assert deribit_name(parse_symbol(symbol)) == name


def test_a_name_of_deribit_reads_back_as_the_option():
    from margin.formats.contract_names import unify

    for symbol in (CALL, PUT, "XRP/USDC:USDC-270625-1.5-C"):
        assert unify(deribit_name(parse_symbol(symbol)), "deribit") == symbol


def test_mark_iv_is_percent_and_becomes_a_fraction(exchange):
    found = fetch_mark_vols([CALL, PUT, CALL], QUICK)
    assert not found.failures
    spot = price("BTC", exchange.now_ms())
    assert found.vols[CALL] == pytest.approx(mark_iv("BTC", 100_000, spot) / 100.0)
    assert set(found.vols) == {CALL, PUT}


def test_what_is_not_listed_or_not_marked_is_named_and_the_others_come():
    none, unmarked = "DOGE/USDC:USDC-270625-1-C", f"BTC/USD:BTC-270625-{MISSING}-C"
    found = fetch_mark_vols([CALL, none, unmarked], QUICK)
    assert set(found.vols) == {CALL} and set(found.failures) == {none, unmarked}
    assert "gave no volatility" in found.failures[unmarked]


@pytest.mark.parametrize("kind", ["429", "500", "truncated", "html", "hang", "null", "blank", "403", "maintenance"])
def test_a_fault_is_a_line_and_never_a_volatility(exchange, kind):
    exchange.faults[:] = [Fault(kind, host="deribit", where="vols")]
    found = fetch_mark_vols([CALL], QUICK)
    assert not found.vols and found.failures[CALL]


def test_bad_input_is_one_line(monkeypatch):
    with pytest.raises(InputError, match="not an option"):
        fetch_mark_vols(["BTC/USDT:USDT"])
    with pytest.raises(InputError, match="too many"):
        fetch_mark_vols([f"BTC/USD:BTC-270625-{k}000-C" for k in range(1, 50)])
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    with pytest.raises(InputError, match="nothing is fetched"):
        fetch_mark_vols([CALL])
