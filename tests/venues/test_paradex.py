"""Paradex: published examples of cross margin and portfolio margin, and the scenarios by a plain loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin import InputError, venues
from margin.venues.rules.paradex import least_delta, scan_loss
from tests.venues.door import Account, with_facts

UNITS = venues.rulebook("paradex").parameters["scenarios"]


def test_the_risk_checks_example():
    """$100, long 10 XYZ at 100, 10%: at 98 initial margin 98 and value 80. Source: docs.paradex.trade, risk checks."""
    rules = with_facts("paradex", initial_fractions={"XYZ": 0.1})
    found = Account(rules, "cross", [("XYZ/USDC:USDC", 10.0, 100.0)], {"USDC": 100.0}, {"XYZ": 98.0}).state
    assert (found.initial, found.equity, found.maintenance) == pytest.approx((98.0, 80.0, 49.0))


def test_a_liquidation_page_account():
    """1,000 USDC, long 0.1 BTC from 60,000 at 54,800, short 1 ETH from 3,000 at 3,400, 2%: value 80, maintenance 88.8.

    Source: tradeparadex/paradex-docs, risk-system/liquidations.mdx.
    """
    positions = [("BTC/USDC:USDC", 0.1, 60_000.0), ("ETH/USDC:USDC", -1.0, 3_000.0)]
    found = Account("paradex", "cross", positions, {"USDC": 1_000.0}, {"BTC": 54_800.0, "ETH": 3_400.0}).state
    assert (found.equity, found.maintenance) == pytest.approx((80.0, 88.8))
    assert found.liquidated


def test_portfolio_margin_of_one_bitcoin():
    """Long 1 BTC at 70,000: 16% is the worst: 11,200 and 5,600 before provisions."""
    found = Account("paradex", "portfolio", [("BTC/USDC:USDC", 1.0, 70_000.0)], {"USDC": 20_000.0}, {"BTC": 70_000.0})
    assert (found.state.initial, found.state.maintenance) == pytest.approx((11_200.0, 5_600.0))


def test_the_least_delta_charge():
    """Long 1 and short 5 calls of delta 0.3 at 70,000: net -0.5, gross 2.5 -> 0.02 x 0.5 + 0.01 x 1 = 1,400."""
    assert least_delta(-0.5 * 70_000, 2.5 * 70_000, *UNITS[0]["least_delta"]) == pytest.approx(1_400.0)


@given(st.floats(-1e6, 1e6), st.sampled_from(UNITS))
def test_the_scan_is_the_worst_of_all_scenarios(delta, unit):
    cells = [0.0] + [side * move * delta for move in unit["moves"] for side in (1, -1)]
    cells += [delta * move * share for move, share in unit["tails"]]
    assert scan_loss(delta, unit["moves"], unit["tails"]) == pytest.approx(-min(cells), abs=1e-9)


def test_what_is_not_published_is_refused_by_name():
    book = [("BTC/USDC:USDC", 1.0, 70_000.0), ("SOL/USDC:USDC", 10.0, 150.0)]
    account = Account("paradex", "portfolio", book, {"USDC": 90_000.0}, {"BTC": 70_000.0, "SOL": 150.0})
    with pytest.raises(InputError, match="scenarios of SOL are not published"):
        _ = account.state
    for symbol, why in (
        ("BTC/USDC:USDC-261225-60000-P", "puts sold"),
        ("XRP/USDC:USDC-261225-1-C", "of XRP are not known"),
    ):
        sub = Account("paradex", "cross", [(symbol, -1.0)], {}, {"BTC": 1.0, "XRP": 1.0}).sub
        (refused,) = venues.rulebook("paradex").supports(sub, "cross")
        assert why in refused.reason and "not reproduced here" in refused.reason and refused.alone


def test_options_in_cross_margin():
    """BTC at 70,000: a call of 71,000 sold asks max(15% x 70,000 - 1,000, 10% x 70,000); one bought min(mark, 20%)."""
    sold, bought = "BTC/USDC:USDC-261231-71000-C", "BTC/USDC:USDC-261231-40000-C"
    account = Account(
        "paradex", "cross", [(sold, -2.0), (bought, 1.0)], {"USDC": 90_000.0}, {"BTC": 70_000.0}, vols={"BTC": 0.5}
    )
    first, second = account.state.positions
    assert (first.initial, first.maintenance) == pytest.approx((2 * 9_500.0, 2 * 4_250.0), rel=1e-12)
    assert (second.initial, second.maintenance) == pytest.approx((14_000.0, 7_000.0), rel=1e-12)
    assert account.state.equity == pytest.approx(90_000.0)  # entered at their marks


def test_the_fee_provision_is_in_both_margins():
    book, prices = [("ETH/USDC:USDC", 10.0, 3_000.0, 50.0)], {"ETH": 3_000.0}
    found = Account("paradex", "cross", book, {"USDC": 9_000.0}, prices, taker_fee=0.0003).state
    assert (found.initial, found.maintenance) == pytest.approx((609.0, 309.0))
