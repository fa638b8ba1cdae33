"""The portfolio model.

Invariants: every format gives back exactly the book that went in; every slip is an InputError that names the place;
a ccxt position list means what ccxt says it means.
"""

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.core.portfolio import Collateral, Portfolio, Position

EXAMPLE = """{"version": 1, "name": "ETH/BTC pair",
 "positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1.0, "entry_price": 61000, "leverage": 10},
               {"symbol": "ETH/USDT:USDT", "quantity": -30.0}],
 "collateral": [{"asset": "USDC", "quantity": 25000}]}"""


@pytest.mark.parametrize(
    ("symbol", "kind", "base", "inverse"),
    [
        ("BTC/USD", "spot", "BTC", False),
        ("BTC/USDT:USDT", "perpetual", "BTC", False),
        ("BTC/USD:BTC", "perpetual", "BTC", True),
        ("BTC/USDT:USDT-261225", "future", "BTC", False),
        ("BTC/USD:BTC-261225-60000-C", "option", "BTC", False),
        ("ETH/USDC:USDC-261225-2500.5-P", "option", "ETH", False),
        ("1000PEPE/USDT:USDT", "perpetual", "1000PEPE", False),
        ("SPY", "loan", "SPY", False),
    ],
)
def test_symbols_mean_what_ccxt_says(symbol, kind, base, inverse):
    instrument = parse_symbol(symbol)
    assert (instrument.kind, instrument.base, instrument.is_inverse) == (kind, base, inverse)


def test_option_symbol_carries_expiry_strike_and_type():
    option = parse_symbol("BTC/USD:BTC-261225-60000-C")
    assert (option.expiry, option.strike, option.option_type) == (date(2026, 12, 25), 60000.0, "C")


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("BTC-USDT", "Did you mean 'BTC/USDT'?"),
        ("btc/usdt", "Did you mean 'BTC/USDT'?"),
        ("btcusdt", "Did you mean 'BTC/USDT'?"),
        ("ETHUSD", "Did you mean 'ETH/USD'?"),
        ("BTC/EUR", "quoted in EUR"),
        ("ETH/BTC", "'ETH/USD' and 'BTC/USD'"),
        ("BTC/USDT:ETH", "settles in ETH"),
        ("BTC/USDT:USDT-261345", "261345 is not a date"),
        ("BTC/USD:BTC-261225-0-C", "strike"),
        ("", "not a symbol"),
        ("BTC/USDT:USDT-261225-60000-X", "not a symbol"),
        ("<script>alert(1)</script>", "not a symbol"),
    ],
)
def test_a_wrong_symbol_is_named_with_a_hint(symbol, said):
    with pytest.raises(InputError) as error:
        parse_symbol(symbol)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_contract_example_round_trips():
    book = Portfolio.from_json(EXAMPLE)
    assert book.positions[0] == Position("BTC/USDT:USDT", 1.0, 61000.0, 10.0)
    assert book.positions[1].entry_price is None
    assert book.assets == ["BTC", "ETH"]
    assert Portfolio.from_json(book.to_json()) == book


SYMBOLS = st.sampled_from(
    ["BTC/USD", "ETH/USDT:USDT", "SOL/USDT:USDT-261225", "BTC/USD:BTC-261225-60000-C", "USDC", "BTC/USD:BTC"]
)
AMOUNTS = st.floats(-1e15, 1e15, allow_nan=False)
POSITIVE = st.none() | st.floats(1e-12, 1e15)
POSITIONS = st.builds(Position, SYMBOLS, AMOUNTS, POSITIVE, st.none() | st.floats(0.01, 1000))
BOOKS = st.builds(
    Portfolio,
    st.lists(POSITIONS, max_size=8).map(tuple),
    st.lists(st.builds(Collateral, st.sampled_from(["USDC", "BTC"]), AMOUNTS), max_size=3).map(tuple),
    st.text(max_size=40),
)


