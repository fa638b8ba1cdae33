"""DebtRank, fire sales, cascades and funds against worked numbers and what must hold of all."""

import numpy as np
import pytest

from margin import InputError
from margin.protocols.branching import (
    cascade,
    critical_shock,
    linear_impact,
    liquidation_ladder,
    reproduction,
    square_root_impact,
)
from margin.protocols.debtrank import debtrank
from margin.protocols.fire_sales import fire_sale, square_root_rounds
from margin.protocols.funds import fund_sizes, mutual_fund, waterfall


def test_debtrank_while_nobody_defaults_is_the_linear_solution():
    leverage, first = np.array([[0, 0.5], [0.5, 0]]), np.array([0.1, 0.0])
    found = debtrank(leverage, np.ones(2), first)
    np.testing.assert_allclose(found.distress, np.linalg.solve(np.eye(2) - leverage, first), atol=1e-12)
    np.testing.assert_allclose(found.distress, [0.133333, 0.066667], atol=1e-6)
    assert found.stable
    assert found.amplification == pytest.approx(2.0)


def test_debtrank_beyond_a_radius_of_one_runs_to_default():
    found = debtrank(np.array([[0, 1.5], [0.8, 0]]), np.ones(2), np.array([0.05, 0.0]))
    np.testing.assert_allclose(found.distress, [1.0, 0.8], atol=1e-9)
    assert found.radius == pytest.approx(1.0954, abs=1e-4)
    assert not found.stable


def test_debtrank_counts_in_shares_of_each_nodes_own_equity():
    """Exposures in dollars over equity; the impact weighs distress by equity; the order of nodes does not matter."""
    exposures, equity, first = (
        np.array([[0, 30.0, 5], [4, 0, 0], [0, 8, 0]]),
        np.array([100.0, 20, 40]),
        np.array([0, 0.5, 0]),
    )
    found = debtrank(exposures, equity, first)
    assert found.impact == pytest.approx(float((found.distress - first) @ equity / equity.sum()))
    order = np.array([2, 0, 1])
    again = debtrank(exposures[np.ix_(order, order)], equity[order], first[order])
    np.testing.assert_allclose(again.distress, found.distress[order])
    assert (debtrank(exposures, equity, first, nonlinear=2.0).distress <= found.distress + 1e-12).all()


def test_one_bank_one_asset():
    found = fire_sale([100], [9], [[1]], [1e-4], [-0.01])
    assert found.sales[0] == pytest.approx(9)
    assert found.price_moves[0] == pytest.approx(-0.0009)
    assert found.losses[0] == pytest.approx(0.09)
    assert found.total_moves is not None
    assert found.total_moves[0] / -0.01 == pytest.approx(1.098901, abs=1e-6)


def test_two_banks_two_assets():
    found = fire_sale([100, 50], [9, 4], [[0.6, 0.4], [0.2, 0.8]], [1e-4, 2e-4], [-0.02, -0.01])
    np.testing.assert_allclose(found.returns, [-0.016, -0.012])
    np.testing.assert_allclose(found.sales, [9.12, 7.68])
    np.testing.assert_allclose(found.losses, [0.11616, 0.07056])
    assert found.vulnerability == pytest.approx(0.009336, abs=1e-9)
    assert found.radius == pytest.approx(0.080439, abs=1e-6)
    assert found.total_moves is not None
    np.testing.assert_allclose(found.total_moves, [-0.020986, -0.011676], atol=1e-6)


def test_fire_sales_are_linear_in_the_shock_and_end_in_falls():
    small = fire_sale([100, 50], [9, 4], [[0.6, 0.4], [0.2, 0.8]], [1e-4, 2e-4], [-0.02, -0.01])
    large = fire_sale([100, 50], [9, 4], [[0.6, 0.4], [0.2, 0.8]], [1e-4, 2e-4], [-0.04, -0.02])
    np.testing.assert_allclose(large.losses, 2 * small.losses)
    assert fire_sale([100], [9], [[1]], [0.01], [-0.01]).total_moves is None  # radius 9: rounds do not end


