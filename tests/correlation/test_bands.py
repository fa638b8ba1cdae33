"""Bands: published example, coverage by simulation, what widens them; persistence beside its noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from margin import InputError, Market
from margin.correlation.bands import effective_observations, fisher_band, overlap_inflation, tail_inflation
from margin.correlation.paths import rolling_pairs
from margin.correlation.persistence import noise_distribution, noise_in_z, persistence_of
from tests.correlation.worlds import frame, market

MARKET = market()


@pytest.mark.parametrize(("rho", "n", "level"), [(0.5, 28, 0.95), (-0.3, 60, 0.99), (0.95, 500, 0.9), (0.0, 10, 0.95)])
def test_fishers_band_equals_scipy(rho, n, level):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 2))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T)
    y = rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]  # a sample with exactly this correlation
    expected = stats.pearsonr(x[:, 0], y).confidence_interval(level)
    low, high = fisher_band(rho, n, level)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def normal_pairs(rng, rho, n, draws, dof=None):
    x = rng.standard_normal((draws, n, 2))
    x[..., 1] = rho * x[..., 0] + np.sqrt(1 - rho**2) * x[..., 1]
    return x if dof is None else x / np.sqrt(rng.chisquare(dof, (draws, n, 1)) / dof)


def correlations(x):
    c = x - x.mean(axis=1, keepdims=True)
    return c.prod(axis=2).sum(axis=1) / np.sqrt((c**2).sum(axis=1).prod(axis=1))


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.8])
def test_the_band_covers_the_truth_as_often_as_it_says(rho):
    low, high = fisher_band(correlations(normal_pairs(np.random.default_rng(1), rho, 60, 4000)), 60, 0.9)
    assert ((low <= rho) & (rho <= high)).mean() == pytest.approx(0.9, abs=0.015)


def test_overlapping_returns_carry_less_information():
    """Sums of 5 successive draws: the spread of their correlation is what the inflation says, and 1 without overlap."""
    rng = np.random.default_rng(2)
    x = np.lib.stride_tricks.sliding_window_view(rng.standard_normal((3000, 404, 2)), 5, axis=1).sum(axis=-1)
    assert np.var(np.arctanh(correlations(x))) * 400 == pytest.approx(overlap_inflation(5), rel=0.08)
    assert overlap_inflation(1) == 1.0


def test_fat_tails_widen_the_band_normal_ones_do_not():
    rng = np.random.default_rng(3)
    plain = normal_pairs(rng, 0.7, 6000, 1)[0]
    assert tail_inflation(plain, 60) == pytest.approx(1.0, abs=0.05)
    fat = normal_pairs(rng, 0.7, 60, 3000, dof=4)
    found, true = tail_inflation(fat.reshape(-1, 2), 60), np.var(np.arctanh(correlations(fat))) * 57
    assert 0.6 * true < found < true
    swings = plain * np.repeat([1.0, 5.0, 0.2, 3.0], 1500)[:, None]  # slow swings of volatility are no tails
    assert tail_inflation(swings, 60) == pytest.approx(1.0, abs=0.06)
    assert tail_inflation(np.ones((50, 2)), 20) == 1.0
    assert tail_inflation(plain[:2], 20) == 1.0


def test_effective_observations_count_weights():
    w = 0.5 ** (np.arange(300) / 25)
    assert effective_observations(300, 25) == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert effective_observations(1, 25) == pytest.approx(1.0)


@given(st.floats(-1, 1), st.floats(4, 1e6), st.floats(0.5, 0.999), st.floats(1, 10))
def test_a_band_holds_its_value_and_widens_with_all_that_weakens_it(rho, n, level, inflation):
    low, high = fisher_band(rho, n, level)
    assert -1 <= low <= rho + 1e-12
    assert rho - 1e-12 <= high <= 1
    wide_low, wide_high = fisher_band(rho, n, level, inflation)
    assert wide_low <= low + 1e-15
    assert wide_high >= high - 1e-15


def test_paths_widen_their_bands():
    widths = {}
    for name, options in {"daily": {}, "weekly": {"horizon": 5}, "ranks": {"method": "spearman"}}.items():
        (path,) = rolling_pairs(MARKET, [("BTC", "ETH")], **options)
        low, high = path.band()
        assert np.isnan(low[~np.isfinite(path.values)]).all()
        widths[name] = np.arctanh(high[-1]) - np.arctanh(low[-1])
        if name == "daily":
            fat_low, _ = path.band(fat_tails=True)
            assert fat_low[-1] < low[-1]
    assert widths["weekly"] > 1.8 * widths["daily"]
    assert widths["ranks"] == pytest.approx(widths["daily"] * np.sqrt(1.06))
    assert np.isnan(fisher_band(0.5, 3)[0])  # three observations have no band


def test_persistence_of_equals_a_slow_twin():
    (life,) = persistence_of(MARKET, [("BTC", "SPY")], window=60, ahead=30)
    (path,) = rolling_pairs(MARKET, [("BTC", "SPY")])
    r = path.returns
    at = len(r) - 1 - 30
    looks = []
    while at >= 59:
        before, after = np.corrcoef(r[at - 59 : at + 1].T)[0, 1], np.corrcoef(r[at + 1 : at + 31].T)[0, 1]
        looks.insert(0, (path.dates[at], before, after))
        at -= 30
    np.testing.assert_array_equal(life.dates, [look[0] for look in looks])
    np.testing.assert_allclose(life.before, [look[1] for look in looks], atol=1e-12)
    np.testing.assert_allclose(life.after, [look[2] for look in looks], atol=1e-12)
    np.testing.assert_allclose(life.moves, np.abs(life.after - life.before))
    assert life.median == pytest.approx(np.median(life.moves))
    assert life.worst == life.moves.max()


def test_noise_is_what_independent_normal_windows_show():
    rng = np.random.default_rng(5)
    a, b = (correlations(normal_pairs(rng, 0.6, n, 20_000)) for n in (60, 30))
    expected = np.abs(a - b)
    got = noise_distribution(np.arctanh(0.6), 60, 30)
    for q in (0.5, 0.9):
        assert np.quantile(got, q) == pytest.approx(np.quantile(expected, q), rel=0.04)
    assert noise_in_z(60, 30) == pytest.approx(np.std(np.arctanh(a) - np.arctanh(b)), rel=0.03)


def two_state_market(swing, n=9000):
    """Correlation 0.6, or 0.6 -+ swing in turns of 90 days."""
    rng = np.random.default_rng(6)
    rho = 0.6 + swing * np.where(np.arange(n) // 90 % 2 == 0, 1.0, -1.0)
    x = rng.standard_normal((n, 2)) * 0.02
    x[:, 1] = rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]
    table = frame(n=n)[["BTC", "ETH"]]
    table[:] = 100 * np.cumprod(1 + x, axis=0)
    return Market(table)


def test_a_constant_correlation_moves_by_noise_only_and_a_real_change_is_seen():
    (still,) = persistence_of(two_state_market(0.0), [("BTC", "ETH")])
    assert still.median == pytest.approx(still.noise_median, rel=0.15)
    assert still.real_deviation < 0.05
    (moving,) = persistence_of(two_state_market(0.3), [("BTC", "ETH")])
    assert moving.median > 2 * moving.noise_median
    assert moving.real_deviation > 0.25


def test_too_short_a_history_says_so_and_an_unknown_asset_is_an_error():
    (short,) = persistence_of(MARKET, [("BTC", "USDC")])
    assert short.median is None
    assert "looks" in short.reason
    with pytest.raises(InputError):
        persistence_of(MARKET, [("BTC", "XXX")])
    with pytest.raises(InputError):
        persistence_of(MARKET, [("BTC", "ETH")], ahead=3)
    with pytest.raises(InputError):
        fisher_band(0.5, 60, level=1.0)


def test_later_prices_never_change_an_earlier_look():
    table = frame()
    (full,) = persistence_of(Market(table), [("BTC", "ETH")], as_of="2024-06-30")
    table.loc["2024-07-01":] *= 2
    (changed,) = persistence_of(Market(table), [("BTC", "ETH")], as_of="2024-06-30")
    np.testing.assert_array_equal(full.after, changed.after)
    assert full.noise_p90 == changed.noise_p90
