"""The compiled `states` against those of `reckon` on arrays: every venue that only adds up, books of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Position, models, venues
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.venues import compiled, margin_models
from margin.venues.families.perpetuals import PerpetualVenue
from tests.venues.door import TODAY, Account

PRICES = {"BTC": 80_000.0, "ETH": 2_500.0, "SOL": 110.0, "USDC": 1.0, "USDT": 1.0}
SUMMED = [
    (name, mode)
    for name in venues.names()
    if isinstance(venues.rulebook(name), PerpetualVenue)
    for mode in venues.rulebook(name).summed
]
PLAIN = [name for name, _ in SUMMED if name not in ("aster", "bybit_inverse", "extended")]


def both(name, positions, held, factors, **chosen):
    """(compiled, by reckon on arrays), each (4, n); None where the venue has no plan for the account."""
    account = Account(name, "cross", positions, held, PRICES, **chosen)
    sub = pinned(account.sub, account.marks)
    rulebook = venues.rulebook(name)
    model = models.get(f"{name}:cross", settings=chosen)
    made = compiled.plan(rulebook, sub, account.marks, "cross", model.settings)
    assert not model.refuses(sub)
    slow = model.states(sub, account.marks, factors)
    return None if made is None else compiled.states(made, factors), np.array(
        [getattr(slow, f) for f in margin_models.FIGURES]
    )


def moves(names, n=400, seed=1):
    rng = np.random.default_rng(seed)
    out = np.exp(rng.normal(0, 0.6, (n, len(names))))
    out[0] = 1.0
    return out


def test_who_is_compiled():
    assert {"binance", "hyperliquid", "bybit", "okx", "lighter", "paradex", "dydx", "aster"} <= {n for n, _ in SUMMED}


SIZES = st.floats(-4e3, 4e3).filter(lambda x: abs(x) > 1e-3)


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["BTC", "ETH"]), SIZES, st.floats(0.7, 1.3), st.sampled_from([None, 3.0, 20.0, 100.0])
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 99),
)
def test_every_venue_that_adds_up(name, legs, seed):
    """Sizes reach far into the tiers ($320M of BTC); two legs of one contract; entries away from the mark."""
    positions = [(f"{a}/USDT:USDT", q, PRICES[a] * move, lev) for a, q, move, lev in legs]
    names = sorted({a for a, *_ in legs} | {"USDC"})
    factors = moves(names, 60, seed)
    factors[:, names.index("USDC")] = 1.0
    fast, slow = both(name, positions, {"USDC": 1e6}, factors)
    np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-5)


def test_coins_as_collateral_and_printed_tiers():
    held = {"USDC": 1_000.0, "BTC": 12.0, "USDT": 50_000.0}
    positions = [
        Position(
            "BTC/USDT:USDT", -3.0, 79_000.0, 5.0, max_leverage=50.0, maintenance_rate=0.01, maintenance_deduction=3e3
        ),
        Position("ETH/USDT:USDT", 40.0, 2_600.0, 10.0),
    ]
    names = ["BTC", "ETH", "USDC", "USDT"]
    for name in ("bybit", "binance", "okx"):
        factors = moves(names)
        if name != "binance":
            factors[:, names.index("USDT")] = 1.0
        fast, slow = both(name, positions, held, factors)
        np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize("name", ["bybit", "okx"])
def test_a_dollar_coin_away_from_1_turns_every_figure_and_has_no_plan_while_it_moves(name):
    positions, held = [("BTC/USDT:USDT", 2.0, 75_000.0, 8.0), ("ETH/USDC:USDC", -9.0, 2_400.0)], {"USDT": 4e4}
    factors = moves(["BTC", "ETH", "USDT"])
    account = Account(name, "cross", positions, held, {**PRICES, "USDT": 0.97})
    sub, model = pinned(account.sub, account.marks), models.get(f"{name}:cross")
    made = compiled.plan(model.rulebook, sub, account.marks, "cross", model.settings)
    assert made is not None
    assert not made.covers(factors)
    factors[:, 2] = 1.0
    assert made.covers(factors)
    slow = model.states(sub, account.marks, factors)
    wanted = np.array([getattr(slow, f) for f in margin_models.FIGURES])
    np.testing.assert_allclose(compiled.states(made, factors), wanted, rtol=1e-12, atol=1e-6)
    assert wanted[0, 0] == pytest.approx(0.97 * (4e4 + 2 * 5_000) + 1.0 * -9 * 100)


@pytest.mark.parametrize("name", ["binance", "bybit"])
def test_exactly_at_an_edge_it_lies_in_the_tier_the_venue_says(name):
    edge = venues.rulebook(name).tiers("BTC")[0].cap / PRICES["BTC"]
    fast, slow = both(name, [("BTC/USDT:USDT", edge, 8e4, 150.0)], {"USDC": 1e5}, np.ones((1, 2)))
    np.testing.assert_array_equal(fast[2], slow[2])


def test_fees_settings_and_open_interest_are_in_it():
    positions = [("BTC/USDT:USDT", 2.0, 75_000.0, 8.0)]
    for name, chosen in (
        ("paradex", {"taker_fee": 0.0005}),
        ("okx", {"taker_fee": 0.001}),
        ("dydx", {"open_interest": 0.5}),
    ):
        fast, slow = both(name, positions, {"USDC": 4e4}, moves(["BTC", "USDC"]), **chosen)
        np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-6)


def test_what_does_more_than_add_up_has_no_plan():
    positions, factors = [("BTC/USDT:USDT", 2.0, 75_000.0)], np.ones((1, 2))
    assert both("kraken", positions, {"USDC": 4e4}, factors)[0] is None
    account = Account("bybit", "cross", positions, {"USDC": 4e4}, PRICES, when="2024-06-01")
    sub = pinned(account.sub, account.marks)
    rules = venues.rulebook("bybit")
    assert compiled.plan(rules, sub, account.marks, "cross", rules.settings(None)) is None, "margins at entry then"
    assert compiled.plan(rules, sub, Marks(PRICES, TODAY), "portfolio", rules.settings(None)) is None


def test_a_study_of_many_rows_takes_it_and_gives_the_same(monkeypatch):
    account = Account("hyperliquid", "cross", [("BTC/USDC:USDC", 3.0, 78_000.0, 20.0)], {"USDC": 3e4}, PRICES)
    model, factors = models.get("hyperliquid:cross"), moves(["BTC", "USDC"], compiled.LEAST_ROWS)
    fast = model.states(account.sub, account.marks, factors)
    monkeypatch.setattr(compiled, "LEAST_ROWS", 10**9)
    slow = model.states(account.sub, account.marks, factors)
    for figure in margin_models.FIGURES:
        np.testing.assert_allclose(getattr(fast, figure), getattr(slow, figure), rtol=1e-12, atol=1e-6)
