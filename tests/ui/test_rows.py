"""Rows as typed: good ones are read exactly, bad ones get one clear line and never take the others with them."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.core.errors import InputError
from margin.core.portfolio import Collateral, Position
from ui.state.rows import (
    POSITION_CELLS,
    Draft,
    collateral_drafts,
    drafts_from_browser,
    number_text,
    position_drafts,
    read_collateral,
    read_positions,
    sentence,
)


def one(*cells):
    return read_positions([Draft(1, tuple(cells) + ("",) * (4 - len(cells)))])


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1.5", 1.5), ("-30", -30.0), ("−30", -30.0), ("1,250.50", 1250.5), ("1,250", 1250.0), ("2.5e3", 2500.0),
     (".5", 0.5), ("1 000", 1000.0), ("+3", 3.0), ("1_000", 1000.0), ("7.", 7.0), ("12,345,678", 12345678.0)],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(typed, value):
    (_, position), *_ = one("BTC/USD", typed).items
    assert position.quantity == value


@pytest.mark.parametrize(
    "typed", ["abc", "1,5", "12,34", "1.2.3", "--1", "nan", "inf", "1e999", "0x10", "½", "１", "1e5000"]
)
def test_what_is_not_a_number_is_named(typed):
    reading = one("BTC/USD", typed)
    assert reading.items == ()
    problem = reading.problems[1]
    assert problem.key == "quantity"
    assert problem.text.startswith("Quantity") and problem.text.endswith(".")
    assert "\n" not in problem.text


def test_each_row_fails_on_its_own_and_blank_rows_are_nothing():
    rows = [
        Draft(4, ("BTC/USDT:USDT", "1", "", "")),
        Draft(9, ("", " ", "", "")),
        Draft(5, ("DOGE-USD", "1", "", "")),
        Draft(6, ("eth/usd", "-2", "3000", "5")),
        Draft(7, ("", "3", "", "")),
        Draft(8, ("SOL/USD", "", "", "")),
        Draft(10, ("SOL/USD", "1", "-5", "")),
    ]
    reading = read_positions(rows)
    assert [row for row, _ in reading.items] == [4, 6]
    assert reading.items[1][1] == Position("ETH/USD", -2.0, 3000.0, 5.0)
    assert {row: problem.key for row, problem in reading.problems.items()} == {
        5: "symbol",
        7: "symbol",
        8: "quantity",
        10: "entry_price",
    }
    assert "Did you mean 'DOGE/USD'?" in reading.problems[5].text


def test_collateral_takes_assets_not_pairs():
    reading = read_collateral([Draft(1, ("usdc", "5")), Draft(2, ("BTC/USD", "1"))])
    assert reading.items == ((1, Collateral("USDC", 5.0)),)
    assert reading.problems[2].key == "asset"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_number_survives_the_way_into_a_cell_and_back(value):
    (_, position), *_ = one("BTC/USD", number_text(value)).items
    assert position.quantity == value and math.copysign(1, position.quantity) == math.copysign(1, value)


def test_positions_survive_the_way_into_the_table_and_back():
    held = (Position("BTC/USDT:USDT-261225", 0.1, 61000.5, 3.0), Position("BTC", -1e-8), Position("ETH/USD", 1e15))
    assert tuple(p for _, p in read_positions(position_drafts(held)).items) == held
    posted = (Collateral("USDC", 25000), Collateral("BTC", 0.3))
    assert tuple(c for _, c in read_collateral(collateral_drafts(posted)).items) == posted


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "cells", "symbol", "x"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_anything_the_browser_sends_is_taken_or_dropped(rows):
    drafts = drafts_from_browser(rows, POSITION_CELLS, 10)
    assert len({d.id for d in drafts}) == len(drafts) <= 11
    assert all(len(d.cells) == 4 and all(len(cell) <= 64 for cell in d.cells) for d in drafts)
    read_positions(drafts)


def test_the_browser_rows_as_the_table_sends_them():
    sent = json.loads('[{"id": 2, "cells": {"symbol": "BTC/USD", "quantity": "1", "entry_price": "", "leverage": ""}}]')
    assert drafts_from_browser(sent, POSITION_CELLS, 10) == (Draft(2, ("BTC/USD", "1", "", "")),)


def test_columns_of_what_a_position_carries_read_back_what_they_show():
    from ui.state.rows import kept_with_extras, shown_with_extras

    held = [
        Position("BTC/USDT:USDT", 1.0, mode="isolated", margin=900.0, mark_price=61000.0),
        Position("BTC/USD:BTC-270625-100000-C", 2.0, implied_vol=0.655),
        Position("ETH/USDT:USDT", 1.0),
    ]
    drafts = position_drafts(held)
    shown = shown_with_extras(drafts, ("mine", "Bybit"))
    assert [d.cells[4:] for d in shown] == [
        ("isolated", "900", "", "mine"), ("", "", "65.5%", "mine"), ("", "", "", "mine")
    ]  # fmt: skip
    back, problems = kept_with_extras(shown, drafts, ("mine", "Bybit"))
    assert problems == {} and [item for _, item in read_positions(back).items] == held


def test_typed_extras_move_a_position_and_bad_ones_are_named_at_their_cell():
    from ui.state.rows import kept_with_extras, shown_with_extras

    drafts = position_drafts([Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", 1.0)])
    first, second = shown_with_extras(drafts, ("mine", "Bybit"))
    edited = [
        replace(first, cells=(*first.cells[:4], "iso", "1,200", "", "bybit")),
        replace(second, cells=(*second.cells[:4], "crosss", "", "", "Okx")),
    ]
    back, problems = kept_with_extras(edited, drafts, ("mine", "Bybit"))
    assert (back[0].account, dict(back[0].more)) == (1, {"mode": "isolated", "margin": 1200.0})
    assert problems[2].key == "account" and "Okx" in problems[2].text
    assert read_positions(back).problems[2].key == "mode"
    for typed, vol in (("65", 0.65), ("65%", 0.65), ("0.65", 0.65), ("3%", 0.03)):
        row = replace(first, cells=("BTC/USD:BTC-270625-100000-C", "1", "", "", "", "", typed, "mine"))
        ((item, *_),) = [read_positions(kept_with_extras([row], drafts, ("mine",))[0]).items]
        assert item[1].implied_vol == vol


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("positions[2].symbol", "BTC-USD", "not a symbol", "Try BTC/USD."),
         "Symbol “BTC-USD” is not a symbol. Try BTC/USD."),
        (InputError("positions[0].quantity", "many", "must be a number"), "Quantity “many” must be a number."),
        (InputError("symbol", "ETH/EUR", "quoted in EUR, but Margin Lab counts in US dollars"),
         "Symbol “ETH/EUR” is quoted in EUR, but Margin Lab counts in US dollars."),
        (InputError("account", "main", "no move of its prices by less than 100% liquidates it", "It holds more."),
         "Account “main”: no move of its prices by less than 100% liquidates it. It holds more."),
        (InputError("positions", "only dollars", "nothing in the portfolio moves"),
         "Positions “only dollars”: nothing in the portfolio moves."),
        (InputError("prices", "40 returns", "too little common history"), "Prices “40 returns”: too little common history."),
        (InputError("mark_price", None, "of BTC/USD is missing"), "Mark price of BTC/USD is missing."),
        (InputError("as_of", None, "the account has no as-of"), "As of: the account has no as-of."),
    ],
)  # fmt: skip
def test_an_error_reads_as_a_sentence(error, said):
    assert sentence(error) == said
