"""The closed forms of the Learn page against integration, bivariate normal tables and hand computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from margin import InputError
from margin.lessons import closed_forms as lessons
from margin.lessons.closed_forms import Pair

vols = st.floats(0.001, 0.2)
sizes = st.floats(1_000, 1e6) | st.floats(-1e6, -1_000)
rhos = st.floats(-0.99, 0.99)
pairs = st.builds(Pair, sizes, sizes, vols, vols, rhos)


def test_margin_of_one_position_is_the_mean_of_the_normal_tail():
    cut = stats.norm.ppf(0.975)
    tail, _ = integrate.quad(lambda x: x * stats.norm.pdf(x), cut, np.inf)
    assert lessons.margin_of(100_000, 0.04) == pytest.approx(100_000 * 0.04 * tail / 0.025, rel=1e-7)
    assert lessons.margin_of(-100_000, 0.04) == lessons.margin_of(100_000, 0.04)


@given(sizes, sizes, vols, vols)
def test_pooled_margin_at_the_three_corners(a, b, first_vol, second_vol):
    alone = lessons.margin_of(a, first_vol), lessons.margin_of(b, second_vol)
    same_way = np.sign(a * b)
    for rho, expected in (
        (same_way, sum(alone)),
        (-same_way, abs(alone[0] - alone[1])),
        (0.0, np.hypot(*alone)),
    ):
        found = lessons.pooled(Pair(a, b, first_vol, second_vol, rho))
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6 * sum(alone))


@given(pairs)
def test_the_curve_goes_through_the_pair_and_never_above_isolated_accounts(pair):
    rho, curve = lessons.pooled_by_correlation(pair)
    assert (curve <= lessons.isolated(pair) * (1 + 1e-12)).all()
    between = np.sqrt(np.interp(pair.correlation, rho, curve**2))  # the variance is a straight line in the correlation
    assert between == pytest.approx(lessons.pooled(pair), rel=1e-6, abs=1e-6 * lessons.isolated(pair))
    steps = np.diff(curve) * np.sign(pair.first * pair.second)
    assert (steps >= -1e-9 * curve.max()).all(), "more correlation: more for two longs, less for long and short"


@pytest.mark.parametrize("rho", [-1.0, -0.6, 0.0, 0.8, 1.0])
@pytest.mark.parametrize("sides", [(1, 1), (1, -1)])
@pytest.mark.parametrize("capital", [3_000.0, 9_000.0, 16_000.0])
def test_exhaustion_equals_the_bivariate_normal(rho, sides, capital):
    pair = Pair(sides[0] * 100_000, sides[1] * 100_000, 0.04, 0.03, rho)
    isolated, pool = lessons.exhaustion(pair, capital)
    h, r = capital / 7_000, rho * sides[0] * sides[1]
    both = stats.multivariate_normal([0, 0], [[1, r], [r, 1]], allow_singular=True, seed=1).cdf([h, h])
    assert isolated == pytest.approx(1 - both, abs=2e-5)
    deviation = np.sqrt(max(4_000**2 + 3_000**2 + 2 * r * 4_000 * 3_000, 0))
    assert pool == pytest.approx(stats.norm.sf(capital / deviation), abs=1e-12)


@given(pairs, st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_capital_is_what_runs_out_with_the_probability_asked(pair, probability):
    isolated, pool = lessons.capital_for(pair, probability)
    assert lessons.exhaustion(pair, isolated)[0] == pytest.approx(probability, rel=1e-6)
    assert lessons.exhaustion(pair, pool)[1] == pytest.approx(probability, rel=1e-6)
    assert pool <= isolated * (1 + 1e-9)


def test_the_exhaustion_curves_fall():
    capital, isolated, pool = lessons.exhaustion_curve(Pair(1e5, -1e5, 0.04, 0.03, 0.8))
    assert (np.diff(capital) > 0).all()
    assert (np.diff(isolated) < 0).all()
    assert (np.diff(pool) < 0).all()
    assert (pool <= isolated + 1e-12).all()


@given(pairs, st.floats(-0.99, 0.99))
def test_a_broken_correlation_by_integration(pair, actual):
    seen = lessons.correlation_break(pair, actual)
    a, b = pair.deviations
    deviation = np.sqrt(a * a + b * b + 2 * actual * a * b)
    assert seen.exceeded == pytest.approx(stats.norm.sf(seen.margin / deviation), rel=1e-6, abs=1e-15)
    assert seen.needed / deviation == pytest.approx(seen.margin / pair.pooled_deviation)
    # Densities are drawn to 3.2 deviations of the worst correlation: nearly all mass, but for a steep one.
    if deviation > 0.1 * (abs(a) + abs(b)):
        assert integrate.trapezoid(seen.actual_density, seen.losses) == pytest.approx(1, abs=0.003)


def test_expected_exceedance_is_that_of_an_es_margin():
    """P(L > ES) of a normal is 1 - Phi(2.3378) = 0.97%: the 'one day in 100' of the page."""
    seen = lessons.correlation_break(Pair(1e5, -1e5, 0.04, 0.03, 0.8), 0.8)
    assert seen.expected == seen.exceeded == pytest.approx(stats.norm.sf(2.33780), rel=1e-4)


def test_what_is_left_after_a_day_by_hand():
    pair = Pair(100_000, -100_000, 0.04, 0.03, 0.8)
    k = stats.norm.pdf(stats.norm.ppf(0.975)) / 0.025
    left = lessons.two_day_outcome(pair, -0.10, -0.05)
    assert left == pytest.approx(
        (k * 4_000 - 10_000, k * 3_000 + 5_000, k * np.sqrt(16e6 + 9e6 - 19.2e6) - 5_000), rel=1e-9
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Pair(1, 1, 0.1, 0.1, 1.2), "correlation"),
        (lambda: Pair(1, 1, -0.1, 0.1, 0.2), "volatility"),
        (lambda: lessons.capital_for(Pair(1, 1, 0.1, 0.1, 0), 0.7), "probability"),
        (lambda: lessons.exhaustion(Pair(0, 0, 0.1, 0.1, 0), 1), "no risk"),
        (lambda: lessons.correlation_break(Pair(1, -1, 0.1, 0.1, 1), 0), "no risk"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()
