"""Lighter: a recorded account, the zero price's own definition, and fractions by hand."""

import pytest

from margin import Position, venues
from margin.venues.rules.lighter import zero_price
from tests.venues.door import Account

MARKS = {"BTC": 100_000.0, "ETH": 4_000.0, "SOL": 150.0}


def test_the_zero_prices_of_the_rule():
    """Value 500, long 1 BTC at 100,000, short 10 ETH at 4,000, both 1.2%: 99,642.86 and 4,014.29."""
    assert zero_price(100_000.0, 1.0, 0.012, 500.0, 1_680.0) == pytest.approx(99_642.857142857)
    assert zero_price(4_000.0, -10.0, 0.012, 500.0, 1_680.0) == pytest.approx(4_014.285714285)
    positions = [("BTC/USDC:USDC", 1.0, 100_000.0), ("ETH/USDC:USDC", -10.0, 4_000.0)]
    found = Account("lighter", "cross", positions, {"USDC": 500.0}, MARKS).state
    assert found.maintenance == pytest.approx(1_680.0)
    zero = {line.label.split(":")[0]: line.formula for line in found.lines if "zero price" in line.label}
    assert "99,642.857" in zero["BTC/USDC"] and "4,014.2857" in zero["ETH/USDC"]


def test_closing_at_the_zero_price_keeps_the_account_s_ratio():
    positions = [("BTC/USDC:USDC", 1.0, 100_000.0), ("ETH/USDC:USDC", -10.0, 4_000.0)]
    before = Account("lighter", "cross", positions, {"USDC": 1_000.0}, MARKS).state
    price = zero_price(4_000.0, -10.0, 0.012, before.equity, before.maintenance)
    after = Account("lighter", "cross", positions[:1], {"USDC": 1_000.0 - 10 * (price - 4_000)}, MARKS).state
    assert after.equity / after.maintenance == pytest.approx(before.equity / before.maintenance)


def test_initial_margin_is_the_larger_of_the_market_s_and_one_s_own_or_the_default():
    def initial(leverage):
        held = [Position("SOL/USDC:USDC", 100.0, 150.0, leverage)]
        return Account("lighter", "cross", held, {"USDC": 9_000.0}, MARKS).state.initial / 15_000

    assert [initial(x) for x in (None, 10.0, 25.0, 50.0)] == pytest.approx([0.10, 0.10, 0.04, 0.04])


def test_close_out_margin_is_shown_beside_and_two_positions_of_a_coin_are_one():
    positions = [("BTC/USDC:USDC", 1.0, 100_000.0), ("BTC/USDT:USDT", -0.4, 100_000.0)]
    found = Account("lighter", "cross", positions, {"USDC": 9_000.0}, MARKS).state
    assert found.maintenance == pytest.approx(0.012 * 60_000)
    assert next(x.amount for x in found.lines if "Close-out" in x.label) == pytest.approx(0.008 * 60_000)


def test_it_closes_with_a_fee_to_the_pool():
    closing = venues.rulebook("lighter").closing
    assert (closing.fee, closing.insurance, closing.adl) == (0.01, True, None)
