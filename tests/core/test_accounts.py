"""Accounts: version 2 round trips, version 1 is read for ever, and an account divides into what is liquidated alone."""

import json
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.core.account import Account, Wallet
from margin.core.errors import InputError, MissingPriceError
from margin.core.instruments import parse_symbol
from margin.core.market import Market
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.marks import Marks

DESIGN = """{"version": 2, "name": "mine",
 "accounts": [{"name": "HL main", "venue": "hyperliquid", "mode": "cross", "as_of": "2026-11-26T10:00:00Z",
   "positions": [{"symbol": "ETH/USDC:USDC", "quantity": 2.7, "entry_price": 2332.2, "leverage": 25, "mark_price": 4175.5},
                 {"symbol": "ONDO/USDC:USDC", "quantity": 400, "entry_price": 0.83, "mode": "isolated", "margin": 110.0}],
   "collateral": [{"asset": "USDC", "quantity": 1890.99}],
   "venue_says": {"equity": 6867.9, "initial": 450.95, "maintenance": 225.48, "withdrawable": 5740.51,
                  "liquidation_prices": {"ETH/USDC:USDC": 1665.14}}}]}"""


class Tenth:
    """A model that asks a tenth of the notional at entry."""

    def wallets(self, positions, collateral):
        return (Wallet(positions=positions, collateral=collateral),)

    def opening_margin(self, position, marks=None):
        return abs(position.value(position.entry_price)) / 10


def test_the_contract_example_of_version_2_round_trips_exactly():
    book = Portfolio.from_json(DESIGN)
    assert json.loads(book.to_json()) == json.loads(DESIGN)
    assert Portfolio.from_json(book.to_json()) == book
    assert book.accounts[0].venue_says.get("withdrawable") == 5740.51
    assert book.accounts[0].venue_says.by_symbol("liquidation_prices") == {"ETH/USDC:USDC": 1665.14}
    assert [p.symbol for p in book.positions] == ["ETH/USDC:USDC", "ONDO/USDC:USDC"]
    assert hash(Portfolio.from_json(DESIGN)) == hash(book)


SYMBOLS = st.sampled_from(
    ["BTC/USD", "ETH/USDT:USDT", "XYZ-SPCX/USDC:USDC", "BTC/USD:BTC", "BTC/USD:BTC-261225-60000-C"]
)
POSITIVE = st.none() | st.floats(1e-9, 1e9)


@st.composite
def positions(draw):
    symbol = draw(SYMBOLS)
    kind = parse_symbol(symbol).kind
    mode = draw(st.sampled_from([None, "isolated", "cross"]))
    margin = draw(POSITIVE) if kind != "spot" and mode != "cross" else None
    return Position(
        symbol, draw(st.floats(-1e9, 1e9)), draw(POSITIVE), draw(st.none() | st.floats(1, 100)), mode=mode, margin=margin,
        mark_price=draw(POSITIVE), paid=draw(st.booleans()) if kind == "spot" else True,
        maintenance_rate=draw(st.none() | st.floats(0, 1)), implied_vol=draw(st.none() | st.floats(0.01, 5)),
    )  # fmt: skip


ACCOUNTS = st.builds(
    Account,
    positions=st.lists(positions(), max_size=4).map(tuple),
    collateral=st.lists(
        st.builds(Collateral, st.sampled_from(["USDC", "BTC"]), st.floats(-1e9, 1e9), POSITIVE), max_size=2
    ).map(tuple),
    name=st.text(max_size=10),
    venue=st.sampled_from(["", "okx", "binance"]),
    mode=st.sampled_from([None, "cross", "isolated", "portfolio"]),
    as_of=st.none() | st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)).map(str),
)


@given(st.lists(ACCOUNTS, min_size=1, max_size=3), st.text(max_size=10))
def test_several_accounts_round_trip_through_json_and_csv(accounts, name):
    book = Portfolio(accounts=accounts, name=name)
    assert Portfolio.from_json(book.to_json()) == book
    assert Portfolio.from_csv(book.to_csv()) == book


def test_one_account_is_a_portfolio_as_it_always_was():
    book = Portfolio(positions=[Position("BTC/USDT:USDT", 1)], collateral=[Collateral("USDC", 5)], name="x")
    assert book == Portfolio(accounts=[Account(positions=book.positions, collateral=book.collateral)], name="x")
    assert replace(book, name="y").positions == book.positions
    assert replace(book, positions=()).positions == () and replace(book, positions=()).collateral == book.collateral
    two = Portfolio(accounts=[book.accounts[0], Account(venue="okx", positions=[Position("ETH/USDT:USDT", 2)])])
    assert [p.underlying for p in two.positions] == ["BTC", "ETH"] and two.collateral == book.collateral
    with pytest.raises(InputError, match="one account"):
        two.with_positions(())
    assert [p.quantity for p in two.scaled(3).positions] == [3, 6]


