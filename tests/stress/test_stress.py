"""Shocks by hand, events, paths, contagion inside an account, and the reverse stress test against an optimiser."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from margin import Collateral, InputError, Market, Portfolio, Position, Settings, compare
from margin.core.options import black76
from margin.stress.reverse import plausible, reverse_stress
from margin.stress.shocks import (
    NamedMove,
    counted_collateral,
    depeg,
    dried_up,
    everything,
    replay_events,
    replay_path,
    shock,
    shock_grid,
    stress_book,
)
from tests.ladder.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
PAIR = Portfolio(
    (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -15.0)),
    (Collateral("USD", 4000.0), Collateral("BTC", 0.1)),
)
CALL = Portfolio(
    (Position("BTC/USDC:USDC", 1.0), Position("BTC/USD:BTC-251226-70000-C", -1.0)), (Collateral("USD", 20_000.0),)
)


def test_a_shock_by_hand():
    book = stress_book(PAIR, MARKET, Settings(collateral_treatment="haircut"))
    found = shock(book, {"BTC": -0.2, "ETH": -0.1})
    assert found.by_position == pytest.approx((-12_000.0, 4_500.0))
    counted = book.comparison.account.collateral[1].counted_value
    assert found.collateral_change == pytest.approx(-0.2 * counted)
    assert found.equity == pytest.approx(book.money - 7_500 - 0.2 * counted)
    assert found.health == pytest.approx(found.equity / book.comparison.portfolio)
    assert sum(found.silos) == pytest.approx(found.equity), "the same money in both modes"
    assert found.missing == ()
    assert shock(book, {"BTC": -0.2}).missing == ("ETH",)


def test_joint_collateral_moves_in_full():
    book = stress_book(PAIR, MARKET, Settings(collateral_treatment="joint"))
    assert shock(book, {"BTC": -0.5, "ETH": 0.0}).collateral_change == pytest.approx(-3_000)


def test_without_collateral_the_isolated_margin_is_the_money():
    bare = Portfolio(PAIR.positions)
    book = stress_book(bare, MARKET)
    assert book.assumed_money
    assert book.money == compare(bare, MARKET).isolated
    assert shock(book, {"BTC": 0.0, "ETH": 0.0}).silos == pytest.approx(
        [p.standalone for p in book.comparison.positions]
    )


def test_options_are_revalued_in_full():
    book = stress_book(CALL, MARKET)
    e = book.comparison.book.exposures[1]
    found = shock(book, {"BTC": 0.25}, vol_change=0.5)
    value = black76(np.array([75_000.0]), 70_000, e.years, np.array([1.5 * e.implied_vol]), "C")[0]
    assert found.by_position[1] == pytest.approx(-(value - e.price))
    assert shock(book, {"BTC": 0.0}).pnl == pytest.approx(0.0, abs=1e-6)
    grid = shock_grid(book, [-0.3, 0.0, 0.3], [-0.5, 0.0, 0.5])
    assert grid.pnl[1, 1] == pytest.approx(0.0, abs=1e-6)
    assert (np.diff(grid.pnl, axis=1) < 0).all(), "short volatility loses when it rises"
    assert grid.equity == pytest.approx(grid.pnl + book.money)


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(0, 1))
def test_linear_books_add_up(first, second, part):
    book = stress_book(PAIR, MARKET)
    whole = shock(book, {"BTC": first, "ETH": second})
    partly = shock(book, {"BTC": part * first, "ETH": part * second})
    assert partly.pnl == pytest.approx(part * whole.pnl, rel=1e-9, abs=1e-6)
    assert whole.only_alone == 0 or whole.dragged_down == 0


def test_a_silo_dies_and_the_pool_lives_and_the_other_way_round():
    hedged = Portfolio((Position("BTC/USDT:USDT", 1), Position("ETH/USDT:USDT", -20)), (Collateral("USD", 8000),))
    crash = shock(stress_book(hedged, MARKET), {"BTC": -0.3, "ETH": -0.3})
    assert crash.liquidated_alone == (True, False)
    assert not crash.cross_liquidated
    assert (crash.only_alone, crash.dragged_down) == (1, 0)
    apart = shock(stress_book(hedged, MARKET), {"BTC": -0.4, "ETH": 0.0})
    assert apart.cross_liquidated
    assert apart.liquidated_alone == (True, False)
    assert (apart.only_alone, apart.dragged_down) == (0, 1), "the ETH short is taken down by its neighbour"


def test_a_stablecoin_depeg_reaches_the_collateral():
    held = Portfolio((Position("BTC/USDT:USDT", 0.1),), (Collateral("USDC", 10_000.0),))
    book = stress_book(held, Market(FRAME.assign(USDC=1.0)))
    found = depeg(book, 0.12)
    assert found.pnl == 0.0
    assert found.collateral_change == pytest.approx(-0.12 * counted_collateral(book.comparison)["USDC"])
    assert "USDC" not in everything(book, -0.5)


def test_events_move_what_they_recorded_and_say_what_they_did_not():
    events = [
        NamedMove("crash", "2020-03-12", "2020-03-12", {"BTC": -0.4, "ETH": -0.45}, {"BTC": -0.5}),
        NamedMove("elsewhere", "2021-01-01", "2021-01-02", {"SOL": 0.3}, {}),
    ]
    book = stress_book(PAIR, MARKET)
    (crash,) = replay_events(book, events)
    assert crash.pnl == pytest.approx(-0.4 * 60_000 + 0.45 * 45_000)
    (low,) = replay_events(book, events, to_low=True)
    assert low.missing == ("ETH",)
    assert low.by_position[1] == 0.0


def test_a_path_by_hand():
    book = stress_book(PAIR, MARKET, maintenance=0.9)
    start = FRAME.index[300]
    found = replay_path(book, MARKET, start, 20)
    table = FRAME[["BTC", "ETH"]].iloc[299:320]
    moves = (table / table.iloc[0] - 1).to_numpy()
    gains = moves @ np.array([60_000.0, -45_000.0])
    drift = counted_collateral(book.comparison)["BTC"] * moves[:, 0]
    np.testing.assert_allclose(found.cross, book.money + gains + drift, rtol=1e-9)
    assert list(pd.DatetimeIndex(found.dates)) == list(table.index)
    np.testing.assert_allclose(found.silos.sum(axis=1), found.cross, rtol=1e-9)
    for i, closed in enumerate(found.closed_alone):
        low = found.silos[:, i] < 0.9 * found.alone[i]
        assert closed == (int(low.argmax()) if low.any() else None)
    assert found.health[0] == pytest.approx(book.money / book.comparison.portfolio)


def test_the_reverse_stress_is_the_closed_form():
    book = stress_book(PAIR, MARKET)
    found = reverse_stress(book)
    returns = FRAME[["BTC", "ETH"]].pct_change().dropna().to_numpy()[-500:]
    cov = np.cov(returns.T)
    w = np.array([60_000.0 + counted_collateral(book.comparison)["BTC"], -45_000.0])
    expected = -book.money * cov @ w / (w @ cov @ w)
    assert list(found.moves.values()) == pytest.approx(expected)
    assert found.distance == pytest.approx(book.money / np.sqrt(w @ cov @ w))
    assert found.stressed.equity == pytest.approx(0.0, abs=1e-6)
    assert found.one_in == pytest.approx(1 / norm.sf(found.distance), rel=1e-6)
    assert "standard deviations" in plausible(found)


def nearest(book, names, cov):
    inverse = np.linalg.inv(cov)

    def equity(r):
        return shock(book, dict(zip(names, r, strict=True))).equity

    best = None
    for start in (-0.3, 0.3, -0.6):
        got = minimize(
            lambda r: 1e-3 * r @ inverse @ r,
            np.full(len(names), start),
            constraints={"type": "eq", "fun": lambda r: equity(r) / 1e4},
            bounds=[(-1, 3)] * len(names),
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-12},
        )
        if got.success and (best is None or got.fun < best.fun):
            best = got
    return np.sqrt(1e3 * best.fun), best.x


@pytest.mark.parametrize(
    "portfolio",
    [
        Portfolio((Position("BTC/USDC:USDC", 1.0), Position("ETH/USDC:USDC", 1.0)), (Collateral("USD", 61_500.0),)),
        CALL,
        Portfolio((Position("ETH/USDT:USDT", -15.0), Position("SOL/USDC:USDC", 100.0)), (Collateral("USD", 9_000.0),)),
    ],
    ids=["near worthless", "covered call", "two coins"],
)
def test_the_reverse_stress_against_an_optimiser(portfolio):
    book = stress_book(portfolio, MARKET)
    found = reverse_stress(book)
    names = list(found.moves)
    cov = np.cov(FRAME[names].pct_change().dropna().to_numpy()[-500:].T).reshape(len(names), len(names))
    distance, moves = nearest(book, names, cov)
    assert found.distance == pytest.approx(distance, rel=2e-3)
    assert list(found.moves.values()) == pytest.approx(moves, abs=5e-3)
    assert all(move >= -1 for move in found.moves.values())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: shock(stress_book(PAIR, MARKET), {"BTC": -1.5}), "moves BTC"),
        (lambda: shock(stress_book(PAIR, MARKET), {"BTC": float("nan")}), "moves BTC"),
        (lambda: shock(stress_book(PAIR, MARKET), {}, -1.0), "vol_change"),
        (lambda: stress_book(PAIR, MARKET, maintenance=0.0), "maintenance"),
        (lambda: replay_path(stress_book(PAIR, MARKET), MARKET, "1999-01-01"), "no close before"),
        (lambda: reverse_stress(stress_book(PAIR, MARKET), 1e9), "not below the equity"),
        (
            lambda: reverse_stress(
                stress_book(Portfolio((Position("BTC/USDC:USDC", 0.01),), (Collateral("USD", 1e6),)), MARKET)
            ),
            "more than it can lose",
        ),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_a_market_that_dries_up_costs_more_to_leave():
    thin = Market(FRAME, FRAME * 0 + 1e8)
    found = dried_up(PAIR, thin, Settings(), (1.0, 4.0, 16.0))
    costs = [d.closing_cost for d in found]
    assert costs[1] == pytest.approx(2 * costs[0]), "the square-root law"
    assert costs[2] == pytest.approx(4 * costs[0])
    assert found[0].safeguarded == compare(PAIR, thin).safeguarded
    values = [d.collateral_value for d in found]
    assert values == sorted(values, reverse=True)
    with pytest.raises(InputError, match="no traded volume"):
        dried_up(PAIR, MARKET, Settings(), (1.0,))