@given(BOOKS)
def test_json_and_csv_give_back_exactly_the_book(book):
    assert Portfolio.from_json(book.to_json()) == book
    assert Portfolio.from_json(book.to_json().encode()) == book
    assert Portfolio.from_csv(book.to_csv()) == book


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "@x", "-2", "'quoted", 'a "b", c'])
def test_csv_names_cannot_become_spreadsheet_formulas_and_survive(name):
    book = Portfolio((Position("BTC/USD", 1),), (), name)
    cell = book.to_csv().splitlines()[1].split(",", 1)[1]
    assert cell[0] in "'\""
    assert Portfolio.from_csv(book.to_csv()).name == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"positions": {}}', "version"),
        ('{"version": 2, "positions": []}', "unknown key"),
        ('{"version": 2}', "accounts: is missing"),
        ('{"version": 3, "positions": []}', "version"),
        ('{"version": true, "positions": []}', "version"),
        ('{"version": 1}', "positions"),
        ('{"version": 1, "positions": {}}', "must be a list"),
        ('{"version": 1, "positions": [], "colateral": []}', "Did you mean 'collateral'?"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD"}]}', "positions[0].quantity: is missing"),
        (
            '{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": "1"}]}',
            "positions[0].quantity: must be a number",
        ),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": true}]}', "must be a number"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1e999}]}', "finite"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1e16}]}', "beyond"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1, "leverage": 0}]}', "above 0"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1, "entry_price": -5}]}', "above 0"),
        ('{"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1, "qty": 2}]}', "unknown key"),
        ('{"version": 1, "positions": [], "collateral": [{"asset": "BTC/USD", "quantity": 1}]}', "collateral[0].asset"),
        ('{"version": 1, "positions": [], "name": 5}', "name: must be text"),
        ('{"version": 1, "version": 1, "positions": []}', "appears twice"),
        ('{"version": 1, "positions": [NaN]}', "NaN"),
        ("[" * 200_000, "nested too deeply"),
        ("9" * 5000, "too long"),
        ("", "not valid JSON"),
        ("null", "must be a JSON object"),
    ],
)
def test_bad_json_is_named_with_its_place(text, said):
    with pytest.raises(InputError) as error:
        Portfolio.from_json(text)
    assert said in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("symbol,amount\nBTC/USD,1\n", "unknown column"),
        ("symbol\nBTC/USD\n", "needs one column 'quantity'"),
        ("symbol,quantity\nBTC/USD\n", "row 2"),
        ('symbol,quantity\nBTC/USD,"1,000"\n', "no thousands separator"),
        ("symbol,quantity\nBTC/USD,1_000\n", "must be a number"),
        ("symbol,quantity\nBTC/USD,nan\n", "finite"),
        ("kind,symbol,quantity\nloan,BTC,1\n", "must be 'position', 'collateral', 'account' or 'name'"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_bad_csv_is_named_with_its_row(text, said):
    with pytest.raises(InputError, match=None) as error:
        Portfolio.from_csv(text)
    assert said in str(error.value)


def ccxt_position(**changes):
    position = {
        "info": {}, "symbol": "BTC/USDT:USDT", "contracts": 2.0, "contractSize": 0.01, "side": "short",
        "entryPrice": 60000.0, "markPrice": 61000.0, "leverage": 5.0, "marginMode": "cross",
    }  # fmt: skip
    return {**position, **changes}


def test_ccxt_linear_short():
    (position,) = Portfolio.from_json([ccxt_position()]).positions
    assert position == Position("BTC/USDT:USDT", -0.02, 60000.0, 5.0, mark_price=61000.0)


def test_ccxt_isolated_positions_keep_what_was_posted():
    (position,) = Portfolio.from_ccxt([ccxt_position(marginMode="isolated", collateral=123.4)]).positions
    assert (position.mode, position.margin) == ("isolated", 123.4)
    inverse = ccxt_position(symbol="BTC/USD:BTC", marginMode="isolated", collateral=0.02)
    (position,) = Portfolio.from_ccxt([inverse]).positions
    assert (position.margin, position.margin_coin) == (None, 0.02)


def test_ccxt_inverse_contracts_count_dollars():
    inverse = ccxt_position(symbol="BTC/USD:BTC", contracts=610.0, contractSize=100.0, side="long")
    (position,) = Portfolio.from_ccxt([inverse]).positions
    assert math.isclose(position.quantity, 61_000.0)


def test_ccxt_closed_positions_are_left_out_and_text_numbers_read():
    book = Portfolio.from_ccxt(
        [ccxt_position(contracts=0), ccxt_position(contracts="3", contractSize=None, side="long")]
    )
    assert [p.quantity for p in book.positions] == [3.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"side": "buy"}, "positions[0].side"),
        ({"contracts": "many"}, "positions[0].contracts"),
        ({"symbol": None}, "positions[0].symbol"),
    ],
)
def test_bad_ccxt_positions_are_named(changes, said):
    with pytest.raises(InputError) as error:
        Portfolio.from_json(json.dumps([ccxt_position(**changes)]))
    assert said in str(error.value)


def test_a_list_of_our_own_positions_gets_a_hint():
    with pytest.raises(InputError, match="wrap the list"):
        Portfolio.from_json('[{"symbol": "BTC/USD", "quantity": 1}]')


def test_too_many_positions_are_refused():
    with pytest.raises(InputError, match="At most 1000"):
        Portfolio.from_json({"version": 1, "positions": [{"symbol": "BTC/USD", "quantity": 1}] * 1001})
