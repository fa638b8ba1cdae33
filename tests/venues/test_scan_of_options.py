"""The liquidation scan over books of same-day options: no band is missed, nothing is refused on the way."""

import numpy as np
import pandas as pd
import pytest

from margin import venues
from margin.core.account import Account
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models import get
from margin.models.marks import Marks
from margin.venues import liquidation
from tests.venues.oracles import gap_at

SPOT = 67_503.0
TODAY = pd.Timestamp("2025-01-01 08:00")  # they settle now: worth what they pay
MARKS = Marks({"BTC": SPOT, "USDC": 1.0}, TODAY, {"BTC": 0.55})


def call(strike, quantity, entry=None):
    return Position(f"BTC/USD:BTC-250101-{strike}-C", quantity, entry)


def butterfly(low, body, high, size):
    """Short: the wings are sold, the body bought twice; it loses most at the body."""
    return [call(low, -size), call(body, 2 * size), call(high, -size)]


def held(positions, dollars=20_000.0):
    return Portfolio(positions, [Collateral("USDC", dollars)])


def dense(gap):
    """Nearest factors at which the gap is below 0 on a grid ten times finer than the scan's; None where none is."""
    down, up = np.arange(0.999, 0.8, -0.001), np.arange(1.001, 1.25, 0.001)
    return [next((f for f in side.tolist() if gap({"BTC": f}) < 0), None) for side in (down, up)]


@pytest.mark.parametrize(
    ("legs", "bands"),
    [
        (butterfly(66_000, 72_000, 78_000, 5.0), 1),
        (butterfly(66_000, 72_000, 78_000, 4.0), 0),
        (butterfly(70_000, 72_000, 74_000, 15.0), 2),
        (butterfly(72_000, 72_500, 73_000, 60.0), 2),
        (butterfly(66_000, 66_500, 67_000, 60.0), 2),
        (butterfly(60_000, 70_000, 80_000, -3.0), 2),
        (butterfly(64_000, 72_000, 80_000, -6.0), 2),
    ],
)
def test_no_band_between_two_safe_stretches_is_missed(legs, bands):
    rules, book = venues.rulebook("deribit"), held(legs)
    found = liquidation.prices(rules, book, MARKS, "portfolio")["BTC"]
    gap = gap_at(rules, book, MARKS, "portfolio")
    want = dense(gap)
    assert sum(f is not None for f in want) == bands
    for ours, factor in zip((found.down, found.up), want, strict=True):
        assert (ours is None) == (factor is None)
        if ours is not None:
            assert ours / SPOT == pytest.approx(factor, abs=1.01e-3)
            inside = ours * (1 - 1e-6) if ours < SPOT else ours * (1 + 1e-6)
            assert gap({"BTC": inside / SPOT}) < 0 <= gap({"BTC": (2 * ours - inside) / SPOT}) + 1e-6


def test_an_option_worth_nothing_keeps_its_entry():
    """Short 5 calls that are worth 0 and settle today, $50,000: liquidated at +15.8% at Derive's portfolio margin."""
    found = liquidation.prices(venues.rulebook("derive"), held([call(80_000, -5.0)], 50_000.0), MARKS, "portfolio")
    assert found["BTC"].up / SPOT - 1 == pytest.approx(0.158, abs=5e-4)
    for name, mode in (("derive", "portfolio"), ("derive", "cross"), ("deribit", "portfolio"), ("deribit", "cross")):
        for book in ([call(80_000, -1.0)], [call(80_000, -1.0), call(70_000, 0.5)]):
            free = [Position(p.symbol, p.quantity, 0.0) for p in book]
            rules = venues.rulebook(name)
            without, given = (liquidation.prices(rules, held(b), MARKS, mode)["BTC"] for b in (book, free))
            assert without == given, (name, mode)