def test_square_root_rounds_solve_their_own_equation():
    after = square_root_rounds([100.0], [1.0], [[1.0]], [0.02], [1000.0], [-0.05])
    assert after[0] == pytest.approx(-0.05 - 0.02 * np.sqrt(100 * -after[0] / 1000), abs=1e-12)


def test_a_linear_cascade_doubles_the_shock_where_each_fall_brings_half_of_it_on():
    falls = np.linspace(0.001, 1.0, 1000)  # u USD of liquidations per unit of fall
    ladder = liquidation_ladder(falls, np.full(1000, 0.001))
    found = cascade(ladder, linear_impact(0.5), 0.1)
    assert found.total == pytest.approx(0.2, abs=1e-3)
    assert reproduction(ladder, linear_impact(0.5)).mean() == pytest.approx(0.5)
    assert critical_shock(ladder, linear_impact(0.5)) is None


def test_a_wall_of_liquidations_tips_at_the_shock_that_reaches_it():
    falls, usd = np.full(100, 0.1), np.full(100, 1e6)  # 100 million at a fall of 10%
    ladder, impact = liquidation_ladder(falls, usd), square_root_impact(0.03, 1e8)
    calm, over = cascade(ladder, impact, 0.09), cascade(ladder, impact, 0.1)
    assert calm.total == 0.09
    assert over.total == pytest.approx(0.13, abs=1e-6)
    tipping = critical_shock(ladder, impact)
    assert tipping is not None
    assert tipping[0] == pytest.approx(0.0975, abs=0.003)
    assert tipping[1] == pytest.approx(0.13, abs=0.003)


def test_the_fall_solves_its_equation_and_never_shrinks_with_the_shock():
    rng = np.random.default_rng(3)
    ladder = liquidation_ladder(rng.beta(2, 5, 5000), rng.lognormal(0, 1, 5000) * 1e4)
    impact = square_root_impact(0.04, 1e9)
    ends = [cascade(ladder, impact, s).total for s in np.linspace(0, 0.6, 61)]
    assert (np.diff(ends) >= -1e-9).all()
    for shock, total in zip(np.linspace(0, 0.6, 61), ends, strict=True):
        if total < 1:
            assert total == pytest.approx(shock + float(impact(np.array([ladder.up_to(total)]))[0]), abs=1e-6)


def test_fund_sizes_by_hand():
    table = np.array([[0, 0, 5.0], [1, 2, 3], [10, 0, 0], [4, 4, 4]])
    sizes = fund_sizes(table, 0.5)
    assert (sizes.cover_one, sizes.cover_two, sizes.worst) == (10, 10, 12)
    assert sizes.quantile == 6  # totals 5, 6, 10, 12


def test_who_pays_adds_up_and_a_fund_as_large_as_the_worst_leaves_nothing():
    losses = np.array([0.0, 5, 20, 40])
    paid = waterfall(losses, own_fund=10, shared_fund=15)
    np.testing.assert_allclose(paid.own, [0, 5, 10, 10])
    np.testing.assert_allclose(paid.shared, [0, 0, 10, 15])
    np.testing.assert_allclose(paid.left, [0, 0, 0, 15])
    assert not waterfall(losses, own_fund=40).left.any()


def test_a_mutual_fund_at_the_same_level_and_who_carries_whom():
    losses = np.array([[10.0, 0], [0, 10], [0, 0], [0, 0]])
    found = mutual_fund(losses, 0.9)
    assert found.separate == (10, 10)
    assert found.mutual == 10
    assert found.saved == 10
    assert sum(found.carried) == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: debtrank(np.zeros((2, 2)), np.array([1.0, 0]), np.zeros(2)),
        lambda: debtrank(np.zeros((2, 2)), np.ones(2), np.array([2.0, 0])),
        lambda: fire_sale([1], [1], [[0.5]], [0], [0]),
        lambda: fund_sizes(np.array([[-1.0]])),
        lambda: waterfall(np.array([1.0]), -1),
        lambda: cascade(liquidation_ladder(np.array([0.1]), np.array([1.0])), linear_impact(0), 2.0),
        lambda: square_root_impact(0.1, 0.0),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
