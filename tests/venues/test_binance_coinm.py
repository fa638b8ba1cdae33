"""Binance COIN-M: published figures, the venue's own liquidation formula, and one wallet for each coin."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError, Position, venues
from tests.venues.door import Account, isolated

COINM = venues.rulebook("binance_coinm")


def test_the_page_s_example():
    """100 contracts of $100 at 25,000: 0.4 BTC, level 1, 0.4%: 0.0016 BTC. Source: Binance FAQ ceccfcfb4e3a."""
    row = Account("binance_coinm", "cross", [("BTC/USD:BTC", 10_000.0, 25_000.0)], {"BTC": 1.0}, {"BTC": 25_000.0})
    row = row.state.positions[0]
    assert (row.notional / 25_000, row.maintenance / 25_000) == (pytest.approx(0.4), pytest.approx(0.0016))


def test_deductions_follow_from_the_caps():
    """Newer caps of 5, 10, 20, 50 BTC: 0.005, 0.055, 0.355 and 1.605 BTC by d + floor x rise."""
    assert [t.deduction for t in COINM.tiers("BTC", inverse=True)[:5]] == pytest.approx(
        [0.0, 0.005, 0.055, 0.355, 1.605]
    )


def closed_form(face, entry, wallet, tiers):
    """USD: wallet + N (1/E - 1/P) = rate |N|/P - d, tier by tier; all in coins."""
    found = []
    for t in tiers:
        price = (face + t.rate * abs(face)) / (wallet + t.deduction + face / entry)
        size = abs(face) / price if price > 0 else 0.0
        if price > 0 and t.floor * (1 - 1e-9) <= size <= (t.cap or 1e18) * (1 + 1e-9):
            found.append(price)
    return found


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([1.0, -1.0]),
    st.floats(1e4, 2e7),
    st.floats(20_000, 120_000),
    st.floats(1.5, 40),
    st.floats(0.8, 1.2),
)
def test_liquidation_is_the_venue_s_own_formula(side, face, entry, leverage, move):
    wallet = face / entry / leverage
    mark = entry * move
    account = Account("binance_coinm", "cross", [("BTC/USD:BTC", side * face, entry)], {"BTC": wallet}, {"BTC": mark})
    if account.state.health is not None and account.state.health <= 1:
        return
    found = account.liquidation_price()
    expected = [
        p for p in closed_form(side * face, entry, wallet, COINM.tiers("BTC", inverse=True)) if (mark - p) * side >= 0
    ]
    if found is None:
        assert not [p for p in expected if p < 1e12]
    else:
        assert found == pytest.approx(max(expected) if side > 0 else min(expected), rel=1e-9)


def test_an_isolated_position_is_posted_its_margin_in_coins_at_entry():
    held = Position("BTC/USD:BTC", 100_000.0, 50_000.0, 10.0)
    account = isolated("binance_coinm", held)
    assert account.sub.collateral[0].quantity == pytest.approx(0.2)
    assert account.liquidation_price() == pytest.approx(100_000 * 1.004 / (0.2 + 2.0))


def test_each_coin_has_a_wallet_of_its_own():
    both = [("BTC/USD:BTC", 1_000.0, 50_000.0), ("ETH/USD:ETH", 1_000.0, 2_500.0)]
    account = Account("binance_coinm", "cross", both, {"BTC": 1.0, "ETH": 1.0}, {"BTC": 50_000.0, "ETH": 2_500.0})
    with pytest.raises(InputError, match="wallet of their own"):
        _ = account.state
    refused = COINM.supports(account.sub, "cross")
    assert [(u.symbol, u.alone) for u in refused] == [("ETH/USD:ETH", True)]
    assert not COINM.supports(account.sub, "isolated"), "isolated positions stand alone anyway"


def test_other_assets_count_for_nothing_and_say_so():
    account = Account(
        "binance_coinm", "cross", [("BTC/USD:BTC", 1_000.0, 50_000.0)], {"BTC": 0.1, "USDT": 5_000.0},
        {"BTC": 50_000.0},
    )  # fmt: skip
    assert account.state.equity == pytest.approx(5_000.0)
    assert any("USDT is not in the wallet" in note for note in account.state.notes)
