"""Payoffs against closed forms: intrinsic values at expiry, Black-76 before it, parity, entries and coins."""

import numpy as np
import pandas as pd
import pytest

from margin.core.errors import InputError
from margin.core.options import black76, years_to_expiry
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.ladder.compare import compare
from margin.ladder.payoff import last_expiry_days, payoff, underlyings

DAYS = pd.date_range("2024-01-01", periods=200, freq="D")
RETURNS = np.random.default_rng(3).normal(0.0, 0.02, (200, 2))
PRICES = pd.DataFrame(100.0 * np.exp(np.cumsum(RETURNS, axis=0)), DAYS, ["BTC", "ETH"])
EXPIRY = f"{DAYS[-1] + pd.Timedelta(days=60):%y%m%d}"
CALL, PUT = f"BTC/USD:BTC-{EXPIRY}-100-C", f"BTC/USD:BTC-{EXPIRY}-100-P"
GRID = np.array([50.0, 90.0, 100.0, 110.0, 180.0])


def of(*positions, collateral=()):
    return compare(Portfolio(positions, (Collateral("USDC", 1e5), *collateral)), PRICES)


def test_a_call_at_expiry_is_its_intrinsic_value_less_the_premium():
    result = of(Position(CALL, 2.0, 5.0))
    days = last_expiry_days(result, "BTC")
    assert days == pytest.approx(60 - 1 + 8 / 24)
    found = payoff(result, "BTC", [days], GRID)
    assert found.profit[0] == pytest.approx(2.0 * (np.maximum(GRID - 100.0, 0.0) - 5.0))
    assert payoff(result, "BTC", [days]).break_even == pytest.approx((105.0,), rel=1e-3)


def test_before_expiry_it_is_black_76_with_what_time_is_left():
    result = of(Position(CALL, 1.0, 5.0, implied_vol=0.7))
    found = payoff(result, "BTC", [0.0, 30.0], GRID)
    instrument = result.book.exposures[0].instrument
    years = years_to_expiry(instrument, result.as_of)
    for row, left in zip(found.profit, (years, years - 30 / 365), strict=True):
        assert row == pytest.approx(black76(GRID, 100.0, left, 0.7, "C") - 5.0)


def test_parity_call_less_put_is_a_forward_on_every_day():
    result = of(Position(CALL, 1.0, 0.0), Position(PUT, -1.0, 0.0))
    profit = payoff(result, "BTC", [0.0, 20.0, 60.0], GRID).profit
    assert len(profit) == 3
    for row in profit:
        assert row == pytest.approx(GRID - 100.0)


def test_a_covered_call_counts_the_coin():
    result = of(Position(CALL, -1.0, 5.0), collateral=(Collateral("BTC", 1.0),))
    spot = float(PRICES["BTC"].iloc[-1])
    found = payoff(result, "BTC", [60.0], GRID)
    assert found.profit[0] == pytest.approx(GRID - spot - np.maximum(GRID - 100.0, 0.0) + 5.0)
    assert max(found.profit[0]) == pytest.approx(100.0 - spot + 5.0)


def test_linear_and_coin_settled_positions_since_entry_or_as_of():
    spot = float(PRICES["BTC"].iloc[-1])
    result = of(
        Position("BTC/USDT:USDT", -2.0, 90.0), Position("BTC/USD:BTC", 300.0, 120.0), Position("BTC/USD:BTC", 10.0)
    )
    expected = -2.0 * (GRID - 90.0) + 300.0 * (GRID / 120.0 - 1.0) + 10.0 * (GRID / spot - 1.0)
    assert payoff(result, "BTC", [0.0], GRID).profit[0] == pytest.approx(expected)


def test_today_at_todays_price_is_the_open_profit():
    result = of(Position(CALL, 3.0, 4.0), Position("BTC/USDT:USDT", -1.0, 95.0))
    spot = result.book.exposures[0].spot
    found = payoff(result, "BTC", [0.0], np.array([spot]))
    wanted = 3.0 * (result.book.exposures[0].price - 4.0) - (spot - 95.0)
    assert found.profit[0, 0] == pytest.approx(wanted)


def test_each_underlying_stands_alone_and_options_come_first():
    result = of(Position("ETH/USDT:USDT", 1.0), Position(CALL, 1.0))
    assert underlyings(result) == ("BTC", "ETH")
    assert last_expiry_days(result, "ETH") == 0.0
    assert payoff(result, "ETH", [0.0]).prices.min() > 0
    with pytest.raises(InputError, match="is not in the book"):
        payoff(result, "SOL", [0.0])
    with pytest.raises(InputError, match="days"):
        payoff(result, "BTC", [-1.0])
