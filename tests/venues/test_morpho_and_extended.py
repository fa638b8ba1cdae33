"""Morpho by hand: threshold, incentive, what lenders lose; Extended's steps of risk by the contract's own index."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin import InputError, Position, venues
from margin.venues.rules.morpho import incentive
from tests.venues.door import Account, with_facts


def lent(coins, debt, price=2_000.0, **settings):
    return Account("morpho", "cross", [], {"ETH": coins, "USDC": -debt}, {"ETH": price}, **settings)


def test_the_threshold_is_the_market_s():
    """10 ETH at 2,000 against 12,000: 20,000 x 86% = 17,200; at 62.5% 12,500."""
    assert lent(10.0, 12_000.0).state.health == pytest.approx(17_200 / 12_000)
    assert lent(10.0, 12_000.0, lltv=0.625).state.health == pytest.approx(12_500 / 12_000)
    price = lent(10.0, 12_000.0).model
    found = lent(10.0, 12_000.0, price=12_000 / 8.6 - 0.01).state
    assert found.liquidated and price.closing.step == 1.0
    assert not lent(10.0, 12_000.0, price=12_000 / 8.6 + 0.01).state.liquidated


def test_a_liquidation_takes_the_incentive_and_lenders_bear_the_rest():
    """At 1,100: 11,000 held, 10,000 owed; 1.0438 a dollar wants 10,438. At 1,000 only 9,580 of debt is covered."""
    amounts = {line.label: line.amount for line in lent(10.0, 10_000.0, price=1_100.0).state.lines}
    factor = 1 / (1 - 0.3 * 0.14)
    assert amounts["A liquidator takes for a dollar of debt"] == pytest.approx(factor)
    assert amounts["Collateral taken for the whole debt"] == pytest.approx(10_000 * factor)
    assert "Charged to lenders" not in amounts
    amounts = {line.label: line.amount for line in lent(10.0, 10_000.0, price=1_000.0).state.lines}
    assert amounts["Collateral taken for the whole debt"] == pytest.approx(10_000.0)
    assert amounts["Charged to lenders"] == pytest.approx(10_000 - 10_000 / factor)
    assert incentive(0.2, 0.3, 1.15) == 1.15


def test_two_collaterals_are_two_markets():
    account = Account("morpho", "cross", [], {"ETH": 1.0, "BTC": 1.0, "USDC": -100.0}, {"ETH": 2e3, "BTC": 6e4})
    with pytest.raises(InputError, match="one collateral and one loan"):
        _ = account.state
    perpetual = Account("morpho", "cross", [("BTC/USDC:USDC", 1.0)], {"USDC": 1.0}, {"BTC": 6e4})
    with pytest.raises(InputError, match="only balances"):
        _ = perpetual.state


@given(st.floats(1.0, 1e6), st.floats(10.0, 2e5), st.floats(10.0, 1e5), st.integers(1, 8))
def test_the_risk_factor_is_that_of_the_contract_s_index(value, first, size, count):
    factors = [(20 + 5 * i) / 1_000 for i in range(count)]
    index = 0 if value < first else min(1 + int((value - first) // size), count - 1)
    rules = with_facts("extended", risk_factors={"XYZ": [first, size, factors]})
    found = Account(rules, "cross", [("XYZ/USDC:USDC", -value, 1.0)], {"USDC": 1e6}, {"XYZ": 1.0}).state
    near = min(abs(value - first - i * size) for i in range(count + 1)) < 1e-6 * value  # an edge, to rounding
    assert near or found.maintenance == pytest.approx(value * factors[index])


def test_extended_margins_what_the_venue_prints_and_refuses_the_rest():
    held = Position("BTC/USDC:USDC", 1.0, 60_000.0, 20.0, maintenance_rate=0.02, max_leverage=50.0)
    found = Account("extended", "cross", [held], {"USDC": 5_000.0}, {"BTC": 60_000.0}).state
    assert (found.initial, found.maintenance) == pytest.approx((3_000.0, 1_200.0))
    bare = Account("extended", "cross", [("BTC/USDC:USDC", 1.0)], {}, {"BTC": 1.0}).sub
    assert "not reproduced here" in venues.rulebook("extended").supports(bare, "cross")[0].reason
