"""Derive's auction: what selling the share that may be bid for leaves, and the lines of an account that is liquidated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.venues.rules.derive.auction import buffer_margin, insolvent_bid, insolvent_offer, most_bid
from tests.venues.door import Account


@given(st.floats(1.0, 1e6), st.floats(-1e6, -1.0), st.floats(0.0, 0.9))
def test_selling_the_share_brings_the_buffer_margin_to_0(value, maintenance, discount):
    """What is left of it, (1 - f) BM, and the cash of the sold share, f (1 - d) value, make 0."""
    buffered = buffer_margin(value, maintenance, 0.15)
    share = most_bid(value, buffered, discount)
    assert 0 < share <= 1
    assert (1 - share) * buffered + share * (1 - discount) * value == pytest.approx(0.0, abs=1e-6 * abs(buffered))


def test_an_insolvent_account_is_offered_for_less_and_less():
    assert insolvent_offer(-4_000.0, -15_000.0, 0.0) == -4_000.0
    assert insolvent_offer(-4_000.0, -15_000.0, 1.0) == -15_000.0
    assert insolvent_bid(-6_000.0, -15_000.0, 0.5) == (3_000.0, 4_500.0)


def test_the_lines_of_a_liquidated_account():
    def labels(cash):
        book = [("BTC/USDC:USDC", 1.0, 100_000.0)]
        found = Account("derive", "cross", book, {"USDC": cash}, {"BTC": 100_000.0}).state
        return {line.label: line.amount for line in found.lines if "uction" in line.label}

    assert labels(6_000.0) == {}  # 5% is 5,000
    solvent = labels(4_000.0)  # net maintenance -1,000, buffer margin -1,000 - 0.15 x 5,000
    assert solvent["Auction: buffer margin"] == pytest.approx(-1_750.0)
    assert solvent["Auction: may be bid for now"] == pytest.approx(4_000 * 1_750 / (1_750 + 0.95 * 4_000))
    assert solvent["Auction: fee"] == pytest.approx(0.1 * 4_000 * 1_750 / 5_750)
    insolvent = labels(-500.0)
    assert insolvent["Insolvent auction: offer"] == pytest.approx(-500.0)
    assert insolvent["Insolvent auction: a bidder of all brings at its end"] == pytest.approx(0.0)
