"""What is suggested while a symbol is typed, and what a venue's name may mean."""

import pytest

from margin.core.instruments import parse_symbol
from ui.portfolio.symbols import DATED, meant, symbol_options, with_offers
from ui.state.prices import sample
from ui.state.rows import Draft, Problem, read_positions


def test_every_kind_of_instrument_is_suggested_and_none_has_expired():
    active = sample()
    options = symbol_options(active)
    read = [parse_symbol(symbol) for symbol, _ in options]
    assert {i.kind for i in read} == {"perpetual", "future", "option", "spot", "loan"}
    for coin in DATED:
        mine = [i for i in read if i.base == coin]
        assert {(i.kind, i.is_inverse) for i in mine} >= {("future", True), ("future", False), ("perpetual", True)}
        assert {i.option_type for i in mine if i.is_option} == {"call", "put"} or {
            i.option_type for i in mine if i.is_option
        } == {"C", "P"}
    assert all(i.expiry is None or i.expiry > active.last_day for i in read)
    assert len({symbol for symbol, _ in options}) == len(options)
    assert options[0][0] == f"{active.assets[0]}/USDT:USDT"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("ETHUSDT", "ETH/USDT:USDT"),
        ("BTC-PERPETUAL", "BTC/USD:BTC"),
        ("BTC-25JUN27-100000-C", "BTC/USD:BTC-270625-100000-C"),
        ("XBTUSD", "BTC/USD:BTC"),
        ("eth-usdt-swap", "ETH/USDT:USDT"),
        ("BTCUSDT_261225", "BTC/USDT:USDT-261225"),
    ],
)
def test_a_venues_name_is_offered_as_ours_the_contract_first(typed, first):
    assert meant(typed)[0][0] == first


@pytest.mark.parametrize("typed", ["", "ETH", "ETH/USD", "FOO/USDT:USDT", "??", "hello world", "ETH/USDT:"])
def test_a_symbol_or_nonsense_is_offered_nothing(typed):
    assert meant(typed) == ()


def test_a_problem_of_another_cell_keeps_its_words():
    problem = Problem("quantity", "Quantity is missing.")
    assert with_offers([(1, problem)], {1: "ETHUSDT"}) == {1: problem}
    assert "Which one is it?" in with_offers([(1, Problem("symbol", "x"))], {1: "ETHUSDT"})[1].text


@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("BTCUSDT Perp 20x", ["BTC/USDT:USDT"]), ("BTCUSDT.P", ["BTC/USDT:USDT"]), ("BTC-PERP long", ["BTC/USDT:USDT"]),
        ("ETH Perpetual", ["ETH/USDT:USDT"]), ("BTC-25JUN2027-100000-C", ["BTC/USD:BTC-270625-100000-C"]),
        ("BTC 25JUN27 100000 C", ["BTC/USD:BTC-270625-100000-C"]), ("BTCUSD Quarterly 0626", []), ("BTC", []), ("bitcoin", ["BTC/USDT:USDT", "BTC/USD", "BTC"]),
    ],
)  # fmt: skip
def test_names_as_pages_and_people_write_them_are_offered(typed, offers):
    assert [symbol for symbol, _ in meant(typed)] == offers


def test_what_is_wrong_with_a_symbol_is_said_before_its_quantity_is_asked_for():
    assert read_positions([Draft(1, ("ETHUSDT", "", "", ""))]).problems[1].key == "symbol"
    assert read_positions([Draft(1, ("ETH/USDT:USDT", "", "", ""))]).problems[1].key == "quantity"
