"""VaR, ES and tail weights: slow twins, a linear programme, published values, and the axioms of a coherent measure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from margin.risk.tail import expected_shortfall, tail_weights, value_at_risk

LOSSES = hnp.arrays(float, st.integers(1, 60), elements=st.floats(-1e6, 1e6))
LEVELS = st.floats(0.5, 0.999)


def slow_es(losses, level):
    """Acerbi-Tasche from the definition: average of the quantile function over the tail."""
    mass = len(losses) * (1 - level)
    left, total = mass, 0.0
    for loss in sorted(losses, reverse=True):
        taken = min(left, 1.0)
        total += taken * loss
        left -= taken
        if left <= 0:
            break
    return total / mass


def slow_var(losses, level):
    for x in sorted(losses):
        if sum(1 for loss in losses if loss <= x) >= level * len(losses) - 1e-9:
            return x
    raise AssertionError


def test_a_level_that_is_reached_exactly_is_reached_though_floats_say_a_little_more():
    """0.55 x 100 is 55.00000000000001 in floating point: the 55th loss has the level, not the 56th."""
    assert 0.55 * 100 > 55
    assert value_at_risk(np.arange(1.0, 101.0), 0.55) == 55.0


@given(LOSSES, LEVELS)
def test_es_and_var_equal_the_slow_twins(losses, level):
    assert expected_shortfall(losses, level) == pytest.approx(slow_es(losses, level), rel=1e-9, abs=1e-6)
    assert value_at_risk(losses, level) == slow_var(losses, level)


@given(LOSSES, LEVELS, st.sampled_from(["es", "var"]))
def test_weights_reproduce_the_measure_and_sum_to_one(losses, level, measure):
    weights = tail_weights(losses, level, measure)
    exact = expected_shortfall(losses, level) if measure == "es" else value_at_risk(losses, level)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights @ losses == pytest.approx(exact, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("level", [0.9, 0.975, 0.99])
def test_es_equals_the_rockafellar_uryasev_programme(level):
    """min over t of t + mean((L - t)+) / (1 - level), by an independent solver."""
    losses = np.random.default_rng(3).standard_t(3, size=130)
    n = len(losses)
    best = linprog(
        np.r_[1.0, np.full(n, 1 / (n * (1 - level)))],
        A_ub=np.c_[-np.ones(n), -np.eye(n)],
        b_ub=-losses,
        bounds=[(None, None)] + [(0, None)] * n,
    )
    assert expected_shortfall(losses, level) == pytest.approx(best.fun, rel=1e-9)


@given(LOSSES, LOSSES, LEVELS)
def test_es_is_sub_additive(a, b, level):
    n = min(len(a), len(b))
    together = expected_shortfall(a[:n] + b[:n], level)
    assert together <= expected_shortfall(a[:n], level) + expected_shortfall(b[:n], level) + 1e-6


@given(LOSSES, LEVELS, st.floats(0, 1e3), st.floats(-1e5, 1e5))
def test_es_scales_with_the_book_and_moves_with_cash(losses, level, scale, cash):
    es = expected_shortfall(losses, level)
    assert expected_shortfall(scale * losses + cash, level) == pytest.approx(scale * es + cash, rel=1e-6, abs=1e-3)


@given(LOSSES, LEVELS)
def test_the_order_of_scenarios_does_not_matter(losses, level):
    assert expected_shortfall(losses[::-1], level) == pytest.approx(expected_shortfall(losses, level), rel=1e-12)
    np.testing.assert_allclose(tail_weights(losses[::-1], level)[::-1], tail_weights(losses, level), rtol=1e-12)


def test_columns_are_measured_one_by_one():
    losses = np.random.default_rng(1).normal(size=(200, 4, 3))
    got = expected_shortfall(losses, 0.97)
    assert got.shape == (4, 3)
    assert got[2, 1] == pytest.approx(slow_es(losses[:, 2, 1], 0.97))


def test_the_quantile_atom_is_split():
    """Hand-made: 10 losses at 75%: the worst two and half of the third."""
    assert expected_shortfall(np.arange(1.0, 11.0), 0.75) == pytest.approx((10 + 9 + 0.5 * 8) / 2.5)


def test_a_tail_thinner_than_one_scenario_is_the_worst_one():
    assert expected_shortfall(np.array([1.0, 5.0, 3.0]), 0.99) == 5.0


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan]), np.array([])])
def test_what_is_not_a_sample_is_refused(bad):
    with pytest.raises(ValueError, match="losses"):
        expected_shortfall(bad, 0.9)
    with pytest.raises(ValueError, match="level"):
        value_at_risk(np.ones(3), 1.0)
