"""Rows of one contract are one position, with the same profit at every price; what a position may not be."""

from dataclasses import replace

import pytest

from margin.core.errors import InputError
from margin.core.position import Position, joined


def profit(positions, mark):
    """USD, by the definition of docs/accounts.md: q (mark - entry); coin-settled N (1/entry - 1/mark) x mark."""
    return sum(
        p.quantity * (1.0 / p.entry_price - 1.0 / mark) * mark
        if p.instrument.is_inverse
        else p.quantity * (mark - p.entry_price)
        for p in positions
    )


@pytest.mark.parametrize(
    "symbol", ["BTC/USDT:USDT", "BTC/USD:BTC", "BTC/USD:BTC-261225", "BTC/USDC:USDC-261225-70000-C"]
)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_rows_of_one_contract_and_side_are_one_position_with_their_profit(symbol, side):
    rows = [
        Position(symbol, side * q, entry) for q, entry in ((1_000.0, 50_000.0), (3_000.0, 70_000.0), (500.0, 64_000.0))
    ]
    (one,) = joined(rows)
    assert one.quantity == side * 4_500.0
    for mark in (20_000.0, 60_000.0, 150_000.0):
        assert profit([one], mark) == pytest.approx(profit(rows, mark))


def test_sides_contracts_and_what_has_something_of_its_own_stay_apart():
    base = Position("BTC/USDT:USDT", 1.0, 60_000.0, 10.0)
    apart = [
        base, replace(base, quantity=-1.0), replace(base, symbol="BTC/USDC:USDC"), replace(base, leverage=5.0),
        replace(base, margin=500.0), replace(base, mark_price=61_000.0), replace(base, maintenance_deduction=50.0),
        replace(base, entry_price=None), replace(base, quantity=0.0),
    ]  # fmt: skip
    assert joined(apart) == tuple(apart)
    assert joined([*apart, replace(base, quantity=3.0, entry_price=64_000.0)])[0] == replace(
        base, quantity=4.0, entry_price=63_000.0
    )
    own = [apart[4], *apart[6:]]
    assert joined([*apart, *own]) == (*apart, *own)  # two margins are two accounts


@pytest.mark.parametrize("name", ["leverage", "max_leverage", "mark_price", "implied_vol"])
def test_what_divides_is_above_nothing(name):
    assert getattr(Position("BTC/USDT:USDT", 1.0, **{name: 0.001}), name) == 0.001
    for value in (0.0, -1e-9, -1.0):
        with pytest.raises(InputError, match=name):
            Position("BTC/USDT:USDT", 1.0, **{name: value})


@pytest.mark.parametrize("name", ["margin", "margin_coin", "maintenance_rate", "maintenance_deduction"])
def test_what_is_counted_may_be_nothing_and_not_less(name):
    symbol = "BTC/USD:BTC" if name == "margin_coin" else "BTC/USDT:USDT"
    assert getattr(Position(symbol, 1.0, **{name: 0.0}), name) == 0.0
    for value in (-1e-9, -1.0):
        with pytest.raises(InputError, match=name):
            Position(symbol, 1.0, **{name: value})
