"""Clearing against worked examples, a linear programme, and what must hold of every network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from margin import InputError
from margin.protocols.clearing import clear

TRIANGLE = np.array([[0.0, 4.0, 0.0], [0.0, 0.0, 3.0], [2.0, 0.0, 0.0]])
CHAIN = np.array([[0.0, 10.0, 0.0], [0.0, 0.0, 10.0], [0.0, 0.0, 0.0]])


def test_senior_debts_are_paid_first():
    """Barucca's course example: assets 20, 20, 10 less 10%, less senior debts 17, 18, 8."""
    found = clear(TRIANGLE, np.array([18.0, 18.0, 9.0]), np.array([17.0, 18.0, 8.0]))
    np.testing.assert_allclose(found.paid, [3, 3, 2], atol=1e-12)
    np.testing.assert_allclose(found.net_worth, [-1, 0, 2], atol=1e-12)
    np.testing.assert_allclose(found.external, [17, 18, 8])


def test_debts_of_equal_rank_share_what_is_there():
    found = clear(TRIANGLE, np.array([18.0, 18.0, 9.0]), np.array([17.0, 18.0, 8.0]), senior=False)
    np.testing.assert_allclose(found.paid, [20, 21, 10], atol=1e-12)
    np.testing.assert_allclose(found.equity, [0, 17 / 21, 2], atol=1e-9)
    assert found.defaults.tolist() == [True, False, False]


def test_a_chain_with_and_without_costs_of_default():
    outside = np.array([4.0, 3.0, 0.0])
    plain, costly = clear(CHAIN, outside), clear(CHAIN, outside, alpha=0.5, beta=0.5)
    np.testing.assert_allclose(plain.paid, [4, 7, 0], atol=1e-12)
    assert plain.equity[2] == pytest.approx(7)
    assert plain.value_lost == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(costly.paid, [2, 2.5, 0], atol=1e-12)
    assert costly.equity[2] == pytest.approx(2.5)
    assert costly.value_lost == pytest.approx(0.5 * 4 + 0.5 * 3 + 0.5 * 2)


def test_a_circle_without_outside_assets_takes_the_greatest_vector():
    np.testing.assert_array_equal(clear(np.roll(np.eye(3), 1, axis=1), np.zeros(3)).paid, np.ones(3))


def test_a_circle_that_hardly_leaks_is_solved_exactly():
    """Steps alone would need millions of rounds; the node that pays in full counts in the linear system."""
    debts = np.zeros((4, 4))
    debts[0, 1] = debts[1, 0] = 1e6
    debts[0, 2] = debts[1, 2] = 1.0
    debts[3, 0] = 0.25
    share = 1e6 / (1e6 + 1.0)
    first, second = np.linalg.solve([[1.0, -share], [-share, 1.0]], [0.5, 0.25])
    found = clear(debts, np.array([0.25, 0.25, 0.0, 5.0]))
    np.testing.assert_allclose(found.paid, [first, second, 0.0, 0.25], rtol=1e-7)


@st.composite
def networks(draw):
    n = draw(st.integers(2, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    debts = rng.uniform(0, 10, (n, n)) * (rng.random((n, n)) < 0.5)
    np.fill_diagonal(debts, 0.0)
    return debts, rng.uniform(0, 8, n) * (rng.random(n) < 0.7), rng.uniform(0, 5, n) * (rng.random(n) < 0.5)


@settings(max_examples=150, deadline=None)
@given(networks())
def test_equal_rank_is_the_linear_programme(network):
    """max 1'p subject to p <= e + Pi'p and p <= p_bar has the greatest clearing vector as its solution."""
    debts, outside, external = network
    found = clear(debts, outside, external, senior=False)
    share = np.divide(debts, found.owed[:, None], out=np.zeros_like(debts), where=found.owed[:, None] > 0)
    lp = linprog(
        -np.ones(len(outside)), np.eye(len(outside)) - share.T, outside, bounds=[(0, owed) for owed in found.owed]
    )
    np.testing.assert_allclose(found.paid, lp.x, atol=1e-6)


@settings(max_examples=150, deadline=None)
@given(networks(), st.floats(0.1, 1.0), st.floats(0.1, 1.0))
def test_what_must_hold_of_every_network(network, alpha, beta):
    debts, outside, external = network
    plain, costly = clear(debts, outside, external), clear(debts, outside, external, alpha=alpha, beta=beta)
    assert (costly.paid <= plain.paid + 1e-9).all()  # costs of default help nobody
    assert (plain.paid <= plain.owed + 1e-9).all()
    # Every dollar: what came in from outside is equity, senior payments, or lost.
    for found in (plain, costly):
        kept = found.equity.sum() + found.external.sum() + found.value_lost
        assert outside.sum() == pytest.approx(kept, abs=1e-8)
    more = clear(debts, outside * 1.1 + 0.1, external)
    assert (more.paid >= plain.paid - 1e-9).all()
    order = np.random.default_rng(1).permutation(len(outside))
    again = clear(debts[np.ix_(order, order)], outside[order], external[order])
    np.testing.assert_allclose(again.paid, plain.paid[order], atol=1e-9)


@pytest.mark.parametrize(
    ("debts", "outside", "field"),
    [
        (np.zeros((2, 3)), np.zeros(2), "debts"),
        (np.eye(2), np.zeros(2), "debts"),
        (np.array([[0, -1.0], [0, 0]]), np.zeros(2), "debts"),
        (np.zeros((2, 2)), np.array([np.nan, 1.0]), "outside"),
    ],
)
def test_what_cannot_be_cleared_is_named(debts, outside, field):
    with pytest.raises(InputError) as error:
        clear(debts, outside)
    assert error.value.field == field
