"""The best allocation of a wallet: against exhaustive search, cvxpy and hand computation."""

from itertools import product

import cvxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError
from margin.haircut.allocation import allocate, allocate_joint
from margin.haircut.tiers import Tier
from margin.risk.tail import expected_shortfall

CASH = (Tier(0.0, None, 0.0),)
COIN = (Tier(0.0, 1000.0, 0.1), Tier(1000.0, 2000.0, 0.3), Tier(2000.0, None, 1.0))


def test_cheapest_first_by_hand():
    """1,500 needed. Coin earns nothing forgone: its first slice counts 900; dollars at 5% a year cover the other 600."""
    found = allocate({"USD": 5000.0, "BTC": 1000.0}, 1500.0, {"USD": CASH, "BTC": COIN}, {"USD": 0.05})
    assert found.posted == pytest.approx({"USD": 600.0, "BTC": 1000.0})
    assert found.cost == pytest.approx(30.0)
    assert found.counted == pytest.approx(1500.0)


def test_without_costs_least_is_posted():
    found = allocate({"USD": 400.0, "BTC": 3000.0}, 1000.0, {"USD": CASH, "BTC": COIN})
    assert found.posted == pytest.approx({"USD": 400.0, "BTC": 600.0 / 0.9})
    assert found.total == pytest.approx(400 + 600 / 0.9)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(100, 2500),
    st.floats(0, 0.2),
    st.floats(0, 0.2),
    st.floats(0, 0.1),
    st.floats(200, 2500),
    st.floats(200, 2500),
)
def test_no_grid_point_is_cheaper(requirement, usd_cost, btc_cost, locked, usd, btc):
    tiers, wallet, yearly = {"USD": CASH, "BTC": COIN}, {"USD": usd, "BTC": btc}, {"USD": usd_cost, "BTC": btc_cost}

    def counted(amount):
        return 0.9 * min(amount, 1000) + 0.7 * min(max(amount - 1000, 0), 1000)

    def cost(dollars, coins):
        first, second = min(coins, 1000), min(max(coins - 1000, 0), 1000)
        return usd_cost * dollars + btc_cost * (first + second) + locked * (0.1 * first + 0.3 * second)

    if usd + counted(btc) < requirement:
        with pytest.raises(InputError, match="too little"):
            allocate(wallet, requirement, tiers, yearly, locked)
        return
    found = allocate(wallet, requirement, tiers, yearly, locked)
    assert found.counted >= requirement * (1 - 1e-9)
    assert all(-1e-9 <= found.posted[a] <= wallet[a] * (1 + 1e-9) for a in wallet)
    for u, b in product(np.linspace(0, usd, 41), np.linspace(0, btc, 41)):
        if u + counted(b) >= requirement:
            assert found.cost <= cost(u, b) + 1e-6 * requirement


def test_joint_allocation_equals_cvxpy():
    rng = np.random.default_rng(5)
    returns = rng.standard_t(4, size=(200, 2)) * 0.03
    losses = 20_000 * returns[:, 0] + 2_000 * rng.standard_normal(200) * 0.03  # short the first coin
    wallet, yearly = {"BTC": 15_000.0, "ETH": 15_000.0, "USD": 10_000.0}, {"BTC": 0.02, "ETH": 0.01, "USD": 0.05}
    found = allocate_joint(wallet, losses, returns, ["BTC", "ETH"], 0.95, yearly)
    x = cvxpy.Variable(3, nonneg=True)
    loss = losses - returns @ x[:2]
    problem = cvxpy.Problem(
        cvxpy.Minimize(np.array([0.02, 0.01, 0.05]) @ x),
        [cvxpy.sum(x) >= cvxpy.sum_largest(loss, 10) / 10, x <= np.array([15_000.0, 15_000.0, 10_000.0])],
    )
    problem.solve(solver=cvxpy.CLARABEL)
    assert found.cost == pytest.approx(problem.value, rel=1e-4)
    posted = np.array([found.posted["BTC"], found.posted["ETH"]])
    assert found.requirement == pytest.approx(max(expected_shortfall(losses - returns @ posted, 0.95), 0.0))
    assert found.counted >= found.requirement - 1e-6


def test_coins_hedge_a_short_in_them():
    returns = np.random.default_rng(1).standard_normal((500, 1)) * 0.04
    losses = 10_000 * returns[:, 0]
    found = allocate_joint({"BTC": 20_000.0, "USD": 20_000.0}, losses, returns, ["BTC"], 0.975)
    cash = allocate_joint({"USD": 20_000.0}, losses, returns, ["BTC"], 0.975)
    assert found.total < cash.total


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: allocate({}, 1.0, {}), "empty"),
        (lambda: allocate({"BTC": -1.0}, 1.0, {"BTC": COIN}), "wallet BTC"),
        (lambda: allocate({"BTC": 1.0}, 1.0, {}), "no haircut"),
        (lambda: allocate({"BTC": 1.0}, float("nan"), {"BTC": COIN}), "requirement"),
        (lambda: allocate({"BTC": 100.0}, 500.0, {"BTC": COIN}), "410 too little"),
        (lambda: allocate_joint({"USD": 1.0}, np.array([500.0]), np.zeros((1, 0)), []), "does not cover"),
        (lambda: allocate_joint({"USD": 1.0}, np.array([500.0]), np.zeros((2, 0)), []), "scenarios"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_nothing_needed_posts_nothing():
    assert allocate({"BTC": 100.0}, 0.0, {"BTC": COIN}).total == 0.0
