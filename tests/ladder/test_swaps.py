"""Figures of one type that stand beside each other, each on a book in which they differ: none can stand for the other."""

import pandas as pd
import pytest

from margin import Collateral, Market, Portfolio, Position, Settings, compare, venues
from margin.models.marks import Marks
from tests.ladder.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME)


def test_vega_is_dollars_a_volatility_point_and_theta_dollars_a_day():
    """Two calls sold: one point more of volatility against one day less, each revalued."""
    symbol, q, vol = "BTC/USD:BTC-250627-60000-C", -2.0, 0.6

    def value(v, as_of):
        closes = FRAME.copy()
        closes.loc[as_of] = closes.iloc[-1]
        return q * compare(Portfolio((Position(symbol, q, implied_vol=v),)), closes, as_of=as_of).positions[0].price

    today, tomorrow = FRAME.index[-1], FRAME.index[-1] + pd.Timedelta(days=1)
    found = compare(Portfolio((Position(symbol, q, implied_vol=vol),)), MARKET).positions[0]
    assert found.vega == pytest.approx(value(vol + 0.005, today) - value(vol - 0.005, today), rel=1e-4)
    assert found.theta == pytest.approx(value(vol, tomorrow) - value(vol, today), rel=0.01)
    assert found.vega < 0 < found.theta
    assert abs(found.vega) > 2 * abs(found.theta)
    assert found.vega == pytest.approx(
        compare(Portfolio((Position(symbol, q, implied_vol=vol),)), MARKET).underlyings[0].vega
    )


def test_isolated_and_safeguarded_health_are_each_equity_over_its_own_maintenance():
    book = Portfolio(
        (Position("BTC/USDT:USDT", 1, 58_000), Position("ETH/USDT:USDT", -15, 3_100)), (Collateral("USD", 12_000),)
    )
    c = compare(book, MARKET, settings=Settings(maintenance=0.4))
    equity = 12_000 + 2_000 + 15 * 100
    assert c.account.health_isolated == pytest.approx(equity / (0.4 * c.isolated))
    assert c.account.health_safeguarded == pytest.approx(equity / (0.4 * c.safeguarded))
    assert c.account.health == pytest.approx(equity / (0.4 * c.portfolio))
    assert c.account.health_isolated < 0.9 * c.account.health_safeguarded < 0.81 * c.account.health


def test_okx_s_account_value_is_at_market_and_with_profit_its_collateral_value_after_discounts_and_without():
    coins = (Collateral("ETH", 200.0), Collateral("USDT", 5_000.0))
    book = Portfolio((Position("BTC/USDT:USDT", -1.0, 62_000.0),), coins)
    when = pd.Timestamp("2024-12-31")
    marks = Marks({"BTC": 60_000.0, "ETH": 3_000.0, "USDC": 1.0, "USDT": 1.0}, when)
    okx = venues.rulebook("okx")
    found = okx.requirement(book, marks, "portfolio")
    assert found.account_value == pytest.approx(200 * 3_000 + 5_000 + 2_000)
    assert found.collateral_value == pytest.approx(sum(line.counted_initial for line in found.collateral))
    assert found.collateral_value < found.account_value - 2_000
    assert found.equity == pytest.approx(found.collateral_value + 2_000)