def test_version_1_spot_is_borrowed_and_inverse_counts_dollars_with_a_note():
    rows = [
        {"symbol": "BTC/USD", "quantity": 1.5},
        {"symbol": "BTC/USD", "quantity": -1.5},
        {"symbol": "BTC/USD:BTC", "quantity": 2, "entry_price": 30_000},
    ]
    book = Portfolio.from_json({"version": 1, "positions": rows})
    assert [p.paid for p in book.positions] == [False, True, True]
    assert not any(p.owned for p in book.positions)
    assert book.positions[2].quantity == 60_000
    assert len(book.notes) == 2 and "borrowed" in book.notes[0] and "60,000.00 US dollars" in book.notes[1]
    assert Portfolio.from_json(book.to_json()) == book  # notes are no part of it
    assert Portfolio.from_json(book.to_json()).notes == ()
    with pytest.raises(InputError, match=r"positions\[0\].quantity.*entry price.*version 2"):
        Portfolio.from_json({"version": 1, "positions": [{"symbol": "BTC/USD:BTC", "quantity": 2}]})


def test_an_old_table_is_read_as_version_1_and_a_new_one_is_not():
    old = Portfolio.from_csv("kind,symbol,quantity,entry_price,leverage\nposition,BTC/USD,1,,\n")
    assert not old.positions[0].paid and old.notes
    assert Portfolio.from_csv("symbol,quantity\nBTC/USD,1\n").positions[0].owned


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vendor": "x"}, "accounts[0]: has an unknown key"),
        ({"mode": "crossed"}, "accounts[0].mode: is not one of the choices"),
        ({"as_of": "soon"}, "accounts[0].as_of"),
        ({"venue_says": {"equitty": 1}}, "Did you mean 'equity'"),
        ({"venue_says": {"equity": "1"}}, "venue_says.equity: must be a number"),
        ({"venue_says": {"position_initial": {"BTC/USDT:USDT": None}}}, "must be a number"),
        ({"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1, "margins": 1}]}, "accounts[0].positions[0]"),
        ({"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1, "margin": -1}]}, "at least 0"),
        ({"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1, "margin": 1, "mode": "cross"}]}, "whole account"),
        ({"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1, "margin_coin": 1}]}, "settle in the coin"),
        ({"positions": [{"symbol": "BTC/USDT:USDT", "quantity": 1, "paid": False}]}, "is of spot"),
        ({"positions": [{"symbol": "BTC/USD", "quantity": 1, "paid": 1}]}, "true or false"),
        ({"positions": [{"symbol": "BTC/USD", "quantity": 1, "margin": 1}]}, "posted to a contract"),
    ],
)
def test_a_slip_in_version_2_is_named_with_its_place(change, said):
    with pytest.raises(InputError) as error:
        Portfolio.from_json({"version": 2, "accounts": [{"positions": [], **change}]})
    assert said in str(error.value)


def test_owned_spot_is_held_and_borrowed_spot_is_a_position():
    rows = [Position("BTC/USD", 1.2), Position("ETH/USD", 1, paid=False), Position("SOL/USD", -1)]
    account = Account(positions=rows, collateral=[Collateral("USDC", 10), Collateral("BTC", 0.3)])
    assert account.margined == tuple(rows[1:])
    assert account.held == (Collateral("USDC", 10), Collateral("BTC", 1.5))


def test_collateral_carries_a_price_that_stands_where_the_market_has_none():
    row = {"asset": "MNT", "quantity": 10.0, "mark_price": 1.5}
    book = {"version": 2, "accounts": [{"venue": "bybit", "as_of": "2026-11-26", "collateral": [row]}]}
    account = Portfolio.from_json(book).account
    assert account.held == (Collateral("MNT", 10.0, 1.5),)
    assert Marks.of_account(account).price("MNT") == 1.5
    aliased = {**book, "accounts": [{**book["accounts"][0], "collateral": [{**row, "price": 1.5}]}]}
    with pytest.raises(InputError, match="unknown key"):  # one of the two names, not both
        Portfolio.from_json(aliased)
    del aliased["accounts"][0]["collateral"][0]["mark_price"]
    assert Portfolio.from_json(aliased) == Portfolio.from_json(book)
    dates = pd.date_range("2026-11-01", periods=20)
    market = Market(pd.DataFrame({"BTC": 60_000.0}, dates), None)
    marks = Marks.of_market(market, Portfolio(accounts=[account]))
    assert marks.price("MNT") == 1.5
    assert any("1.5 USD that the account carries" in note for note in marks.notes)
    with pytest.raises(MissingPriceError):
        Marks.of_market(market, Portfolio(collateral=[Collateral("MNT", 10.0)]))
    for wrong in (0.0, -1.0, "1", float("nan")):
        with pytest.raises(InputError, match=r"collateral\[0\]\.mark_price"):
            Portfolio.from_json({"version": 2, "accounts": [{"collateral": [{**row, "mark_price": wrong}]}]})
    with pytest.raises(InputError, match="worth 1"):
        Collateral("USD", 5.0, 1.1)


def test_positions_that_are_no_list_are_not_read_as_none():
    with pytest.raises(InputError, match="must be a list"):
        Portfolio.from_json({"version": 2, "accounts": [{"venue": "okx", "positions": {}}]})


def test_sub_accounts_are_the_pool_and_each_isolated_position_two_of_one_symbol_too():
    long, short = (
        Position("BTC/USDT:USDT", 1, 50_000, mode="isolated"),
        Position("BTC/USDT:USDT", -1, 50_000, margin=7.0),
    )
    pool = Position("ETH/USDT:USDT", 3)
    account = Account(positions=[long, pool, short, Position("BTC/USD", 2)], collateral=[Collateral("USDC", 9)])
    found = account.sub_accounts(Tenth())
    assert [(s.positions, s.collateral, s.isolated) for s in found] == [
        ((pool,), (Collateral("USDC", 9), Collateral("BTC", 2)), False),
        ((long,), (Collateral("USD", 5_000),), True),
        ((short,), (Collateral("USD", 7.0),), True),
    ]
    assert found[0].assets == ("BTC", "ETH", "USDC")
    all_isolated = Account(positions=[long, pool], mode="isolated", collateral=[])
    priced = replace(pool, entry_price=2_000.0)
    assert [s.name for s in replace(all_isolated, positions=(long, priced)).sub_accounts(Tenth())] == [
        "BTC/USDT:USDT",
        "ETH/USDT:USDT",
    ]


def test_a_coin_settled_position_holds_its_margin_in_coins():
    p = Position("BTC/USD:BTC", 100_000, 25_000, mode="isolated")
    (sub,) = Account(positions=[p]).sub_accounts(Tenth())
    assert sub.collateral == (Collateral("BTC", 0.4),)  # 10% of $100,000 at 25,000
    (posted,) = Account(positions=[replace(p, margin_coin=0.5)]).sub_accounts(Tenth())
    assert posted.collateral == (Collateral("BTC", 0.5),)


def test_inverse_face_of_100000_from_30000_to_90000_gains_200000():
    p = Position("BTC/USD:BTC", 100_000, 30_000)
    assert p.value(90_000) == 100_000
    assert p.profit(90_000) == pytest.approx(200_000, rel=1e-12)
    assert p.exposure(90_000) == pytest.approx(300_000, rel=1e-12)  # N P / E
    assert replace(p, entry_price=None).exposure(90_000) == 100_000
    coins = 100_000 * (1 / 30_000 - 1 / 90_000)
    assert p.profit(90_000) == pytest.approx(coins * 90_000)


def test_a_builder_s_market_at_hyperliquid_parses():
    instrument = parse_symbol("XYZ-SPCX/USDC:USDC")
    assert (instrument.kind, instrument.base, instrument.is_inverse) == ("perpetual", "XYZ-SPCX", False)


def test_midnight_said_is_midnight_and_a_bare_date_is_its_close():
    symbol = "BTC/USDC:USDC-260327-60000-C"
    held = (Position(symbol, 1.0, implied_vol=0.5), Position("BTC/USDC:USDC", 1.0, mark_price=60_000.0))
    days = {}
    for said in ("2026-03-20T00:00:00Z", "2026-03-20", "2026-03-20T12:00:00Z"):
        account = Account(as_of=said, positions=held)
        assert account.to_dict()["as_of"] == said
        days[said] = 365.0 * Marks.of_account(account).years(parse_symbol(symbol))
    assert list(days.values()) == pytest.approx([7 + 8 / 24, 6 + 8 / 24, 6 + 20 / 24], abs=1e-8)
