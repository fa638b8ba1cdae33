"""Worst correlation so far: every window, against numpy window by window; what a later row or a bad tick may change."""

import numpy as np
import pandas as pd
import pytest

from margin import Market, Portfolio, Position
from margin.ladder.compare import compare
from margin.risk.extremes import CORRELATION_WINDOW, Extremes, break_ratio, correlations, extremes, running_extremes
from margin.rolling.pearson import rolling_correlation
from margin.stress.correlation_breaks import correlation_breaks
from tests.support import shared_path

RNG = np.random.default_rng(3)
RETURNS = RNG.standard_normal((333, 4)) * 0.03 + RNG.standard_normal((333, 1)) * 0.02


def test_every_window_counts():
    low, high = np.ones((2, 4, 4))
    running = running_extremes(RETURNS)
    for start in range(len(RETURNS) - 59):
        seen = np.corrcoef(RETURNS[start : start + 60].T)
        low, high = np.minimum(low, seen), np.maximum(high, np.where(np.eye(4) > 0, 1, seen)) if start else seen
        np.testing.assert_allclose(running[0][start], low, atol=1e-14)
        np.testing.assert_allclose(running[1][start], high, atol=1e-14)
    found = extremes(RETURNS, 100)
    np.testing.assert_allclose([found.low, found.high], [low, high], atol=1e-14)
    np.testing.assert_allclose(found.now, np.corrcoef(RETURNS[-100:].T), atol=1e-14)


def test_later_rows_change_nothing_bit_for_bit_and_a_bad_tick_leaves_with_its_windows():
    low, high = running_extremes(RETURNS)
    other = RETURNS.copy()
    other[200:] *= -7.0
    np.testing.assert_array_equal(running_extremes(other)[0][: 200 - 59], low[: 200 - 59])
    np.testing.assert_array_equal(running_extremes(other)[1][: 200 - 59], high[: 200 - 59])
    spiked = RETURNS.copy()
    spiked[100, 0] = 1e9
    assert abs(extremes(spiked[101:], 100).low - extremes(RETURNS[101:], 100).low).max() == 0


def test_what_stands_still_has_no_correlation_and_too_little_history_no_extremes():
    still = RETURNS.copy()
    still[:, 1] = 0.001
    found = extremes(still, 100)
    assert found.low[0, 1] == found.high[0, 1] == 0.0
    assert correlations(np.zeros((80, 2))).tolist() == [[1, 0], [0, 1]]
    assert extremes(RETURNS[: CORRELATION_WINDOW - 1], 30) is None


def test_the_safeguard_and_the_page_have_one_definition_of_the_worst_correlation_so_far():
    """BTC against ETH: volatility times 1.767 on the sample's page where every 20th window had said 1.753."""
    market = Market(pd.read_csv(shared_path("market/daily_closes.csv"))[["date", "BTC", "ETH"]])
    pair = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0)))
    measured = compare(pair, market).measured
    seen = measured.correlations
    ours = break_ratio(measured.net * measured.recent_vol, seen)
    breaks = correlation_breaks(pair, market)
    assert ours == pytest.approx(breaks.margin("pairs") / breaks.margin("now"), rel=1e-9)
    rolling = rolling_correlation(measured.past.daily, 60).values[0]
    assert [seen.low[0, 1], seen.high[0, 1]] == pytest.approx([np.nanmin(rolling), np.nanmax(rolling)], abs=1e-12)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_todays_correlation_counts_where_no_window_of_the_past_was_as_bad(side):
    """Over a year a pair may stand closer together than in any 60 days: of that pair today's is the worst.

    Three assets, the third pair unchanged: 1-2 stands at 0.5 (at most 0.3 before), 1-3 at 0.1 (0.6 before). With the
    first asset short, mirrored: what hurts is then a low correlation.
    """

    def matrix(a, b):
        return np.array([[1.0, side * a, side * b], [side * a, 1.0, 0.2], [side * b, 0.2, 1.0]])

    ends = [matrix(0.0, 0.0), matrix(0.3, 0.6)]
    seen = Extremes(np.minimum(*ends), np.maximum(*ends), matrix(0.5, 0.1))
    now, broken = 3 + 2 * (0.5 + 0.1 + 0.2), 3 + 2 * (0.5 + 0.6 + 0.2)
    assert break_ratio(np.array([side, 1.0, 1.0]), seen) == pytest.approx(np.sqrt(broken / now))


def test_nothing_breaks_where_today_is_the_worst_of_all():
    one, low, high = (np.array([[1.0, r], [r, 1.0]]) for r in (0.5, 0.1, 0.3))
    assert break_ratio(np.array([1.0, 2.0]), Extremes(low, high, one)) == 1.0
    assert break_ratio(np.array([1.0, -2.0]), Extremes(low, high, one)) == pytest.approx(np.sqrt((5 - 0.4) / (5 - 2.0)))


@pytest.mark.parametrize(("rows", "windows"), [(0, 0), (58, 0), (59, 0), (60, 1), (75, 16)])
def test_as_many_running_extremes_as_whole_windows(rows, windows):
    for seen in running_extremes(RETURNS[:rows]):
        assert seen.shape == (windows, RETURNS.shape[1], RETURNS.shape[1])