def test_a_sold_call_at_deribit_is_liquidated_where_the_plain_formula_says():
    """Standard margin of a call sold: 7.5% of the index and its value; equity leaves the value out: C - 0.075 P - (P - K)."""
    rules = venues.rulebook("deribit")
    found = liquidation.prices(rules, held([call(80_000, -1.0)]), MARKS, "cross")["BTC"]
    assert found.up == pytest.approx((20_000 + 80_000) / 1.075, rel=1e-9)
    assert found.down is None


def test_the_scan_does_not_refuse_where_a_price_leaves_the_tables_range():
    """3 BTC reach a net delta of $20,000,000 on the way up; the venue's charge above it is not published."""
    book = held([Position("BTC/USDC:USDC", 3.0, SPOT)], 60_000.0)
    found = liquidation.prices(venues.rulebook("deribit"), book, MARKS, "portfolio")["BTC"]
    assert found.up is None
    gap = gap_at(venues.rulebook("deribit"), book, MARKS, "portfolio")
    low, high = 0.1, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if gap({"BTC": middle}) < 0 else (low, middle)
    assert found.down == pytest.approx(SPOT * high, rel=1e-9)
    assert 3 * SPOT * 200 > 20_000_000  # the scan goes to 1e9 times today's price


KEYS = (
    "deribit:portfolio",
    "deribit:cross",
    "bybit:cross",
    "derive:portfolio",
    "derive_v1:portfolio",
    "paradex:portfolio",
)
FINE = np.exp(np.concatenate([np.arange(2.5e-4, 0.3, 2.5e-4), np.geomspace(0.3, 8.0, 60)]))  # four times the scan's


def near_dated(rng):
    """A butterfly, a condor or a sold option of any strikes, settling within a week, and how wide it is in dollars."""
    expiry = (TODAY + pd.Timedelta(days=int(rng.choice([0, 1, 7])))).strftime("%y%m%d")
    step, kind = int(rng.choice([250, 1_000, 5_000])), str(rng.choice(["C", "P"]))
    middle = round(SPOT * float(np.exp(rng.normal(0, 0.1))) / step) * step
    size = float(np.exp(rng.uniform(np.log(0.5), np.log(40.0)))) * float(rng.choice([-1.0, 1.0]))
    shapes = (((-1, 1), (0, -2), (1, 1)), ((-1, 1), (0, -1), (1, -1), (2, 1)), ((0, -1),))
    shape = shapes[int(rng.integers(0, 3))]
    legs = [Position(f"BTC/USDC:USDC-{expiry}-{middle + k * step}-{kind}", q * size) for k, q in shape]
    return legs, abs(size) * step


@pytest.mark.parametrize("key", KEYS)
def test_no_band_of_random_near_dated_books_is_missed(key):
    """The money is what leaves a narrow band below zero; a grid finer than the scan's finds none nearer."""
    model, rng, banded = get(key), np.random.default_rng(31), 0
    for _ in range(6):
        legs, width = near_dated(rng)

        def pool_of(dollars, legs=legs):
            (pool,) = Account(positions=legs, collateral=[Collateral("USDC", dollars)]).sub_accounts(model, MARKS)
            return pool

        pool = pool_of(1e6)
        rows = np.ones((2 * len(FINE) + 1, len(pool.assets)))
        rows[:, pool.assets.index("BTC")] = np.concatenate([1 / FINE, [1.0], FINE])
        gap = model.states(pool, MARKS, rows).gap
        more = gap.min() + width * float(rng.choice([1e-3, 1e-2]))  # dollars to take out: a thin slice is below zero
        gap = gap - more
        if more >= 1e6 or gap[len(FINE)] < 0:
            continue
        found = liquidation.of_sub_account(model, pool_of(1e6 - more), MARKS)["BTC"]
        for side, ours in ((gap[: len(FINE)], found.down), (gap[len(FINE) + 1 :], found.up)):
            below = np.flatnonzero(side < -1e-6)
            if len(below):
                banded += 1
                assert ours is not None, (key, legs, more)
                assert abs(np.log(ours / SPOT)) <= np.log(FINE[below[0]]) + 1e-9, (key, legs, more)
    assert banded >= 2
