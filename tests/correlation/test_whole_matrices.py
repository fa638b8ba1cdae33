"""The matrix as a whole: first eigenvalue, order, repair, and margins when correlations break."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError, Market, Portfolio, Position, Settings, compare
from margin.correlation.market_mode import market_mode
from margin.correlation.order import hierarchical_order
from margin.correlation.paths import all_pairs
from margin.risk.covariance import ledoit_wolf, nearest_correlation
from margin.risk.elliptical import portfolio_margin_under
from margin.stress.correlation_breaks import NAMES, WINDOW, correlation_breaks
from margin.stress.correlation_what_if import what_if
from tests.correlation.worlds import frame, market

FRAME = frame()
MARKET = market()
BOOK = Portfolio((Position("BTC/USDC:USDC", 100), Position("ETH/USDC:USDC", -80), Position("GLD/USDC:USDC", 30)))


def test_average_and_first_eigenvalue_equal_a_slow_twin():
    names = ["BTC", "ETH", "NEW", "OLD", "SPY"]
    mode = market_mode(MARKET, names, 40, step=7)
    table = all_pairs(MARKET, names, 40)
    assert mode.dates[-1] == FRAME.index[-1].to_datetime64()
    assert set(mode.assets) >= {0, 3, 4}
    for date, average, share, implied, count in zip(
        mode.dates, mode.average, mode.share, mode.implied, mode.assets, strict=True
    ):
        matrix = table.matrix(date)
        values = matrix[np.triu_indices(5, 1)]
        if not np.isfinite(values).any():
            assert np.isnan([average, share, implied]).all()
            continue
        assert average == pytest.approx(np.nanmean(values))
        kept = matrix[np.ix_(np.isfinite(np.diag(matrix)), np.isfinite(np.diag(matrix)))]
        if np.isfinite(kept).all():
            assert count == len(kept)
            top = np.linalg.eigvalsh(kept)[-1]
            assert share == pytest.approx(top / len(kept))
            assert implied == pytest.approx((top - 1) / (len(kept) - 1))


def test_equal_correlations_give_back_themselves():
    rng = np.random.default_rng(0)
    n, k, rho = 6000, 6, 0.4
    x = np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((n, k))
    table = frame(n=n).iloc[:, :k]
    table[:] = 100 * np.cumprod(1 + 0.01 * x, axis=0)
    mode = market_mode(Market(table), table.columns, 5000, step=100)
    assert mode.implied[-1] == pytest.approx(rho, abs=0.03)
    assert mode.average[-1] == pytest.approx(rho, abs=0.03)


def test_one_pair_has_share_half_of_one_plus_rho():
    mode = market_mode(MARKET, ["BTC", "ETH"], 60)
    np.testing.assert_allclose(mode.share[-1], (1 + mode.average[-1]) / 2)


def blocks():
    """Two groups of three, interleaved."""
    group = np.array([0, 1, 0, 1, 0, 1])
    matrix = np.where(group[:, None] == group[None, :], 0.8, 0.1)
    np.fill_diagonal(matrix, 1.0)
    return matrix, group


def test_the_order_puts_groups_side_by_side_and_is_the_best_there_is():
    matrix, group = blocks()
    order = hierarchical_order(matrix)
    assert sorted(order) == list(range(6))
    assert (np.diff(group[order]) != 0).sum() == 1
    distance = np.sqrt((1 - matrix) / 2)

    def length(p):
        return sum(distance[a, b] for a, b in pairwise(p))

    assert length(order) == pytest.approx(min(length(p) for p in permutations(range(6))))


def test_the_order_takes_missing_values_and_small_matrices():
    matrix, _ = blocks()
    matrix[0, 3] = matrix[3, 0] = np.nan
    assert sorted(hierarchical_order(matrix)) == list(range(6))
    assert hierarchical_order(np.eye(2)) == [0, 1]
    with pytest.raises(InputError):
        hierarchical_order(np.ones((2, 3)))


@pytest.mark.parametrize("k", [4, 9])
def test_repair_of_larger_matrices_equals_cvxpy(k):
    import cvxpy as cp

    rng = np.random.default_rng(k)
    wished = rng.uniform(-1, 1, (k, k))
    wished = (wished + wished.T) / 2
    np.fill_diagonal(wished, 1.0)
    x = cp.Variable((k, k), PSD=True)
    cp.Problem(cp.Minimize(cp.sum_squares(x - wished)), [cp.diag(x) == 1]).solve(solver=cp.CLARABEL)
    got, distance = nearest_correlation(wished)
    np.testing.assert_allclose(got, x.value, atol=2e-5)
    assert distance == pytest.approx(np.linalg.norm(got - wished))


def test_published_repair():
    """Higham (2002), section 4: the tridiagonal matrix of ones; distance 0.5278, off-diagonals 0.7607 and 0.1573."""
    got, distance = nearest_correlation(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    assert distance == pytest.approx(0.5278, abs=5e-5)
    np.testing.assert_allclose([got[0, 1], got[1, 2], got[0, 2]], [0.7607, 0.7607, 0.1573], atol=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10_000))
def test_a_repaired_matrix_is_a_correlation_matrix_and_stays_one(k, seed):
    wished = np.random.default_rng(seed).uniform(-1, 1, (k, k))
    wished = (wished + wished.T) / 2
    np.fill_diagonal(wished, 1.0)
    got, _ = nearest_correlation(wished)
    assert np.linalg.eigvalsh(got)[0] > -1e-12
    np.testing.assert_array_equal(np.diag(got), 1.0)
    assert np.abs(got).max() <= 1 + 1e-12
    np.testing.assert_allclose(nearest_correlation(got)[0], got, atol=1e-8)


def test_shrinkage_is_total_for_noise_and_none_for_endless_data():
    rng = np.random.default_rng(0)
    assert ledoit_wolf(rng.standard_normal((20, 40)))[1] > 0.8
    wide = rng.standard_normal((200_000, 2)) * [1.0, 5.0]
    assert ledoit_wolf(wide)[1] < 0.001


def test_breaks_meet_the_ladder_at_both_ends():
    """With normal returns: as it is = portfolio margin, every pair against the book = isolated margin."""
    c = compare(BOOK, MARKET, estimator="gaussian")
    found = correlation_breaks(BOOK, MARKET)
    assert found.margin("now") == pytest.approx(c.portfolio)
    assert found.margin("against") == pytest.approx(c.isolated)
    student = correlation_breaks(BOOK, MARKET, Settings(estimator="student", level=0.99, horizon=5))
    other = compare(BOOK, MARKET, estimator="student", level=0.99, horizon=5)
    assert student.margin("now") == pytest.approx(other.portfolio)
    assert [line.key for line in found.lines] == list(NAMES)


def test_breaks_of_a_hedged_asset_end_at_the_netted_margin_and_options_are_revalued_in_full():
    twice = Portfolio((*BOOK.positions, Position("BTC/USD:BTC", -20_000.0)))
    assert correlation_breaks(twice, MARKET).margin("against") == pytest.approx(
        compare(twice, MARKET, estimator="gaussian").netted
    )
    day = f"{FRAME.index[-1] + np.timedelta64(40, 'D'):%y%m%d}"
    held = Portfolio((Position(f"BTC/USD:BTC-{day}-90000-C", -2.0), Position("ETH/USDT:USDT", 30.0)))
    found = correlation_breaks(held, MARKET)
    assert found.margin("now") == pytest.approx(compare(held, MARKET, estimator="gaussian").portfolio)
    pair = tuple(found.assets)
    alone = what_if(held, MARKET, Settings(), {pair: 0.0})
    assert found.margin("zero") == pytest.approx(alone.margin)


def test_sixty_common_returns_are_enough_for_breaks_and_59_are_not():
    closes = FRAME[["BTC", "ETH"]].dropna()
    pair = Portfolio((Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -10.0)))
    found = correlation_breaks(pair, Market(closes.iloc[-61:]))
    assert found.margin("pairs") == pytest.approx(found.margin("day"))  # one window alone
    with pytest.raises(InputError, match="too little common history"):
        correlation_breaks(pair, Market(closes.iloc[-60:]))


def test_worst_day_is_the_worst_of_all_windows():
    found = correlation_breaks(BOOK, MARKET)
    line = next(x for x in found.lines if x.key == "day")
    both = FRAME[list(found.assets)].dropna()
    r = both.pct_change().iloc[1:]
    steps = np.diff(both.index) <= np.timedelta64(4, "D")
    assert steps.all()
    margins = [
        portfolio_margin_under(np.corrcoef(r.iloc[t - WINDOW + 1 : t + 1].T), found.dollars, found.volatilities)
        for t in range(WINDOW - 1, len(r))
    ]
    assert line.margin == pytest.approx(max(margins))
    assert line.date == r.index[WINDOW - 1 + int(np.argmax(margins))].to_datetime64()
    np.testing.assert_allclose(line.matrix, np.corrcoef(r.loc[: line.date].iloc[-WINDOW:].T), atol=1e-12)
    assert line.margin <= found.margin("pairs") + 1e-9


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-100, 100).filter(lambda q: abs(q) > 0.01), min_size=3, max_size=3))
def test_no_matrix_asks_more_than_every_pair_against_the_book(quantities):
    book = Portfolio(
        tuple(Position(f"{a}/USDC:USDC", q) for a, q in zip(("BTC", "ETH", "GLD"), quantities, strict=True))
    )
    found = correlation_breaks(book, MARKET)
    for line in found.lines:
        assert line.margin <= found.margin("against") * (1 + 1e-9)
        assert np.linalg.eigvalsh(line.matrix)[0] > -1e-8
    exposure = found.dollars * found.volatilities
    k = found.margin("zero") / np.sqrt((exposure**2).sum())
    assert found.margin("one") == pytest.approx(k * abs(exposure.sum()), abs=1e-6)


def test_one_asset_has_nothing_to_break():
    found = correlation_breaks(Portfolio((Position("BTC/USDC:USDC", 1),)), MARKET)
    assert len({round(line.margin, 9) for line in found.lines}) == 1


def test_later_prices_never_change_the_breaks():
    table = FRAME.copy()
    table.loc["2024-07-01":] *= 2
    settings_ = Settings(as_of="2024-06-30")
    a, b = (correlation_breaks(BOOK, m, settings_) for m in (MARKET, Market(table)))
    assert [line.margin for line in a.lines] == [line.margin for line in b.lines]


@pytest.mark.parametrize(
    "call",
    [
        lambda: portfolio_margin_under(np.eye(3), np.ones(2), np.ones(2)),
        lambda: portfolio_margin_under(np.full((2, 2), np.nan), np.ones(2), np.ones(2)),
        lambda: portfolio_margin_under(np.array([[1.0, -3], [-3, 1]]), np.ones(2), np.ones(2)),
        lambda: correlation_breaks(Portfolio((Position("USDC/USDC:USDC", 1),)), MARKET),
        lambda: correlation_breaks(BOOK, MARKET, Settings(as_of="2022-08-20")),
    ],
)
def test_bad_input_is_one_line(call):
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
