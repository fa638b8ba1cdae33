"""Scores against worked values, decompositions as identities, isotonic regression against scikit-learn."""

import numpy as np
import pytest

from margin import InputError
from margin.forecast import scores
from margin.forecast.calibration import NONE, Calibration, fit, large_change, logit, pool


def sample(n=2000, seed=3):
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(0.7, 3.0, n), 2)
    return p, (rng.random(n) < p**1.4).astype(float)


def test_worked_values():
    p, y = np.array([0.1, 0.4, 0.8]), np.array([0.0, 1.0, 1.0])
    assert scores.brier_terms(p, y).mean() == pytest.approx(0.1366667, abs=5e-8)
    assert scores.log_terms(p, y).mean() == pytest.approx(0.4149316, abs=5e-8)
    assert scores.auc(p, y) == 1.0
    assert scores.auc(np.array([0.5, 0.5]), np.array([0, 1])) == 0.5
    assert scores.auc(p, np.ones(3)) is None


def test_murphy_adds_up_to_the_brier_score_exactly():
    p, y = sample()
    whole = scores.murphy(p, y)
    assert whole.brier == pytest.approx(scores.brier_terms(p, y).mean(), abs=1e-14)
    for d in (whole, scores.murphy(p, y, scores.equal_mass_bins(p))):
        assert d.miscalibration - d.discrimination + d.uncertainty == pytest.approx(d.brier, abs=1e-14)
        assert min(d.miscalibration, d.discrimination, d.uncertainty) >= 0


def test_corp_is_scikit_learns_isotonic_fit():
    from sklearn.isotonic import IsotonicRegression

    p, y = sample()
    np.testing.assert_allclose(scores.recalibrated(p, y), IsotonicRegression().fit_transform(p, y), atol=1e-12)
    d = scores.corp(p, y)
    assert d.miscalibration - d.discrimination + d.uncertainty == pytest.approx(d.brier, abs=1e-14)
    assert d.brier == pytest.approx(scores.brier_terms(p, y).mean(), abs=1e-14)
    assert min(d.miscalibration, d.discrimination) >= 0
    assert scores.corp(scores.recalibrated(p, y), y).miscalibration == pytest.approx(0.0, abs=1e-12)


def test_auc_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    p, y = sample()
    assert scores.auc(p, y) == pytest.approx(roc_auc_score(y, p), abs=1e-12)


def test_skill_is_zero_against_itself_and_widens_with_fewer_clusters():
    p, y = sample()
    ours, base = scores.brier_terms(p, y), scores.brier_terms(np.full(len(p), y.mean()), y)
    assert scores.skill(base, base, np.arange(len(p))).percent == 0.0
    many, few = scores.skill(ours, base, np.arange(len(p)) // 2), scores.skill(ours, base, np.arange(len(p)) // 100)
    assert many.low < many.percent < many.high
    assert (many.clusters, few.clusters) == (1000, 20)
    assert many.percent == few.percent > 0


def test_intervals_by_cluster_cover_what_they_should():
    """Cases within a cluster are copies: an interval that took them for independent would miss four times in five."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(150):
        week = np.repeat(np.arange(60), 25)
        ours, base = (np.repeat(rng.exponential(m, 60), 25) for m in (0.8, 1.0))
        found = scores.skill(ours, base, week, draws=400)
        inside += found.low <= 20.0 <= found.high
    assert inside / 150 > 0.88


def test_reliability_of_a_calibrated_forecast_lies_in_its_bands():
    rng = np.random.default_rng(2)
    p = rng.random(4000)
    y = (rng.random(4000) < p).astype(float)
    bins = scores.reliability(p, y, clusters=np.arange(4000) // 10)
    assert sum(b.count for b in bins) == 4000
    assert sum(b.low <= b.forecast <= b.high for b in bins) >= 7
    assert scores.calibration_error(p, y) < 0.03
    off = scores.reliability(p**3, y, clusters=np.arange(4000) // 10)
    assert sum(b.low <= b.forecast <= b.high for b in off) <= 3


def test_the_band_of_a_bin_that_not_every_draw_holds_rests_on_the_draws_that_do():
    p = np.repeat([0.1, 0.9], 20)
    y = np.concatenate([np.arange(20) % 10 == 0, np.arange(20) % 10 != 0]).astype(float)
    low, high = scores.reliability(p, y, bins=2, clusters=np.repeat([0, 1], 20))
    assert (low.low, low.high) == (0.1, 0.1) and (high.low, high.high) == (
        0.9,
        0.9,
    )  # each cluster is the whole of a bin


def test_like_cases_hold_the_observed_share():
    p, y = sample()
    low, high = scores.like_cases(p, y, 0.3)
    near = y[np.abs(p - 0.3) < 0.05].mean()
    assert 0 <= low <= high <= 1
    assert abs((low + high) / 2 - near) < 0.1


@pytest.mark.parametrize(("p", "y"), [([1.1], [1]), ([np.nan], [1]), ([0.5], [2]), ([], []), ([0.5, 0.2], [1])])
def test_bad_input(p, y):
    with pytest.raises(InputError):
        scores.brier_terms(np.array(p), np.array(y))


def test_platt_fit_recovers_and_equals_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    odds = rng.random(30_000) * 0.98 + 0.01
    y = (rng.random(30_000) < 1 / (1 + np.exp(-(-0.5 + 0.7 * logit(odds))))).astype(float)
    a, b = fit(odds, y)
    assert (a, b) == (pytest.approx(-0.5, abs=0.05), pytest.approx(0.7, abs=0.04))
    twin = LogisticRegression(C=1e9).fit(logit(odds)[:, None], y)
    assert a == pytest.approx(float(twin.intercept_[0]), abs=1e-4)
    assert b == pytest.approx(float(twin.coef_[0, 0]), abs=1e-4)
    with pytest.raises(InputError, match="all alike"):
        fit(odds, np.zeros(30_000))


def test_pool_and_calibration():
    assert pool(0.0, 0.0) == 0.0
    assert pool(1.0, 1.0) == 1.0
    assert pool(0.2, 0.2) == pytest.approx(0.2)
    assert 0.1 < pool(0.1, 0.4) < 0.4
    table = Calibration(days=(1.0, 7.0), a=(-0.5, -0.6), b=(0.8, 0.6), source="table")
    a, b = table.coefficients(np.array([0.2, 1.0, np.sqrt(7.0), 7.0, 30.0]))
    np.testing.assert_allclose(a, [-0.5, -0.5, -0.55, -0.6, -0.6])
    np.testing.assert_allclose(b, [0.8, 0.8, 0.7, 0.6, 0.6])
    p = np.linspace(0.001, 0.999, 99)
    assert (np.diff(table.apply(p, 3.0)) > 0).all()
    assert table.apply(0.0, 3.0) == 0.0
    assert table.apply(1.0, 3.0) == 1.0
    np.testing.assert_allclose(NONE.apply(p, 3.0), p)
    assert large_change(0.02, 0.07)
    assert not large_change(0.02, 0.05)
    assert not large_change(0.0001, 0.009)
    with pytest.raises(InputError, match="slope"):
        Calibration(days=(1.0,), a=(0.0,), b=(-1.0,), source="own")
