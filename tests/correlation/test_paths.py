"""Paths of pairs on their own calendars: against slow twins, scipy and pandas; no look-ahead; bad input."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from margin import InputError, Market
from margin.correlation.matrix import correlation_matrix
from margin.correlation.paths import PATH_METHODS, all_pairs, rolling_pairs
from margin.risk import covariance as correlation
from margin.rolling.ewma import _plain, ewma_correlation, ewma_volatility
from margin.rolling.spearman import average_ranks, rolling_spearman
from tests.correlation.worlds import common_returns, frame, market
from tests.support import shared_path

FRAME = frame()
MARKET = market()
PAIRS = [("BTC", "ETH"), ("BTC", "NEW"), ("ETH", "OLD"), ("BTC", "GAP"), ("BTC", "SPY"), ("SPY", "GLD"), ("GAP", "SPY")]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("horizon", [1, 5])
def test_a_path_is_each_window_of_common_returns_on_its_own(pair, horizon):
    (path,) = rolling_pairs(MARKET, [pair], window=40, horizon=horizon)
    rows, dates = common_returns(FRAME, pair, horizon)
    np.testing.assert_array_equal(path.dates, dates.to_numpy())
    expected = [np.nan] * 39 + [np.corrcoef(rows[i - 39 : i + 1].T)[0, 1] for i in range(39, len(rows))]
    np.testing.assert_allclose(path.values, expected, atol=1e-12)


def test_a_coin_brings_its_weekend_to_the_stocks_monday():
    (path,) = rolling_pairs(MARKET, [("BTC", "SPY")])
    (daily,) = rolling_pairs(MARKET, [("BTC", "SPY")], horizon=1)
    np.testing.assert_array_equal(path.values, daily.values)
    monday = next(i for i, d in enumerate(pd.DatetimeIndex(path.dates)) if d.day_of_week == 0)
    date = pd.Timestamp(path.dates[monday])
    closes = FRAME["BTC"]
    assert path.returns[monday, 0] == pytest.approx(closes[date] / closes[date - pd.Timedelta(days=3)] - 1)


def test_spearman_path_equals_scipy_with_ties():
    rng = np.random.default_rng(0)
    x, y = np.round(rng.standard_normal((2, 200)), 1)
    got = rolling_spearman(x, y, 30)
    for t in range(29, 200):
        assert got[t] == pytest.approx(stats.spearmanr(x[t - 29 : t + 1], y[t - 29 : t + 1]).statistic)
    assert np.isnan(got[:29]).all()
    np.testing.assert_array_equal(average_ranks(x), stats.rankdata(x))
    assert np.isnan(rolling_spearman(np.ones(50), y[:50], 30)).all()


def test_ewma_path_is_the_matrix_estimate_of_every_day():
    (path,) = rolling_pairs(MARKET, [("BTC", "ETH")], method="ewma", vol_halflife=15, corr_halflife=45)
    for t in (19, 100, 500, len(path.values) - 1):
        vols, corr = correlation.ewma_covariance(path.returns[: t + 1], 15, 45)
        assert path.values[t] == pytest.approx(corr[0, 1], rel=1e-12)
        np.testing.assert_allclose(path.volatilities[t], vols, rtol=1e-12)
    assert np.isnan(path.values[:19]).all()


def test_ewma_with_holes_equals_pandas_and_its_plain_twin():
    rng = np.random.default_rng(1)
    data = rng.standard_t(4, size=(400, 4)) + rng.standard_normal((400, 1))
    data[rng.random(data.shape) < 0.2] = np.nan
    data[:50, 3] = np.nan
    got = ewma_correlation(data, 25)
    slow = np.full_like(got.values, np.nan)
    _plain(np.ascontiguousarray(data.T), np.array(got.pairs), 0.5 ** (1 / 25), 20, slow)
    np.testing.assert_allclose(got.values, slow, atol=1e-13)
    for (i, j), line in zip(got.pairs, got.values, strict=True):
        both = pd.DataFrame(data[:, [i, j]]).dropna()
        x, y = both[0], both[1]
        xy, xx, yy = (product.ewm(halflife=25).mean() for product in (x * y, x * x, y * y))
        expected = (xy / np.sqrt(xx * yy)).to_numpy()
        np.testing.assert_allclose(line[both.index][19:], expected[19:], rtol=1e-12)
        assert np.isnan(np.delete(line, both.index)).all()


def test_ewma_volatility_equals_a_loop():
    x = np.random.default_rng(2).standard_normal(60)
    w = [0.5 ** (age / 10) for age in range(60)]
    for t in (0, 7, 59):
        past = x[: t + 1][::-1] ** 2
        assert ewma_volatility(x, 10)[t] == pytest.approx(np.sqrt(np.average(past, weights=w[: t + 1])))


def test_all_pairs_hold_the_newest_figure_of_at_most_four_days():
    table = all_pairs(MARKET, FRAME.columns, window=40)
    assert table.values.shape == (28, len(FRAME))
    for pair in PAIRS:
        rows, dates = common_returns(FRAME, pair)
        path = pd.Series(
            [np.nan] * 39 + [np.corrcoef(rows[i - 39 : i + 1].T)[0, 1] for i in range(39, len(rows))], index=dates
        )
        expected = []
        for day in FRAME.index:
            past = path[:day]
            fresh = len(past) and day - past.index[-1] <= pd.Timedelta(days=4)
            expected.append(past.iloc[-1] if fresh else np.nan)
        np.testing.assert_allclose(table.line(*pair), expected, atol=1e-12)
        np.testing.assert_array_equal(table.line(*pair[::-1]), table.line(*pair))
    assert np.isnan(table.line("BTC", "USDC")).all()  # a coin that never moves has no correlation, not zero
    saturday = "2024-12-28"
    matrix = table.matrix(saturday)
    i, j = table.assets.index("BTC"), table.assets.index("SPY")
    assert matrix[i, j] == table.line("BTC", "SPY")[FRAME.index.get_loc(pd.Timestamp(saturday))]
    ended = np.isin(table.assets, ["OLD", "USDC"])
    np.testing.assert_array_equal(np.diag(matrix), np.where(ended, np.nan, 1.0))
    np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("as_of", ["2024-03-10", "2024-11-03", None])
def test_matrix_of_a_date_is_the_last_point_of_every_path(as_of, horizon):
    names = ["BTC", "ETH", "NEW", "GAP", "SPY", "GLD", "USDC"]
    got = correlation_matrix(MARKET, names, 50, as_of=as_of, horizon=horizon)
    table = all_pairs(MARKET, names, 50, horizon, as_of)
    np.testing.assert_allclose(got.array(), table.matrix_at_row(-1), atol=1e-12)
    assert ("BTC/USDC" in got.reasons) and "does not move" in got.reasons["BTC/USDC"]
    assert "USDC" in got.missing


def test_spearman_matrix_equals_scipy():
    got = correlation_matrix(MARKET, ["BTC", "ETH", "SPY"], 60, "spearman")
    rows, _ = common_returns(FRAME, ("ETH", "SPY"))
    assert got.matrix["ETH"]["SPY"] == pytest.approx(stats.spearmanr(rows[-60:]).statistic)


@settings(max_examples=12, deadline=None)
@given(st.integers(80, 890), st.sampled_from(PATH_METHODS), st.sampled_from(PAIRS), st.sampled_from([1, 4]))
def test_later_prices_never_change_an_earlier_value(cut, method, pair, horizon):
    later = FRAME.copy()
    later.iloc[cut:] = later.iloc[cut:].to_numpy() * np.random.default_rng(cut).uniform(0.5, 2, later.iloc[cut:].shape)
    day = FRAME.index[cut - 1]
    try:
        (full,) = rolling_pairs(MARKET, [pair], 30, horizon, method=method)
        (changed,) = rolling_pairs(Market(later), [pair], 30, horizon, method=method)
        (asked,) = rolling_pairs(Market(later), [pair], 30, horizon, as_of=day, method=method)
    except InputError:  # nothing in common yet
        return
    upto = int((full.dates <= day.to_datetime64()).sum())
    np.testing.assert_array_equal(full.values[:upto], changed.values[:upto])  # bit for bit
    np.testing.assert_array_equal(asked.values, full.values[:upto])


def test_later_prices_never_change_the_matrices_of_a_date():
    day = "2024-06-30"
    cut = FRAME.loc[:day]
    later = FRAME.copy()
    later.loc["2024-07-01":] *= 3.0
    for source in (Market(cut), Market(later)):
        a, b = all_pairs(source, FRAME.columns, 40, as_of=day), all_pairs(MARKET, FRAME.columns, 40)
        np.testing.assert_array_equal(a.values, b.values[:, : len(cut)])
        for method in ("rolling", "ewma", "spearman"):
            old, new = (correlation_matrix(m, ["BTC", "ETH", "SPY"], 40, method, day) for m in (source, MARKET))
            np.testing.assert_array_equal(old.array(), new.array())


def test_why_the_newest_value_is_missing_is_said():
    (short,) = rolling_pairs(MARKET, [("BTC", "NEW")], window=800)
    assert short.latest is None
    assert "of the 800 returns it needs" in short.reason
    (still,) = rolling_pairs(MARKET, [("BTC", "USDC")])
    assert still.latest is None
    assert "does not move" in still.reason
    (fine,) = rolling_pairs(MARKET, [("BTC", "ETH")])
    assert fine.reason == ""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rolling_pairs(MARKET, [("BTC", "ETC")]), "Did you mean"),
        (lambda: rolling_pairs(MARKET, [("BTC", "ETH")], method="magic"), "method"),
        (lambda: rolling_pairs(MARKET, [("BTC", "ETH")], window=2), "window"),
        (lambda: rolling_pairs(MARKET, [("BTC", "ETH")], horizon=0), "horizon"),
        (lambda: rolling_pairs(MARKET, [("BTC", "ETH")], method="ewma", corr_halflife=-1.0), "halflife"),
        (lambda: all_pairs(MARKET, ["BTC"]), "assets"),
        (lambda: all_pairs(MARKET, ["BTC", "BTC"]), "assets"),
        (lambda: all_pairs(MARKET, ["BTC", "ETH"]).line("BTC", "SPY"), "pair"),
        (lambda: all_pairs(MARKET, ["BTC", "ETH"]).matrix("1999-01-01"), "before the first"),
        (lambda: ewma_correlation(np.ones(3), 5), "values"),
        (lambda: ewma_correlation(np.ones((3, 2)), 5, [(0, 2)]), "pairs"),
        (lambda: correlation_matrix(MARKET, ["BTC", "ETH"], 60, horizon=0), "horizon"),
    ],
)
def test_bad_input_is_one_line(call, said):
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_recorded_prices_against_pandas():
    """Two independent roads: pandas on the pair's own frame, and numpy window by window."""
    coins = pd.read_csv(shared_path("market/daily_closes.csv"), index_col=0, parse_dates=True)
    stocks = pd.read_csv(shared_path("market/tradfi_daily_adjclose.csv"), index_col=0, parse_dates=True)
    table = coins.join(stocks, how="outer")
    recorded = Market(table)
    for pair in combinations(["BTC", "ETH", "SOL", "LUNA", "FTT", "USDC", "SPY", "GLD"], 2):
        (path,) = rolling_pairs(recorded, [pair])
        rows, dates = common_returns(table, pair)
        np.testing.assert_array_equal(path.dates, dates.to_numpy())
        expected = pd.Series(rows[:, 0]).rolling(60).corr(pd.Series(rows[:, 1])).to_numpy()
        np.testing.assert_allclose(path.values, expected, atol=1e-8)
        for t in range(59, len(rows), 97):
            assert path.values[t] == pytest.approx(np.corrcoef(rows[t - 59 : t + 1].T)[0, 1], abs=1e-12)
