"""Aave v4: the documentation's bonus, a repayment that restores the target, and the collateral factor by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin import Collateral, Position, models
from margin.core.account import SubAccount
from margin.models.marks import Marks
from margin.venues.rules.aave_v4 import bonus, debt_to_repay
from tests.venues.door import Account


def account(*, eth, debt, price=2_000.0, **settings):
    return Account("aave_v4", "cross", [], {"ETH": eth, "USDC": -debt}, {"ETH": price}, **settings)


def test_the_bonus_of_the_documentation():
    """Largest 105%, factor 80%, full at 0.85: least 1.04, 1.0433 at 0.95, 1.05 at 0.80. Source: LiquidationEngine.md."""
    assert bonus(1.0, 1.05, 0.8, 0.85) == pytest.approx(1.04)
    assert bonus(0.95, 1.05, 0.8, 0.85) == pytest.approx(1.0433, abs=5e-5)
    assert bonus(0.80, 1.05, 0.8, 0.85) == 1.05


def test_what_is_repaid_of_10_000():
    assert debt_to_repay(10_000.0, 0.95, 1.05, 1.0 + 0.13 / 3, 0.8) == pytest.approx(4_644, abs=0.5)


def test_what_is_repaid_by_the_closed_form():
    """D (H* - H) / (H* - (1 + b) LT): debt 100, health 0.98 to 1.10, bonus 5%, threshold 0.83."""
    repaid = debt_to_repay(100.0, 0.98, 1.10, 1.05, 0.83)
    assert repaid == pytest.approx(52.516411, abs=1e-6)
    held = 0.98 * 100.0 / 0.83
    assert (held - 1.05 * repaid) * 0.83 / (100.0 - repaid) == pytest.approx(1.10, rel=1e-12)


@given(st.floats(0.87, 0.999), st.floats(1.0, 1.3), st.floats(0.3, 0.9))
def test_after_the_repayment_the_health_is_the_target(health, target, factor):
    """Collateral C with C x factor = health x debt; repaid r takes r x bonus of it away."""
    paid = bonus(health, 1.05, 0.8, 0.85)
    debt = 10_000.0
    held = health * debt / factor
    repaid = debt_to_repay(debt, health, target, paid, factor)
    if repaid >= debt or repaid * paid >= held:
        return
    assert (held - repaid * paid) * factor / (debt - repaid) == pytest.approx(target)


def test_health_is_collateral_times_its_factor_over_debt():
    found = account(eth=10.0, debt=12_000.0).state
    assert (found.equity, found.maintenance) == pytest.approx((16_000.0, 12_000.0))
    assert found.health == pytest.approx(16 / 12)
    assert not any("repaid" in line.label for line in found.lines)


def test_a_liquidatable_account_says_what_would_be_repaid():
    found = account(eth=5.9375, debt=10_000.0).state  # health 0.95
    amounts = {line.label: line.amount for line in found.lines}
    assert amounts["Debt repaid in a liquidation now"] == pytest.approx(4_644, abs=0.5)
    assert amounts["Collateral taken"] == pytest.approx(4_644 * 1.04333, abs=1)


def test_a_rest_below_1_000_is_repaid_with_the_whole():
    found = account(eth=0.59375 * 2, debt=2_000.0, target=1.5).state
    assert next(x.amount for x in found.lines if "Debt repaid" in x.label) == pytest.approx(2_000.0)


@pytest.mark.parametrize("key", ["aave:cross", "aave_v4:cross"])
def test_what_is_borrowed_of_a_coin_stands_beside_what_is_supplied_of_it(key):
    """Supplied and borrowed are two balances of a lender: 3 supplied and 1 owed is no 2 supplied."""
    model = models.get(key)
    marks = Marks(as_of=pd.Timestamp("2026-08-31"), prices={"ETH": 2_000.0})
    both = SubAccount(name="", positions=(Position("ETH", -1.0),), collateral=(Collateral("ETH", 3.0),))
    alone = SubAccount(name="", positions=(), collateral=(Collateral("ETH", 3.0),))
    state = model.state(both, marks)
    assert state.maintenance == 2_000.0
    assert state.equity == pytest.approx(model.state(alone, marks).equity)
    assert state.health == pytest.approx(state.equity / 2_000.0)
    many = model.states(both, marks, np.array([[1.0], [0.5]]))
    assert list(many.maintenance) == [2_000.0, 1_000.0] and many.equity[1] == pytest.approx(state.equity / 2)
    net = models.get("mango:cross").state(replace(both, collateral=(Collateral("ETH", 3.0),)), marks)
    assert net.maintenance == 0.0  # one balance a coin, by that venue's rules
