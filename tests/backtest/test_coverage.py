"""Exceedance tests against published values, scipy's independent versions and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from margin.backtest import coverage as et
from margin.core.errors import InputError


def test_published_golden_values():
    """T = 1043, 57 exceptions, n00 = 932, n10 = n01 = 53, n11 = 4, p = 5%."""
    pof = et.kupiec(1043, 57, 0.05)
    independence = et.independence_from_counts(932, 53, 53, 4)
    both = et.conditional_coverage(pof, independence)
    assert (pof.statistic, pof.p_value) == pytest.approx((0.46147, 0.49694), abs=5e-6)
    assert (independence.statistic, independence.p_value) == pytest.approx((0.25866, 0.61104), abs=5e-6)
    assert (both.statistic, both.p_value) == pytest.approx((0.72013, 0.69763), abs=5e-6)


def test_basel_zones_as_published():
    zones = [et.traffic_light(250, x, 0.01) for x in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


@given(st.integers(2, 1500), st.data(), st.floats(0.001, 0.2))
def test_exact_binomial_equals_scipy(n, data, p):
    x = data.draw(st.integers(0, n))
    assert et.exact_binomial(n, x, p).p_value == pytest.approx(stats.binomtest(x, n, p).pvalue, rel=1e-6, abs=1e-12)


@given(st.integers(2, 1500), st.data(), st.floats(0.001, 0.2))
def test_kupiec_equals_the_likelihood_ratio_written_out(n, data, p):
    x = data.draw(st.integers(0, n))
    ratio = 2 * (stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, p))
    assert et.kupiec(n, x, p).statistic == pytest.approx(max(ratio, 0), rel=1e-6, abs=1e-6)


def test_the_chi_square_version_rejects_too_many_good_models_and_the_exact_one_does_not():
    """Design claim: at T = 250, p = 1% the nominal 5% rejects 9.5%."""
    weights = stats.binom.pmf(np.arange(251), 250, 0.01)
    chi = sum(w for x, w in enumerate(weights) if et.kupiec(250, x, 0.01).p_value < 0.05)
    exact = sum(w for x, w in enumerate(weights) if et.exact_binomial(250, x, 0.01).p_value < 0.05)
    assert chi == pytest.approx(0.095, abs=0.001)
    assert exact <= 0.05


def test_clustered_breaches_are_found():
    hits = np.zeros(1000, dtype=bool)
    hits[400:425] = True
    assert et.christoffersen_independence(hits).p_value < 1e-6
    spread = np.zeros(1000, dtype=bool)
    spread[::40] = True
    assert et.christoffersen_independence(spread).p_value > 0.05


def test_nothing_to_say_is_said():
    report = et.exceedance_report(np.zeros(100, dtype=bool), 0.01)
    assert report.independence.p_value is None
    assert "no exceedance" in report.independence.reason
    assert report.zone == "green"
    assert report.kupiec.p_value is not None


def test_z2_is_zero_for_the_right_model_and_negative_for_a_thin_one():
    rng = np.random.default_rng(5)
    n, p = 200_000, 0.025
    losses = rng.standard_normal(n)
    var = np.full(n, stats.norm.ppf(1 - p))
    es = np.full(n, stats.norm.pdf(stats.norm.ppf(1 - p)) / p)
    assert et.acerbi_szekely(losses, var, es, p) == pytest.approx(0, abs=0.03)
    assert et.acerbi_szekely(1.3 * losses, var, es, p) < -0.5


def test_z2_p_values_are_uniform_under_the_model():
    rng = np.random.default_rng(6)
    scenarios, n, p = 400, 500, 0.025
    k = int(scenarios * p)
    p_values = []
    for run in range(60):
        samples = np.sort(rng.standard_t(4, size=(n, scenarios)), axis=1)
        tails = samples[:, -k:]
        es, var = tails.mean(axis=1), samples[:, -k - 1]
        losses = samples[np.arange(n), rng.integers(scenarios, size=n)]
        z2 = et.acerbi_szekely(losses, var, es, p)
        p_values.append(et.acerbi_szekely_p_value(z2, tails, es, scenarios, p, draws=300, seed=run))
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


@pytest.mark.parametrize("call", [lambda: et.kupiec(10, 11, 0.01), lambda: et.kupiec(10, 1, 0.0)])
def test_impossible_counts_are_refused(call):
    with pytest.raises(InputError):
        call()
