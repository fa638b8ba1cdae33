"""Rolling correlation: exact beside long double, equal to pandas where that is exact, no look-ahead, holes by pair."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError
from margin.rolling import rolling_correlation


def returns(n=500, k=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_t(4, size=(n, k)) * 0.03 + rng.standard_normal((n, 1)) * 0.02


def long_double(data, window, pairs):
    """Every window on its own, in extended precision."""
    wide = data.astype(np.longdouble)
    out = np.full((len(pairs), len(data)), np.nan, dtype=np.longdouble)
    for p, (i, j) in enumerate(pairs):
        for t in range(window - 1, len(data)):
            x, y = wide[t - window + 1 : t + 1, i], wide[t - window + 1 : t + 1, j]
            if np.isfinite(x).all() and np.isfinite(y).all() and np.ptp(x) > 0 and np.ptp(y) > 0:
                x, y = x - x.mean(), y - y.mean()
                out[p, t] = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    return out


def spiked(data):
    data = data.copy()
    data[222, 1] = 1e6
    return data


def with_holes(data):
    data = data.copy()
    data[:130, 0] = np.nan
    data[300:307, 2] = np.nan
    data[420:, 3] = np.nan
    data[50, 4] = np.nan
    return data


SETS = {
    "returns": returns(),
    "price levels": 100 * np.exp(np.cumsum(returns(), axis=0)),
    "returns + 1e6": returns() + 1e6,
    "one bad tick": spiked(returns()),
    "holes": with_holes(returns()),
}


@pytest.mark.parametrize("window", [3, 20, 60, 61])
@pytest.mark.parametrize("name", SETS)
def test_error_is_below_1e_12_beside_long_double(name, window):
    data = SETS[name]
    got = rolling_correlation(data, window)
    exact = long_double(data, window, got.pairs)
    np.testing.assert_array_equal(np.isnan(got.values), np.isnan(exact))
    assert np.nanmax(np.abs(got.values - exact)) < (1e-12 if window > 3 else 1e-11)


def test_the_same_as_pandas():
    data = with_holes(returns())
    got = rolling_correlation(data, 60)
    expected = pd.DataFrame(data).rolling(60).corr().to_numpy().reshape(len(data), 5, 5)
    for (i, j), line in zip(got.pairs, got.values, strict=True):
        np.testing.assert_allclose(line, expected[:, i, j], atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 40), st.integers(1, 90), st.integers(0, 1000))
def test_any_length_and_window(window, n, seed):
    data = returns(n, 3, seed)
    got = rolling_correlation(data, window)
    assert got.values.shape == (3, n)
    assert np.isnan(got.values[:, : window - 1]).all()
    if n >= window:
        np.testing.assert_allclose(got.matrix(n - 1, 3), np.corrcoef(data[-window:].T), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(61, 480))
def test_later_rows_never_change_earlier_values(cut):
    data = with_holes(returns())
    changed = data.copy()
    changed[cut:] = returns(500, 5, 9)[cut:] * 50
    early, late = rolling_correlation(data, 60), rolling_correlation(changed, 60)
    np.testing.assert_allclose(early.values[:, :cut], late.values[:, :cut], rtol=0, atol=1e-13)


def test_chosen_pairs_in_any_order():
    data = returns()
    got = rolling_correlation(data, 30, [(4, 1), (1, 4), (2, 2)])
    np.testing.assert_allclose(got.values[0], got.values[1], atol=1e-15)
    np.testing.assert_allclose(got.values[2, 29:], 1.0, atol=1e-12)


def test_a_price_that_never_moves_has_no_correlation():
    data = returns()
    data[100:180, 0] = 0.01
    got = rolling_correlation(data, 60)
    first = got.values[0]
    assert np.isnan(first[159:180]).all()
    assert np.isfinite(first[158])
    assert np.isfinite(first[180])


@pytest.mark.parametrize(
    ("values", "window", "pairs"),
    [(np.ones(5), 3, None), (np.ones((5, 2)), 2, None), (np.ones((5, 2)), 3.0, None), (np.ones((5, 2)), 3, [(0, 2)])],
)
def test_bad_arguments_are_named(values, window, pairs):
    with pytest.raises(InputError):
        rolling_correlation(values, window, pairs)
