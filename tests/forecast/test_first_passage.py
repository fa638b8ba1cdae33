"""The closed forms against published values, simulation and their own properties."""

import numpy as np
import pytest

from margin import InputError
from margin.forecast.first_passage import (
    SHIFT,
    distance_in_sigmas,
    hit_probability,
    hitting_density,
    hitting_quantile,
    log_distance,
)


@pytest.mark.parametrize(
    ("b", "sigma", "years", "mu", "want"),
    [
        (0.1, 0.6, 7 / 365, 0.0, 0.228783),
        (0.1, 0.6, 7 / 365, 0.5, 0.198340),
        (0.1, 0.6, 7 / 365, -0.5, 0.261847),
        (0.3, 0.8, 30 / 365, 0.0, 0.190864),
    ],
)
def test_golden_values(b, sigma, years, mu, want):
    assert hit_probability(b, sigma, years, mu) == pytest.approx(want, abs=6e-7)


def test_a_long_at_ten_times_leverage_with_a_martingale_price():
    b = log_distance(10, 0.005)
    assert np.exp(-b) == pytest.approx(0.904523, abs=5e-7)
    for days, want in ((1, 0.001469), (7, 0.238735), (30, 0.587656)):
        assert hit_probability(b, 0.6, days / 365, -0.18) == pytest.approx(want, abs=6e-7)


def test_median_hitting_time_and_the_density_agree_with_the_distribution():
    assert hitting_quantile(0.5, 0.1, 0.6) * 365 == pytest.approx(22.286, abs=5e-4)
    t = np.linspace(1e-6, 0.5, 400_001)
    area = np.trapezoid(hitting_density(t, 0.1, 0.6), t)
    assert area == pytest.approx(hit_probability(0.1, 0.6, 0.5), abs=1e-6)
    assert hit_probability(0.1, 0.6, hitting_quantile(0.3, 0.1, 0.6)) == pytest.approx(0.3, abs=1e-12)


@pytest.mark.parametrize(("steps", "sigma", "want"), [(24, 0.1, 0.03076), (168, 0.05, 0.11229), (7, 0.2, 0.03486)])
def test_watching_closes_only_shifts_the_barrier(steps, sigma, want):
    found = hit_probability(1.0, sigma, steps, watched="closes")
    assert found == pytest.approx(want, abs=6e-6)
    assert found < hit_probability(1.0, sigma, steps)
    from scipy.special import zeta

    assert pytest.approx(-float(zeta(0.5)) / np.sqrt(2 * np.pi), abs=5e-5) == SHIFT


def test_the_shift_is_what_a_simulation_of_closes_finds():
    walk = np.random.default_rng(4).standard_normal((200_000, 24)).cumsum(axis=1) * 0.1
    seen = (walk.min(axis=1) <= -1.0).mean()
    assert seen == pytest.approx(float(hit_probability(1.0, 0.1, 24, watched="closes")), abs=0.002)


def test_properties():
    b = np.linspace(0.05, 3.0, 40)
    falls = hit_probability(b, 0.3, 5.0)
    assert (np.diff(falls) < 0).all()
    assert (np.diff(hit_probability(1.0, 0.3, np.linspace(1, 30, 30))) > 0).all()
    assert (np.diff(hit_probability(1.0, np.linspace(0.1, 1, 30), 4.0)) > 0).all()
    np.testing.assert_allclose(hit_probability(b * 1e6, 0.3e6, 5.0), falls)
    assert hit_probability(0.0, 0.3, 5.0) == 1.0
    assert hit_probability(-1.0, 0.3, 5.0) == 1.0


def test_what_does_not_move_does_not_hit():
    assert hit_probability(1.0, 0.0, 7.0) == 0.0
    assert hit_probability(1.0, 0.0, 7.0, drift=-0.1) == 0.0
    assert hit_probability(1.0, 0.0, 11.0, drift=-0.1) == 1.0
    assert distance_in_sigmas(1.0, 0.0, 7.0) is None
    assert distance_in_sigmas(1.0, 0.5, 4.0) == 1.0


def test_extreme_drifts_stay_probabilities():
    for mu in (-50.0, 50.0):
        assert 0.0 <= hit_probability(1.0, 0.01, 100.0, mu) <= 1.0
    assert hit_probability(1.0, 1e-3, 10.0, 5.0) == pytest.approx(0.0, abs=1e-12)


def test_bad_input_is_named():
    with pytest.raises(InputError):
        hit_probability(1.0, -0.1, 7.0)
    with pytest.raises(InputError):
        hit_probability(np.nan, 0.1, 7.0)
    with pytest.raises(InputError, match="no liquidation price"):
        log_distance(1.0, 0.005)
    with pytest.raises(InputError):
        hitting_quantile(1.0, 0.1, 0.6)


def test_without_maintenance_a_long_is_liquidated_where_its_margin_is_gone():
    assert log_distance(10, 0.0) == pytest.approx(-np.log(0.9))
    for wrong in ((1.0, 0.0), (10, 0.1), (10, -0.001)):
        with pytest.raises(InputError):
            log_distance(*wrong)


@pytest.mark.parametrize("watched", ["continuous", "closes"])
def test_one_motion_asked_alone_has_the_odds_it_has_among_others(watched):
    distances = np.concatenate([np.linspace(-1.0, 9.0, 41), [0.0, 1e-12, 40.0]])
    for sigma in (0.0, 1e-9, 0.7, 3.0):
        for time in (0.0, 1.0, 168.0):
            for drift in (-0.3, 0.0, 0.2):
                alone = hit_probability(distances, sigma, time, drift, watched, 0.25)
                among = hit_probability(distances, np.full(44, sigma), time, drift, watched, 0.25)
                assert np.array_equal(alone, among)
    for sigma, time, distance in ((-1.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, np.nan), (np.nan, 1.0, 1.0)):
        with pytest.raises(InputError):
            hit_probability(distance, sigma, time)


def test_without_drift_both_ways_of_asking_the_error_function_agree_with_the_general_form():
    distances = np.linspace(-1.0, 30.0, 2_000)
    many = hit_probability(distances, 0.9, 7.0)
    few = np.concatenate([hit_probability(part, 0.9, 7.0) for part in np.split(distances, 4)])
    almost = hit_probability(distances, 0.9, 7.0, 1e-18)  # a drift that changes nothing: Phi and its logarithm
    for other in (few, almost):
        np.testing.assert_allclose(other, many, rtol=1e-11, atol=0)
