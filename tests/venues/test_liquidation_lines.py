"""What a rulebook says of an account that it would liquidate, and what its sliders do to what balances count."""

import pytest

from margin import venues
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.marks import Marks
from tests.venues.door import TODAY, Account, with_facts

PRICES = {"BTC": 50_000.0, "SOL": 100.0}


def lines(state):
    return {line.label: line for line in state.lines}


def test_dydx_names_the_worst_price_and_the_insurance_fund():
    held = Position("BTC/USDC:USDC", 0.1, 50_000.0, maintenance_rate=0.1)
    state = Account("dydx", "cross", [held], {"USDC": 499.0}, PRICES).state
    found = lines(state)
    # equity 499 of a maintenance of 500: share 1 - 499/500, spread 1.5 x 500 = 750 of it, over 0.1 coins
    worst = 50_000 - (1 - 499 / 500) * 1.5 * 500 / 0.1
    assert found["BTC/USDC:USDC: worst price of a liquidation"].formula == f"{worst:,.6g}"
    assert found["BTC/USDC:USDC: to the insurance fund at it"].amount == pytest.approx(0.015 * 0.1 * worst)
    safe = Account("dydx", "cross", [held], {"USDC": 501.0}, PRICES).state
    assert not any("liquidation" in label for label in lines(safe))


def test_dydx_s_fund_pays_what_a_nearly_broke_short_lacks():
    held = Position("BTC/USDC:USDC", -0.1, 50_000.0, maintenance_rate=0.1)
    found = lines(Account("dydx", "cross", [held], {"USDC": 1.0}, PRICES).state)
    worst = 50_000 + (1 - 1 / 500) * 1.5 * 500 / 0.1
    assert found["BTC/USDC:USDC: worst price of a liquidation"].formula == f"{worst:,.6g}"
    # Closed at its bankruptcy price it costs 5,001; at the worst price more, and the fund pays the difference.
    assert found["BTC/USDC:USDC: to the insurance fund at it"].amount == pytest.approx(5_001 - 0.1 * worst)


@pytest.mark.parametrize("quantity", [0.4, -0.4])
def test_bybit_says_from_where_on_portfolio_margin_begins(quantity):
    state = Account("bybit", "cross", [Position("BTC/USDT:USDT", quantity, 50_000.0)], {"USDT": 9e4}, PRICES).state
    line = lines(state)["BTC: where portfolio margin starts"]
    assert (line.formula, line.amount) == ("largest loss within 10%", pytest.approx(0.4 * 50_000 * 0.1))


def test_drift_names_what_is_closed_at_once_and_what_a_liquidator_repays():
    held = Position("SOL/USDC:USDC", 100.0, 100.0)
    state = Account("drift", "cross", [held], {"USDC": 490.0}, PRICES).state  # 5% of $10,000 is 500: short of 10
    found = lines(state)["SOL/USDC:USDC: liquidated at once"]
    freed = 100 * (0.05 - 0.01)  # USD freed by a coin closed, after the liquidator's 1%
    fee = 0.01  # the fund's fee: the most it may take
    assert found.amount == pytest.approx(10 / (freed - 100 * fee) * 100, rel=1e-3)
    owes = Account("drift", "cross", [held], {"USDC": 2_400.0, "SOL": -20.0}, PRICES).state
    assert lines(owes)["SOL borrowed: repaid at once"].amount > 0


def test_drift_counts_deposits_less_for_opening_by_the_average_the_limit_and_the_own_cap():
    def counted(**settings):
        (row,) = Account("drift", "cross", [], {"SOL": 10.0}, PRICES, **settings).state.collateral
        return row.counted_initial, row.counted_maintenance

    opening, kept = counted()
    assert (opening, kept) == (pytest.approx(800.0), pytest.approx(900.0))
    assert counted(average=0.9) == (pytest.approx(720.0), pytest.approx(900.0))
    assert counted(average=1.1) == (pytest.approx(800.0), pytest.approx(900.0))
    assert counted(deposits=2.0) == (pytest.approx(400.0), pytest.approx(900.0))
    assert counted(leverage_cap=2.0) == (pytest.approx(500.0), pytest.approx(900.0))


def test_mango_scales_weights_for_opening_beyond_the_protocol_s_limits():
    def state(**settings):
        return Account("mango", "cross", [], {"BTC": 1.0, "USDC": -1_000.0}, PRICES, **settings).state

    plain = state()
    assert plain.equity_initial == pytest.approx(25_000.0) and plain.initial == pytest.approx(1_200.0)
    assert lines(plain)["Health for opening"].amount == pytest.approx(25_000 - 1_200)
    assert lines(plain)["Health against liquidation"].amount == pytest.approx(35_000 - 1_100)
    assert state(deposits=2.0).equity_initial == pytest.approx(12_500.0)
    assert state(borrows=1.5).initial == pytest.approx(1_800.0)
    assert state(deposits=2.0, borrows=1.5).maintenance == plain.maintenance
    assert state(deposits=0.5) == plain


def test_aave_says_its_averages_its_health_and_what_a_liquidator_may_take():
    found = lines(Account("aave", "cross", [], {"BTC": 1.0, "USDC": -40_000.0}, PRICES).state)
    assert found["Average loan-to-value"].formula == "82.50%"
    assert found["Health factor"].formula == f"{50_000 * 0.86 / 40_000:.4f}"
    assert "and receives" not in found
    sick = lines(Account("aave", "cross", [], {"BTC": 1.0, "USDC": -44_000.0}, PRICES).state)
    assert sick["A liquidator repays at most"].amount == pytest.approx(22_000.0)  # health 0.977: half
    assert sick["and receives"].amount == pytest.approx(22_000.0 * 1.05)
    gone = lines(Account("aave", "cross", [], {"BTC": 1.0, "USDC": -47_000.0}, PRICES).state)
    assert gone["A liquidator repays at most"].amount == pytest.approx(47_000.0)  # below 0.95: all


@pytest.mark.parametrize(
    ("settings", "factor"),
    [
        ({}, 1.25),
        ({"stressed": 2.0}, 1.25),
        ({"stressed": 1.0}, 1.0),
        ({"long_run": 1.5}, 1.5),
        ({"long_run": 1.1}, 1.25),
    ],
)
def test_emir_s_three_ways_against_procyclicality(settings, factor):
    book = Portfolio([Position("BTC/USDT:USDT", 1.0, 50_000.0)], [Collateral("USD", 1e5)])
    asked = venues.rulebook("emir").requirement(book, Marks(PRICES, TODAY), "portfolio", settings).initial
    assert asked == pytest.approx(50_000 * 0.35 * factor)


def test_the_rates_of_a_case_come_through_the_door():
    rules = with_facts("deribit", perpetual_rates={"X": [0.02, 0.01, 0.00005]})
    state = Account(rules, "cross", [("X/USDC:USDC", 25.0, 100_000.0)], {"USDC": 1e9}, {"X": 100_000.0}).state
    assert (state.initial, state.maintenance) == (pytest.approx(53_125.0), pytest.approx(28_125.0))
