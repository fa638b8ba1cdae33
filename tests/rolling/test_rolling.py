"""Rolling correlation: exact beside long double, equal to pandas where that is exact, no look-ahead, holes by pair."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError
from margin.rolling.pearson import rolling_correlation, why_missing
from margin.rolling.pearson_plain import correlate_plain


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


def test_exactly_one_window_gives_exactly_one_value():
    data = returns(60, 3, 1)
    values = rolling_correlation(data, 60).values
    assert np.isnan(values[:, :-1]).all()
    np.testing.assert_allclose(values[:, -1], np.corrcoef(data.T)[np.triu_indices(3, 1)], rtol=1e-12)
    assert np.isnan(rolling_correlation(data[1:], 60).values).all()


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
    np.testing.assert_array_equal(early.values[:, :cut], late.values[:, :cut])  # bit for bit


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


@pytest.mark.parametrize(("window", "least"), [(10, 3), (60, 20), (60, 59), (7, 2)])
@pytest.mark.parametrize("seed", [1, 2])
def test_windows_with_holes_are_the_same_as_pandas(window, least, seed):
    rng = np.random.default_rng(seed)
    data = with_holes(returns(seed=seed))
    data[rng.random(data.shape) < 0.3] = np.nan
    data[150:230, 2] = np.nan
    got = rolling_correlation(data, window, min_periods=least)
    expected = pd.DataFrame(data).rolling(window, min_periods=least).corr().to_numpy().reshape(len(data), 5, 5)
    for (i, j), line in zip(got.pairs, got.values, strict=True):
        np.testing.assert_allclose(line, expected[:, i, j], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 25), st.data())
def test_compiled_and_plain_loops_agree(window, drawn):
    least = drawn.draw(st.integers(2, window))
    n = drawn.draw(st.integers(1, 80))
    rng = np.random.default_rng(drawn.draw(st.integers(0, 10_000)))
    data = np.round(rng.standard_normal((n, 3)), drawn.draw(st.sampled_from([0, 1, 12])))  # ties and constant windows
    data[rng.random(data.shape) < drawn.draw(st.sampled_from([0.0, 0.2, 0.7]))] = np.nan
    data += drawn.draw(st.sampled_from([0.0, 1e6]))
    got = rolling_correlation(data, window, min_periods=least)
    slow = np.empty_like(got.values)
    correlate_plain(np.ascontiguousarray(data.T), np.array(got.pairs), window, least, slow)
    np.testing.assert_allclose(got.values, slow, atol=1e-9)
    for t in range(n):
        i, j = got.pairs[1]
        said = why_missing(data[:, i], data[:, j], window, least, t)
        assert bool(said) == np.isnan(got.values[1, t])


@pytest.mark.parametrize("name", ["returns + 1e6", "one bad tick", "price levels"])
@pytest.mark.parametrize("window", [60, 250])
def test_holes_and_long_windows_keep_the_accuracy(name, window):
    """The tick on the row whose value is subtracted (the block's last) is the worst case, here for both windows."""
    data = SETS[name].copy()
    if name == "one bad tick":
        data[[59, 119, 249], 0] = 1e6
    holes = data.copy()
    holes[::7, 1] = np.nan
    holes[90:240, 2] = np.nan
    for values, least in ((data, window), (holes, 20)):
        got = rolling_correlation(values, window, min_periods=least)
        exact = np.full(got.values.shape, np.nan, dtype=np.longdouble)
        wide = values.astype(np.longdouble)
        for p, (i, j) in enumerate(got.pairs):
            for t in range(len(values)):
                x, y = wide[max(t - window + 1, 0) : t + 1, i], wide[max(t - window + 1, 0) : t + 1, j]
                both = np.isfinite(x) & np.isfinite(y)
                if both.sum() >= least:
                    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
                    exact[p, t] = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
        np.testing.assert_array_equal(np.isnan(got.values), np.isnan(exact))
        assert np.nanmax(np.abs(got.values - exact)) < 1e-12


@settings(max_examples=20, deadline=None)
@given(st.integers(61, 480))
def test_later_rows_never_change_earlier_values_where_windows_have_holes(cut):
    data = with_holes(returns())
    changed = data.copy()
    changed[cut:] = np.where(np.isnan(changed[cut:]), 0.1, np.nan)
    early, late = (rolling_correlation(d, 60, min_periods=20) for d in (data, changed))
    np.testing.assert_array_equal(early.values[:, :cut], late.values[:, :cut])


def test_without_numba_the_figures_are_the_same(monkeypatch):
    data = with_holes(returns())
    fast = rolling_correlation(data, 60)
    monkeypatch.setitem(sys.modules, "margin.rolling.pearson_kernels", None)
    monkeypatch.delattr("margin.rolling.pearson_kernels")
    slow = rolling_correlation(data, 60)
    np.testing.assert_allclose(slow.values, fast.values, atol=1e-12)
    assert not np.array_equal(slow.values, fast.values)  # another sum, so other last digits


def test_two_threads_give_the_same_bits(monkeypatch):
    data = with_holes(returns(900, 5))
    one = rolling_correlation(data, 20)
    monkeypatch.setattr("margin.rolling.pearson.THREADED_FROM", 0)
    np.testing.assert_array_equal(rolling_correlation(data, 20).values, one.values)


def test_a_missing_value_has_a_reason():
    x, y = np.arange(10.0), np.ones(10)
    assert why_missing(x, y, 5, 5, 3) == "only 4 of the 5 returns it needs"
    assert why_missing(x, y, 5, 5, 7) == "the second does not move in the window"
    assert why_missing(x, x, 5, 5, 7) == ""


def test_windows_with_holes_lose_no_digits_after_a_bad_tick_or_at_price_levels():
    """Largest error against exact arithmetic, windows with holes: a tick of 1e6 leaves with its windows, levels keep all."""
    rng = np.random.default_rng(4)
    base = rng.standard_normal((400, 3)) * 0.03 + rng.standard_normal((400, 1)) * 0.02
    base[rng.random((400, 3)) < 0.15] = np.nan
    spiked = base.copy()
    spiked[150, 0] = 1e6
    levels = 6e4 * np.exp(np.nancumsum(base, axis=0)) + base * 0
    still = base.copy()
    still[100:190, 1] = 0.001
    for data in (base, spiked, levels, base + 1e6, still):
        found = rolling_correlation(data, 60, min_periods=40)
        for p, (i, j) in enumerate(found.pairs):
            for t in range(59, 400, 3):
                x, y = data[t - 59 : t + 1, i].astype(np.longdouble), data[t - 59 : t + 1, j].astype(np.longdouble)
                both = np.isfinite(x) & np.isfinite(y)
                if both.sum() < 40 or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
                    assert np.isnan(found.values[p, t])
                    continue
                u, v = x[both] - x[both].mean(), y[both] - y[both].mean()
                exact = float((u * v).sum() / np.sqrt((u * u).sum() * (v * v).sum()))
                assert abs(found.values[p, t] - exact) < 1e-12, (p, t)
