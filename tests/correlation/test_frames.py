"""The film of matrices against single matrices of the same dates; one pair in a few figures."""

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market
from margin.correlation.frames import FRAME_METHODS, matrix_frames
from margin.correlation.matrix import correlation_matrix
from margin.correlation.regimes import regime_matrices
from margin.correlation.summary import pair_summary
from tests.correlation.worlds import common_returns, frame

TABLE = frame()
MARKET = Market(TABLE)
ASSETS = ("BTC", "ETH", "NEW", "OLD", "GAP", "SPY", "GLD")


@pytest.mark.parametrize("method", ["rolling", "spearman"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_each_frame_is_the_matrix_of_its_date(method, horizon):
    film = matrix_frames(MARKET, ASSETS, method, 50, horizon, 9)
    assert len(film.dates) == 9
    for date, matrix in zip(film.dates, film.matrices, strict=True):
        single = correlation_matrix(MARKET, film.assets, 50, method, str(date), horizon).array()
        both = np.isfinite(matrix) & np.isfinite(single)
        np.testing.assert_allclose(matrix[both], single[both], atol=1e-12)
        assert both.sum() >= 9


def test_ewma_frames_by_a_loop():
    film = matrix_frames(MARKET, ("BTC", "SPY"), "ewma", 30, frames=4)
    returns, dates = common_returns(TABLE, ("BTC", "SPY"))
    assert len(film.dates) == 4
    for date, matrix in zip(film.dates, film.matrices, strict=True):
        seen = returns[dates <= pd.Timestamp(date)]
        weights = 0.5 ** (np.arange(len(seen))[::-1] / 30)
        x, y = seen.T
        expected = (weights * x * y).sum() / np.sqrt((weights * x * x).sum() * (weights * y * y).sum())
        assert matrix[0, 1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("method", ["ledoit-wolf", "worst-days"])
def test_shrunk_and_worst_day_frames_are_the_single_matrices(method):
    names = ("BTC", "ETH", "SPY")
    film = matrix_frames(MARKET, names, method, 60, frames=5)
    assert len(film.dates) >= 3
    for date, matrix in zip(film.dates, film.matrices, strict=True):
        if method == "ledoit-wolf":
            single = correlation_matrix(MARKET, film.assets, 60, method, str(date)).array()
        else:
            single = regime_matrices(MARKET, film.assets, str(date)).worst
        first, second = np.triu_indices(3, 1)
        np.testing.assert_allclose(matrix[first, second], single[first, second], atol=1e-12)


@pytest.mark.parametrize("method", FRAME_METHODS)
def test_later_prices_change_no_frame(method):
    names, end = ("BTC", "ETH", "GAP", "SPY"), TABLE.index[700]
    changed = TABLE.copy()
    changed.iloc[701:] *= 3.0
    early = matrix_frames(MARKET, names, method, 40, frames=6, as_of=str(end))
    late = matrix_frames(Market(changed), names, method, 40, frames=6, as_of=str(end))
    assert early.assets == late.assets
    np.testing.assert_array_equal(early.dates, late.dates)
    np.testing.assert_array_equal(early.matrices, late.matrices)


def test_a_late_listing_is_empty_before_it_was_listed():
    film = matrix_frames(MARKET, ("BTC", "NEW", "ETH"), "rolling", 50, frames=20)
    new = film.assets.index("NEW")
    listed = TABLE["NEW"].first_valid_index()
    assert np.isnan(film.matrices[film.dates < listed.to_datetime64()][:, new]).all()
    assert np.isfinite(film.matrices[-1]).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "guess"}, "method"),
        ({"frames": 0}, "frames"),
        ({"assets": ("BTC",)}, "two or more"),
        ({"assets": ("BTC", "NOPE")}, "NOPE"),
        ({"window": 5000}, "no pair"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        matrix_frames(MARKET, **{"assets": ("BTC", "ETH"), **arguments})


def test_a_pair_in_a_few_figures():
    found = pair_summary(MARKET, ("BTC", "SPY"), 60)
    returns, dates = common_returns(TABLE, ("BTC", "SPY"))
    path = [np.corrcoef(returns[i - 59 : i + 1].T)[0, 1] for i in range(59, len(returns))]
    assert found.latest == pytest.approx(path[-1])
    assert (found.least, found.most) == (pytest.approx(min(path)), pytest.approx(max(path)))
    assert pd.Timestamp(found.most_on) == dates[59 + int(np.argmax(path))]
    assert found.low < found.latest < found.high


def test_a_pair_without_enough_days_has_a_reason_not_a_figure():
    found = pair_summary(MARKET, ("NEW", "OLD"), 200)
    assert found.latest is found.least is found.low is None
    assert "returns" in found.reason or "window" in found.reason, found.reason
