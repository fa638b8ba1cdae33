"""Bybit inverse: the help page's example, the fee at the bankruptcy price, and the unified account's collateral."""

import pytest

from margin import InputError, Position, venues
from margin.venues.rules.bybit import coin_bankruptcy_price
from tests.venues.door import Account, isolated


def test_the_page_s_example():
    """0.5 BTC behind 10,000 contracts at 8,000, 0.5%, fee 0.075%: bankrupt at 5,718.57, liquidated at 5,739.08.

    The venue prints 5,739.5, its next tick. Source: Bybit help 360039261334 (2019: margins at entry).
    """
    assert coin_bankruptcy_price(10_000.0, 8_000.0, 1.0, 0.5, 0.00075) == pytest.approx(5_718.57, abs=0.005)
    held = Position("BTC/USD:BTC", 10_000.0, 8_000.0, margin_coin=0.5)
    account = Account(
        "bybit_inverse", "isolated", [held], {"BTC": 0.5}, {"BTC": 8_000.0}, "2021-01-01", True, taker_fee=0.00075
    )
    assert account.liquidation_price() == pytest.approx(5_739.08, abs=0.005)


@pytest.mark.parametrize(("face", "leverage"), [(50_000.0, 10.0), (-50_000.0, 10.0), (-50_000.0, 3.0)])
def test_at_the_bankruptcy_price_the_margin_of_the_leverage_is_gone(face, leverage):
    entry = 60_000.0
    price = coin_bankruptcy_price(face, entry, leverage)
    assert face * (1 / entry - 1 / price) == pytest.approx(-abs(face) / entry / leverage)


def test_a_short_at_1x_can_t_be_bankrupt():
    assert coin_bankruptcy_price(-1.0, 60_000.0, 1.0) == float("inf")
    assert isolated("bybit_inverse", Position("BTC/USD:BTC", -1_000.0, 60_000.0, 1.0)).state.positions[0].fee == 0


def test_maintenance_is_at_mark_with_the_fee_at_bankruptcy():
    """100,000 USD at 50,000, marked 80,000: 1.25 BTC x 0.5% and 100,000 / (50,000 / 1.1) BTC x 0.055%."""
    account = Account(
        "bybit_inverse", "cross", [("BTC/USD:BTC", 100_000.0, 50_000.0, 10.0)], {"BTC": 1.0}, {"BTC": 80_000.0}
    )
    fee = 100_000 / (50_000 / 1.1) * 0.00055
    assert account.state.maintenance / 80_000 == pytest.approx(1.25 * 0.005 + fee)
    assert account.state.equity == pytest.approx(0.98 * 80_000 + 100_000 * (80_000 / 50_000 - 1))


@pytest.mark.parametrize(("coins", "kept"), [(150.0, 0.75), (150.5, 0.755), (300.0, 2.25), (450.0, 4.5)])
def test_the_three_tiers_count_coins_and_do_not_jump(coins, kept):
    """150 BTC at 0.5%, the next 150 at 1%, the next at 1.5%: 0.75 + 1.5 + 2.25 BTC."""
    book = [("BTC/USD:BTC", coins * 80_000.0, 80_000.0, 50.0)]
    account = Account("bybit_inverse", "cross", book, {"BTC": 50.0}, {"BTC": 80_000.0}, taker_fee=0.0)
    assert account.state.maintenance / 80_000 == pytest.approx(kept)


def test_beyond_the_known_tiers_it_refuses():
    book = [("BTC/USD:BTC", 451 * 80_000.0, 80_000.0)]
    with pytest.raises(InputError, match="tiers above 450 BTC"):
        _ = Account("bybit_inverse", "cross", book, {"BTC": 200.0}, {"BTC": 80_000.0}).state
    assert venues.rulebook("bybit_inverse").tiers("BTC") is None, "dollar contracts are Bybit's own rulebook"
