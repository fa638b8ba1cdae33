"""Estimators against slow twins and closed forms written independently."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.covariance import LedoitWolf

from margin import InputError, Market, Portfolio, Position, Settings, compare
from margin.risk import covariance as correlation
from margin.risk.elliptical import simulate, tail_factor
from margin.risk.history import ewma_vol_path, history
from margin.risk.scenarios import worst_window
from margin.risk.tail import expected_shortfall
from tests.ladder.books import ASSETS, market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
BOOK = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -15), Position("SOL/USDC:USDC", 100)))
WEIGHTS = np.array([60_000.0, -45_000.0, 15_000.0])
THREE = ["BTC", "ETH", "SOL"]


def simple_returns(lookback=None):
    returns = FRAME[THREE].pct_change().dropna().to_numpy()
    return returns if lookback is None else returns[-lookback:]


@pytest.mark.parametrize("level", [0.95, 0.975, 0.99])
@pytest.mark.parametrize("dof", [None, 3.0, 4.0, 30.0])
def test_tail_factors_equal_numerical_integration(level, dof):
    model = stats.norm() if dof is None else stats.t(dof, scale=np.sqrt((dof - 2) / dof))
    quantile = model.ppf(level)
    tail, _ = integrate.quad(lambda x: x * model.pdf(x), quantile, np.inf)
    assert tail_factor("es", level, dof) == pytest.approx(tail / (1 - level), rel=1e-7)
    assert tail_factor("var", level, dof) == pytest.approx(quantile, rel=1e-9)


def test_published_normal_es():
    """Standard normal: ES 97.5% = 2.3378, the Basel market-risk figure next to VaR 99% = 2.3263."""
    assert tail_factor("es", 0.975, None) == pytest.approx(2.3378, abs=5e-5)
    assert tail_factor("var", 0.99, None) == pytest.approx(2.3263, abs=5e-5)


@pytest.mark.parametrize("horizon", [1, 5])
def test_gaussian_is_the_square_root_form(horizon):
    cov = np.cov(simple_returns(500).T)
    z = stats.norm.ppf(0.975)
    expected = stats.norm.pdf(z) / 0.025 * np.sqrt(WEIGHTS @ cov @ WEIGHTS * horizon)
    assert compare(BOOK, MARKET, estimator="gaussian", horizon=horizon).portfolio == pytest.approx(expected)


def test_ledoit_wolf_equals_scikit_learn():
    returns = simple_returns(300)
    fitted = LedoitWolf().fit(returns)
    cov, shrinkage = correlation.ledoit_wolf(returns)
    np.testing.assert_allclose(cov, fitted.covariance_, rtol=1e-10)
    assert shrinkage == pytest.approx(fitted.shrinkage_)
    chosen = Settings(estimator="gaussian", correlation="ledoit-wolf", lookback=300)
    expected = tail_factor("es", 0.975, None) * np.sqrt(WEIGHTS @ fitted.covariance_ @ WEIGHTS)
    assert compare(BOOK, MARKET, settings=chosen).portfolio == pytest.approx(expected)


def test_ewma_covariance_equals_a_loop():
    returns = simple_returns(200)
    vols, corr = correlation.ewma_covariance(returns, 20, 60)
    sums, cross, weight, weight_c = np.zeros(3), np.zeros((3, 3)), 0.0, 0.0
    for age, row in enumerate(returns[::-1]):
        w, wc = 0.5 ** (age / 20), 0.5 ** (age / 60)
        sums, weight = sums + w * row**2, weight + w
        cross, weight_c = cross + wc * np.outer(row, row), weight_c + wc
    cross /= weight_c
    np.testing.assert_allclose(vols, np.sqrt(sums / weight), rtol=1e-12)
    np.testing.assert_allclose(corr, cross / np.sqrt(np.outer(np.diag(cross), np.diag(cross))), rtol=1e-12)


def test_ewma_volatility_equals_the_recursion():
    returns = simple_returns()
    path = ewma_vol_path(returns, 0.94)
    variance = (returns[:30] ** 2).mean(axis=0)
    for i, row in enumerate(returns):
        np.testing.assert_allclose(path[i], np.sqrt(variance), rtol=1e-10)
        variance = 0.94 * variance + 0.06 * row**2
    np.testing.assert_allclose(path[-1], np.sqrt(variance), rtol=1e-10)


@pytest.mark.parametrize("horizon", [1, 4])
def test_filtered_scenarios_equal_a_loop(horizon):
    returns = simple_returns()
    closes = FRAME[THREE].to_numpy()
    path = ewma_vol_path(returns, 0.94)
    losses = []
    for end in range(horizon, len(closes)):
        start_vol = path[end - horizon]
        scaled = (closes[end] / closes[end - horizon] - 1) * path[-1] / start_vol
        losses.append(-(WEIGHTS * scaled).sum())
    tail = np.sort(losses[-500:])[::-1]
    expected = (tail[:12].sum() + 0.5 * tail[12]) / 12.5
    assert compare(BOOK, MARKET, estimator="filtered", horizon=horizon).portfolio == pytest.approx(expected)


def test_stressed_window_is_the_worst_of_all():
    losses = -(simple_returns() @ WEIGHTS)
    by_hand = []
    for start in range(len(losses) - 299):
        tail = np.sort(losses[start : start + 300])[::-1]
        by_hand.append((tail[:7].sum() + 0.5 * tail[7]) / 7.5)
    worst = max(by_hand)
    assert by_hand[worst_window(losses, 300, 0.975)] == pytest.approx(worst, rel=1e-12)
    c = compare(BOOK, MARKET, estimator="stressed", lookback=300)
    assert c.portfolio == pytest.approx(worst)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=40),
    st.integers(1, 40),
    st.sampled_from([0.5, 0.9, 0.975, 0.99]),
)
def test_worst_window_is_found_among_ties_and_short_tails(losses, length, level):
    losses = np.array(losses, dtype=float)
    length = min(length, len(losses))
    tails = [expected_shortfall(losses[s : s + length], level) for s in range(len(losses) - length + 1)]
    found = worst_window(losses, length, level)
    assert tails[found] == pytest.approx(max(tails), abs=1e-12)
    assert all(t < max(tails) - 1e-9 for t in tails[found + 1 :]), "of equal windows the newest"


def test_simulated_scenarios_have_exactly_the_models_covariance():
    from margin.risk.elliptical import Elliptical

    cov = np.cov(simple_returns(500).T)
    for dof in (None, 4.0):
        drawn = simulate(Elliptical(cov, dof, 500)).returns
        np.testing.assert_allclose(drawn.T @ drawn / len(drawn), cov, rtol=1e-9)
        np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-15)


@pytest.mark.parametrize(("estimator", "tolerance"), [("gaussian", 0.03), ("student", 0.08)])
def test_closed_form_and_draws_agree(estimator, tolerance):
    """A far out-of-the-money option of tiny size sends the same book down the simulated path."""
    closed = compare(BOOK, MARKET, estimator=estimator)
    tiny = Position("BTC/USD:BTC-251231-900000-C", 1e-9)
    drawn = compare(BOOK.with_positions((*BOOK.positions, tiny)), MARKET, estimator=estimator)
    assert drawn.portfolio == pytest.approx(closed.portfolio, rel=tolerance)


def test_what_if_correlation_moves_the_margin_as_the_closed_form_says():
    pair = Portfolio((Position("BTC/USDC:USDC", 1), Position("ETH/USDC:USDC", -20)))
    vols = simple_returns(500)[:, :2].std(axis=0, ddof=1) * np.array([60_000, 60_000])
    for rho in (-1.0, 0.0, 0.5, 1.0):
        chosen = Settings(estimator="gaussian", correlation="what-if", what_if=(("ETH", "BTC", rho),))
        expected = tail_factor("es", 0.975, None) * np.sqrt(max(vols[0] ** 2 + vols[1] ** 2 - 2 * rho * vols.prod(), 0))
        assert compare(pair, MARKET, settings=chosen).portfolio == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_an_impossible_what_if_is_repaired_and_said():
    wanted = (("BTC", "ETH", 0.95), ("ETH", "SOL", 0.95), ("BTC", "SOL", -0.95))
    c = compare(BOOK, MARKET, settings=Settings(estimator="gaussian", correlation="what-if", what_if=wanted))
    assert any("nearest correlation matrix" in note for note in c.notes)


def test_nearest_correlation_equals_cvxpy():
    import cvxpy as cp

    target = np.array([[1, 0.95, -0.95], [0.95, 1, 0.95], [-0.95, 0.95, 1]])
    x = cp.Variable((3, 3), PSD=True)
    cp.Problem(cp.Minimize(cp.norm(x - target, "fro")), [cp.diag(x) == 1]).solve(solver=cp.CLARABEL)
    repaired, distance = correlation.nearest_correlation(target)
    np.testing.assert_allclose(repaired, x.value, atol=1e-5)
    assert distance == pytest.approx(np.linalg.norm(x.value - target), abs=1e-5)
    assert np.linalg.eigvalsh(repaired)[0] >= -1e-12
    np.testing.assert_array_equal(np.diag(repaired), 1.0)


def test_a_valid_matrix_needs_no_repair():
    valid = correlation.sample_correlation(simple_returns())
    repaired, distance = correlation.nearest_correlation(valid)
    np.testing.assert_allclose(repaired, valid, atol=1e-9)
    assert distance < 1e-8


@pytest.mark.parametrize("estimator", ["gaussian", "student", "filtered", "historical"])
def test_an_asset_that_never_moves_has_no_risk_and_breaks_nothing(estimator):
    frame = FRAME.copy()
    frame["USDC"] = 1.0
    book = Portfolio((Position("ETH/USDC:USDC", 10), Position("USDC/USDC:USDC", -30_000)))
    with_coin = compare(book, frame, estimator=estimator)
    alone = compare(Portfolio((Position("ETH/USDC:USDC", 10),)), frame, estimator=estimator)
    assert with_coin.positions[1].standalone == 0
    assert with_coin.portfolio == pytest.approx(alone.portfolio)


def test_history_is_computed_once_per_market():
    market = Market(FRAME)
    assert history(market, ASSETS, Settings()) is history(market, ASSETS, Settings(level=0.99))


def test_too_short_a_history_is_said():
    c = compare(BOOK, FRAME.iloc[-25:])
    assert c.scenarios == 24
    assert any("fewer than the 500" in note for note in c.notes)
    assert any("the worst decides" in note for note in c.notes)
    with pytest.raises(InputError, match="too little common history"):
        compare(BOOK, FRAME.iloc[-2:])


@pytest.mark.parametrize(("estimator", "lookback"), [("filtered", 399), ("gaussian", 30), ("student", 30)])
def test_no_scenario_takes_a_price_below_zero(estimator, lookback):
    """Quiet years with a crash of 80%, then a storm: a past return in units of today's volatility passes -100%."""
    moves = np.where(np.arange(400) % 2 == 0, 0.01, -0.01)
    moves[200] = -0.8
    moves[-30:] *= 40
    prices = pd.DataFrame({"BTC": 1000 * np.cumprod(1 + moves)}, index=pd.date_range("2022-01-01", periods=400))
    option = Portfolio((Position("BTC/USDC:USDC", 1), Position("BTC/USD:BTC-241231-1000-P", 1)))
    c = compare(option, prices, estimator=estimator, lookback=lookback)
    assert c.drawn.returns.min() == -1.0
    assert any("would take a price below zero" in note for note in c.notes)
    assert c.positions[0].standalone <= c.positions[0].value * (1 + 1e-12)
    assert np.isfinite(c.losses).all()


def test_every_estimator_is_one_row_from_which_all_else_is_made():
    """Menus, axes and choices come from the files of margin/risk/estimators/; so do the docs (tests/core)."""
    from margin.risk.estimators import closed_forms, estimators, walked
    from ui.charts.ladder import METHODS_SHORT
    from ui.portfolio.settings_panel import ESTIMATOR_NAMES

    keys = [row.key for row in estimators()]
    assert list(ESTIMATOR_NAMES) == list(METHODS_SHORT) == keys
    assert set(closed_forms()) < set(walked()) < set(keys)
    for row in estimators():
        assert Settings(estimator=row.key).estimator == row.key
    with pytest.raises(InputError, match="Choose filtered, gaussian, historical, stressed, student"):
        Settings(estimator="normal")
