"""Costs of size are per asset, not per line; joint collateral is valued at its own last close, a stablecoin at par."""

import numpy as np
import pandas as pd
import pytest

from margin import Collateral, Market, Portfolio, Position, Settings, compare
from margin.core.account import SubAccount
from margin.ladder.margin_models import get
from margin.models.marks import Marks
from margin.risk.estimators import closed_forms
from tests.ladder.books import market_frame

FRAME = market_frame()
VOLUMES = pd.DataFrame(5e7, index=FRAME.index, columns=FRAME.columns)
MARKET = Market(FRAME, VOLUMES)
SHORT = (Position("BTC/USDT:USDT", -1),)


@pytest.mark.parametrize("treatment", ["haircut", "joint"])
def test_ten_lines_of_one_coin_have_the_haircut_of_all_of_it(treatment):
    settings = Settings(collateral_treatment=treatment)
    one, ten = (
        compare(Portfolio(SHORT, [Collateral("SOL", 1e6 / n)] * n), MARKET, settings=settings).account for n in (1, 10)
    )
    assert len(ten.collateral) == 1
    assert ten.collateral[0].haircut == pytest.approx(one.collateral[0].haircut)
    assert ten.equity == pytest.approx(one.equity)
    small = compare(Portfolio(SHORT, [Collateral("SOL", 1e5)]), MARKET, settings=settings).account.collateral[0]
    assert small.haircut < one.collateral[0].haircut, "size costs something here"
    model, marks = get("isolated", MARKET, settings), Marks.of_market(MARKET, Portfolio(SHORT, [Collateral("SOL", 1)]))
    equities = [
        model.state(SubAccount(name="", positions=SHORT, collateral=(Collateral("SOL", 1e6 / n),) * n), marks).equity
        for n in (1, 10)
    ]
    assert equities[1] == pytest.approx(equities[0])


def test_two_legs_of_one_underlying_cost_what_one_leg_of_their_sum_costs_to_close():
    legs = Portfolio((Position("BTC/USDT:USDT", 60), Position("BTC/USDC:USDC", 40)))
    whole = Portfolio((Position("BTC/USDT:USDT", 100),))
    one, two = (
        next(x for x in compare(book, MARKET).safeguard_lines if x.key == "liquidity").amount for book in (whole, legs)
    )
    assert two == pytest.approx(one)


def gap_frame(asset, days):
    frame = FRAME.copy()
    frame[asset] = 1.0 + 0.001 * np.sin(np.arange(len(frame)))
    frame.iloc[-days:, frame.columns.get_loc(asset)] = np.nan
    return frame


def test_a_stablecoin_without_a_recent_close_leaves_the_joint_margin_where_it_was():
    """It stands at par and does not move: the rest is not valued on its last date, 50 days ago."""
    frame = gap_frame("USDC", 50)
    coins = [Collateral("BTC", 0.4), Collateral("USDC", 5_000)]
    with_it = compare(Portfolio(SHORT, coins), Market(frame)).account
    without = compare(Portfolio(SHORT, coins[:1]), MARKET).account
    assert with_it.treatment == "joint"
    assert with_it.requirement == pytest.approx(without.requirement, rel=1e-12)
    assert with_it.equity == pytest.approx(without.equity + 5_000)
    assert any("USDC is taken at 1 USD" in note for note in with_it.notes)
    state = get("portfolio", Market(frame), Settings()).state(
        SubAccount(name="", positions=SHORT, collateral=tuple(coins)),
        Marks.of_market(Market(frame), Portfolio(SHORT, coins)),
    )
    assert state.initial == pytest.approx(without.requirement, rel=1e-9)


def test_coins_are_valued_at_their_own_last_close_beside_a_stock_that_is_closed():
    """As of a Sunday: the stock stands at Friday's close, the coins at Sunday's."""
    frame = FRAME.copy()
    frame["SPY"] = 500.0 * np.exp(np.cumsum(np.random.default_rng(1).standard_normal(len(frame)) * 0.01))
    frame.loc[frame.index.day_of_week >= 5, "SPY"] = np.nan
    sunday = frame.index[frame.index.day_of_week == 6][-1]
    frame = frame.loc[:sunday]
    frame.iloc[-1, frame.columns.get_loc("BTC")] *= 2.0  # twice as dear on Sunday as on Friday
    book = Portfolio(SHORT, [Collateral("BTC", 0.4), Collateral("SPY", 10)])
    found = compare(book, Market(frame)).account
    friday = Market(frame.dropna())
    at = compare(book, friday).account
    ratio = frame["BTC"].iloc[-1] / frame["BTC"].loc[: sunday - pd.Timedelta(days=2)].iloc[-1]
    assert ratio > 1.5
    returns = friday.returns(["BTC", "SPY"], lookback=500).values
    price, spy = frame["BTC"].iloc[-1], frame["SPY"].dropna().iloc[-1]
    losses = np.sort(returns @ np.array([0.6 * price, -10 * spy]))[::-1]
    mass = 0.025 * len(losses)
    whole = int(mass)
    assert found.requirement == pytest.approx((losses[:whole].sum() + (mass - whole) * losses[whole]) / mass, rel=1e-9)
    assert found.requirement > 1.4 * at.requirement
    assert any("each is valued at its own last close" in note for note in found.notes)


def test_a_closed_form_stays_a_closed_form_at_moved_prices():
    """Half the price is half the margin, to rounding; draws of the same covariance were 4.1% off."""
    for estimator in closed_forms():
        settings = Settings(estimator=estimator)
        long = (Position("BTC/USDT:USDT", 1, 50_000), Position("ETH/USDT:USDT", -10, 3_000))
        sub = SubAccount(name="", positions=long, collateral=(Collateral("USD", 20_000),))
        marks = Marks.of_market(MARKET, Portfolio(long))
        asked = compare(Portfolio(long), MARKET, settings=settings).portfolio
        found = get("portfolio", MARKET, settings).states(sub, marks, np.array([[1.0, 1.0], [0.5, 0.5]]))
        assert found.initial == pytest.approx([asked, asked / 2], rel=1e-9)


def test_a_balance_of_nothing_is_no_debt():
    lines = compare(Portfolio(SHORT, (Collateral("USDC", 50_000.0), Collateral("ETH", 0.0))), MARKET).account.collateral
    assert {line.asset: line.source for line in lines}["ETH"] == "nothing is held"
