"""The builder's parts: pins hold and nest, gradients are right, the fit meets goals, the calendar is the exchange's."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as t_distribution

from tools.sample import stats
from tools.sample.draws import factor_and_rest, leaning
from tools.sample.facts import read_facts, row_of
from tools.sample.fit import fit, within_limits
from tools.sample.pins import Pin, group_days
from tools.sample.stablecoins import condition
from tools.sample.stocks import weekly_goal
from tools.sample.trading_days import easter, us_holidays


def draw(n: int, k: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(4, size=(n, k)) * 0.03


# Pins


def test_nested_pins_hold_all_at_once():
    pins = [Pin(0, 9, 0.5), Pin(2, 5, -0.3), Pin(4, 4, -0.2), Pin(10, 12, 0.1)]
    groups = group_days(15, pins)
    x = groups.bridge(draw(15, 1)[:, 0], np.linspace(1, 2, 15))
    for pin in pins:
        assert x[pin.first : pin.last + 1].sum() == pytest.approx(pin.total, abs=1e-12)
    assert list(np.flatnonzero(groups.fixed)) == [4]
    np.testing.assert_array_equal(x[13:], draw(15, 1)[13:, 0])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_nested_pins_hold_and_free_changes_leave_them_alone(data):
    n = data.draw(st.integers(4, 40))
    cuts = sorted(data.draw(st.sets(st.integers(1, n - 1), min_size=1, max_size=5)) | {0, n})
    pins = []
    for first, after in pairwise(cuts):
        pins.append(Pin(first, after - 1, data.draw(st.floats(-1, 1))))
        if after - first > 2 and data.draw(st.booleans()):
            inner = data.draw(st.integers(first, after - 2))
            pins.append(Pin(inner, inner, data.draw(st.floats(-1, 1))))
    groups = group_days(n, data.draw(st.permutations(pins)))
    spread = np.random.default_rng(0).uniform(0.1, 2, n)
    x = groups.bridge(draw(n, 1)[:, 0], spread)
    moved = x + groups.project(draw(n, 1, seed=9)[:, 0], spread)
    for path in (x, moved):
        for pin in pins:
            assert path[pin.first : pin.last + 1].sum() == pytest.approx(pin.total, abs=1e-9)


def test_bridging_is_the_conditional_mean_of_independent_normals():
    """Against the textbook formula x + V A' (A V A')^-1 (c - A x)."""
    pins = [Pin(0, 5, 0.4), Pin(6, 9, -0.1)]
    variance, x = np.linspace(0.5, 3, 10), draw(10, 1)[:, 0]
    a = np.zeros((2, 10))
    a[0, :6], a[1, 6:] = 1, 1
    v = np.diag(variance)
    expected = x + v @ a.T @ np.linalg.solve(a @ v @ a.T, np.array([0.4, -0.1]) - a @ x)
    np.testing.assert_allclose(group_days(10, pins).bridge(x, variance), expected, atol=1e-14)


def test_crossing_and_contradicting_pins_are_refused():
    with pytest.raises(ValueError, match="cross"):
        group_days(10, [Pin(0, 5, 0.1), Pin(4, 8, 0.1)])
    with pytest.raises(ValueError, match="contradicts"):
        group_days(4, [Pin(0, 1, 0.1), Pin(0, 0, 0.1), Pin(1, 1, 0.3)])


# Statistics

# The tail's gradient takes its curvature as fixed, which is exact where the miss is zero: at the fitted figure.
FITTED_DOF = t_distribution.fit(draw(300, 2)[:, 0])[0]


def goal_cases():
    n = 300
    everywhere = np.ones(n, dtype=bool)
    part = np.arange(n) % 3 > 0
    weeks = np.where(np.arange(n) < 280, np.arange(n) // 7, -1)
    coin = draw(40, 1, seed=5)[:, 0]
    return {
        "volatility": lambda x: stats.volatility_goal(x[:, 0], 0, part, 365.0, 0.5),
        "correlation": lambda x: stats.correlation_goal(x[:, 0], x[:, 1], 0, 1, part, 0.3),
        "clustering": lambda x: stats.clustering_goal(x[:, 1], 1, everywhere, 0.2),
        "persistence": lambda x: stats.persistence_goal(x[:, 1], 1, everywhere, 0.0),
        "tail": lambda x: stats.tail_goal(x[:, 0], 0, everywhere, FITTED_DOF),
        "weekly pair": lambda x: weekly_goal(x, 0, x[:, 1], 1, weeks, 0.5),
        "weekly coin": lambda x: weekly_goal(x, 1, coin, None, weeks, 0.5),
    }


@pytest.mark.parametrize("name", goal_cases())
def test_gradients_are_those_of_finite_differences(name):
    goal, x = goal_cases()[name], draw(300, 2)
    gradient = goal(x).gradient
    step = 1e-6
    for column in range(2):
        for t in (1, 50, 123, 279, 298):
            up, down = x.copy(), x.copy()
            up[t, column] += step
            down[t, column] -= step
            slope = -(goal(up).miss - goal(down).miss) / (2 * step)  # miss = target - achieved
            mine = gradient.get(column, np.zeros(300))[t]
            assert mine == pytest.approx(slope, rel=1e-3 if name == "tail" else 1e-5, abs=1e-4), (column, t)


def test_statistics_agree_with_pandas():
    x = pd.DataFrame(draw(500, 2))
    everywhere = np.ones(500, dtype=bool)
    a, b = x[0].to_numpy(), x[1].to_numpy()
    assert 1 - stats.volatility_goal(a, 0, everywhere, 365.0, 1.0).miss == pytest.approx(x[0].std() * 365**0.5)
    assert -stats.correlation_goal(a, b, 0, 1, everywhere, 0.0).miss == pytest.approx(x.corr().loc[0, 1])
    assert -stats.clustering_goal(a, 0, everywhere, 0.0).miss == pytest.approx(x[0].abs().autocorr(1))
    assert -stats.persistence_goal(a, 0, everywhere, 0.0).miss == pytest.approx(x[0].autocorr(1))


def test_tail_goal_is_met_exactly_at_the_fitted_degrees_of_freedom():
    x = t_distribution.rvs(3.5, size=2000, random_state=np.random.default_rng(2))
    dof, location, scale = t_distribution.fit(x)
    goal = stats.tail_goal(x, 0, np.ones(2000, dtype=bool), dof)
    assert abs(goal.miss) < 1e-3
    assert stats.fit_location_scale(x, dof) == pytest.approx((location, scale), rel=1e-3)
    assert stats.tail_goal(x, 0, np.ones(2000, dtype=bool), dof + 0.3).miss > 0  # tails are fatter than asked


def test_fit_meets_goals_that_the_draw_missed_and_keeps_the_pins():
    x = draw(400, 2)
    pins = [Pin(a, a + 19, 0.05) for a in range(0, 400, 20)] + [Pin(31, 31, -0.2)]
    groups = [group_days(400, pins), group_days(400, pins[:-1])]
    spread = np.full((400, 2), 9e-4)
    for i in range(2):
        x[:, i] = groups[i].bridge(x[:, i], spread[:, i])
    everywhere = np.ones(400, dtype=bool)

    def goals(now):
        return [
            stats.volatility_goal(now[:, 0], 0, everywhere, 365.0, 1.1),
            stats.volatility_goal(now[:, 1], 1, everywhere, 365.0, 0.6),
            stats.correlation_goal(now[:, 0], now[:, 1], 0, 1, everywhere, 0.7),
        ]

    fitted = fit(x, spread, groups, goals, (np.full(2, -0.3), np.full(2, 0.3)), rounds=15)
    assert max(abs(goal.miss) for goal in goals(fitted)) < 1e-3 < max(abs(goal.miss) for goal in goals(x))
    for i in range(2):
        np.testing.assert_allclose(groups[i].sums(fitted[:, i]), groups[i].totals, atol=1e-12)
    assert fitted[31, 0] == pytest.approx(-0.2)


def test_limits_hold_for_free_days_only_and_an_impossible_pin_is_refused():
    group = group_days(6, [Pin(0, 4, 0.30), Pin(5, 5, -0.5)])
    x = group.bridge(np.array([0.3, 0.0, -0.2, 0.1, 0.1, 0.0]), np.ones(6))
    held = within_limits(x, np.ones(6), group, -0.1, 0.1)
    assert held[:5].max() <= 0.1 and held[:5].min() >= -0.1
    assert held[:5].sum() == pytest.approx(0.3)
    assert held[5] == -0.5
    with pytest.raises(ValueError, match="no room"):
        within_limits(x, np.ones(6), group, -0.05, 0.05)


# Draws


def test_leaning_draws_have_mean_0_variance_1_and_lean_as_told():
    for lean in (-0.8, 0.0, 0.8):
        x, size = leaning(np.random.default_rng(1), (200_000, 1), 1.5, lean)
        assert x.mean() == pytest.approx(0, abs=0.01)
        assert x.var() == pytest.approx(1, abs=0.03)
        assert size.mean() == pytest.approx(1, abs=0.01)
        skew = float((x**3).mean())
        assert abs(skew) < 0.1 if lean == 0 else np.sign(skew) == np.sign(lean)


def test_factor_and_rest_make_up_the_matrix():
    facts = read_facts()
    matrix = facts.matrix("correlation_all", facts.coins)
    beta, rest = factor_and_rest(matrix)
    np.testing.assert_allclose(np.outer(beta, beta) + rest @ rest.T, matrix, atol=1e-10)


def test_conditioned_path_takes_its_levels_and_reverts():
    path = condition(np.zeros(60), {20: 0.0, 23: -0.03}, phi=0.5)
    assert path[20] == pytest.approx(0, abs=1e-15)
    assert path[23] == pytest.approx(-0.03)
    np.testing.assert_allclose(path[24:30], -0.03 * 0.5 ** np.arange(1, 7), rtol=1e-9)
    assert np.abs(path[:20]).max() < 1e-12


# Calendar


def test_easter_and_holidays_as_published():
    assert [easter(year) for year in (2021, 2022, 2023, 2024, 2025, 2026)] == [
        date(2021, 4, 4),
        date(2022, 4, 17),
        date(2023, 4, 9),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
    ]
    # New York Stock Exchange, "Holidays and trading hours", 2022 and 2023.
    assert sorted(us_holidays(2022)) == [
        date(2022, 1, 17),
        date(2022, 2, 21),
        date(2022, 4, 15),
        date(2022, 5, 30),
        date(2022, 6, 20),
        date(2022, 7, 4),
        date(2022, 9, 5),
        date(2022, 11, 24),
        date(2022, 12, 26),
    ]
    assert sorted(us_holidays(2023)) == [
        date(2023, 1, 2),
        date(2023, 1, 16),
        date(2023, 2, 20),
        date(2023, 4, 7),
        date(2023, 5, 29),
        date(2023, 6, 19),
        date(2023, 7, 4),
        date(2023, 9, 4),
        date(2023, 11, 23),
        date(2023, 12, 25),
    ]


def test_a_day_outside_the_sample_is_refused():
    with pytest.raises(ValueError, match="not among"):
        row_of(read_facts().days, date(2020, 3, 12))
