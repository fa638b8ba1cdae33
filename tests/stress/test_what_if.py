"""Margin under a visitor's own correlations: against the engine's own method, brute force and closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import InputError, Market, Portfolio, Position, Settings, compare
from margin.stress.correlation_what_if import margin_by_correlation, possible_range, what_if
from tests.ladder.books import market_frame

MARKET = Market(market_frame())
BOOK = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -15), Position("SOL/USDC:USDC", 100)))


@pytest.mark.parametrize("estimator", ["historical", "gaussian", "student"])
def test_it_is_the_portfolio_method_of_the_ladder(estimator):
    wishes = {("BTC", "ETH"): 0.3}
    seen = what_if(BOOK, MARKET, Settings(estimator=estimator), wishes)
    model = "student" if estimator == "student" else "gaussian"
    asked = Settings(estimator=model, correlation="what-if", what_if=wishes)
    assert seen.margin == pytest.approx(compare(BOOK, MARKET, settings=asked).portfolio, rel=1e-12)
    assert seen.margin_now == pytest.approx(compare(BOOK, MARKET, estimator=model).portfolio, rel=1e-12)
    assert seen.isolated == pytest.approx(compare(BOOK, MARKET, estimator=model).isolated, rel=1e-12)
    assert seen.change == seen.margin - seen.margin_now


def test_no_wish_changes_nothing():
    seen = what_if(BOOK, MARKET, Settings(), {})
    np.testing.assert_array_equal(seen.now, seen.used)
    assert (seen.repaired, seen.change) == (False, 0.0)


def test_an_impossible_wish_is_repaired_and_the_change_is_told():
    seen = what_if(BOOK, MARKET, Settings(), {("BTC", "ETH"): 0.99, ("ETH", "SOL"): 0.99, ("BTC", "SOL"): -0.99})
    assert seen.repaired
    assert np.linalg.eigvalsh(seen.wished)[0] < 0 <= np.linalg.eigvalsh(seen.used)[0] + 1e-12
    assert seen.largest_change == pytest.approx(np.abs(seen.used - seen.wished).max())
    assert seen.wished[0, 1] == 0.99


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 6), st.integers(0, 10_000))
def test_the_possible_range_by_eigenvalues(k, seed):
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((2 * k, k)) @ rng.standard_normal((k, k))
    matrix = np.corrcoef(draws.T)
    low, high = possible_range(matrix, 0, 1)

    def least(rho):
        moved = matrix.copy()
        moved[0, 1] = moved[1, 0] = rho
        return np.linalg.eigvalsh(moved)[0]

    assert low - 1e-9 <= matrix[0, 1] <= high + 1e-9
    assert least(low) == pytest.approx(0, abs=1e-7)
    assert least(high) == pytest.approx(0, abs=1e-7)
    for outside in (low - 0.01, high + 0.01):
        assert least(outside) < 0


def test_two_assets_may_have_any_correlation():
    assert possible_range(np.array([[1, 0.4], [0.4, 1]]), 0, 1) == (-1.0, 1.0)


def test_the_curve_goes_through_the_figures_of_the_page():
    pair = ("BTC", "ETH")
    curve = margin_by_correlation(BOOK, MARKET, Settings(), pair, {})
    for at in (0, 20, 40, 60):
        rho = float(np.clip(curve.correlations[at], -1, 1))
        seen = what_if(BOOK, MARKET, Settings(), {pair: rho})
        assert curve.margins[at] == pytest.approx(seen.margin, rel=1e-6)
    assert (np.diff(curve.margins) < 0).all(), "long one, short the other: more correlation, less margin"


def test_other_wishes_stay():
    kept = {("ETH", "SOL"): 0.1}
    curve = margin_by_correlation(BOOK, MARKET, Settings(), ("BTC", "ETH"), kept)
    rho = float(curve.correlations[30])
    seen = what_if(BOOK, MARKET, Settings(), {**kept, ("BTC", "ETH"): rho})
    assert curve.margins[30] == pytest.approx(seen.margin, rel=1e-6)


def test_a_pair_that_is_not_of_the_book_is_refused():
    with pytest.raises(InputError, match="SPY"):
        margin_by_correlation(BOOK, MARKET, Settings(), ("BTC", "SPY"), {})


def test_the_line_and_the_points_count_options_the_same_way():
    """Issue 10, line 23: the line counted them by delta, the points in full."""
    book = Portfolio((*BOOK.positions[:2], Position("BTC/USD:BTC-250627-60000-C", 5.0)))
    curve = margin_by_correlation(book, MARKET, Settings(), ("BTC", "ETH"), {}, points=5)
    for rho, margin in zip(curve.correlations, curve.margins, strict=True):
        seen = what_if(book, MARKET, Settings(), {("BTC", "ETH"): float(np.clip(rho, -1, 1))})
        assert margin == pytest.approx(seen.margin, rel=1e-9)
    linear = margin_by_correlation(Portfolio(BOOK.positions[:2]), MARKET, Settings(), ("BTC", "ETH"), {}, points=5)
    assert not np.allclose(curve.margins, linear.margins, rtol=0.05)
