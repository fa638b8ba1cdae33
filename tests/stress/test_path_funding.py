"""Funding along a stress path: by hand from a record, a rate, and what is said where the record does not reach."""

import numpy as np
import pandas as pd
import pytest

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Collateral, Portfolio, Position
from margin.models.funding import Funding
from margin.stress.held import stress_book
from margin.stress.paths import recorded_path, replay, simulated_path

DATES = pd.date_range("2025-01-01", periods=200)
CLOSES = pd.DataFrame({"BTC": 50_000.0 + 50.0 * np.arange(200), "ETH": 3_000.0}, DATES)
MARKET = Market(CLOSES, CLOSES * 0 + 1e9)
HELD = Portfolio(
    (Position("BTC/USDT:USDT", 2.0), Position("ETH/USDT:USDT-251226", -5.0), Position("ETH/USDT:USDT", 0.0)),
    (Collateral("USDC", 60_000.0),),
)
BOOK = stress_book(HELD, MARKET, None, "portfolio")
TODAY = float(CLOSES["BTC"].iloc[-1])


def record(first, last, rate):
    times = pd.date_range(first, last, freq="8h")
    return pd.Series(rate, times)


def test_a_record_is_paid_on_each_close_s_notional():
    path = recorded_path(BOOK, "2025-03-01", 3)
    paid = replay(BOOK, path, Funding({"BTC": record("2025-02-01", "2025-04-01", 1e-4)}))
    plain = replay(BOOK, path)
    factors = path.closes[:, BOOK.assets.index("BTC")]
    owed = np.concatenate(([0.0], np.cumsum(2.0 * TODAY * factors[:-1] * 3e-4)))  # three payments a day
    np.testing.assert_allclose(plain.equity - paid.equity, owed, rtol=1e-9)
    assert paid.funding == pytest.approx(owed[-1])
    assert plain.funding == 0 and plain.notes == ()
    assert f"paid ${owed[-1]:,.2f}" in paid.notes[0]
    assert "does not reach" not in " ".join(paid.notes)


def test_where_the_record_does_not_reach_it_is_said_and_nothing_is_paid_there():
    path = recorded_path(BOOK, "2025-03-01", 10)
    half = replay(BOOK, path, Funding({"BTC": record("2025-03-06", "2025-04-01", 1e-4)}))
    assert "does not reach over all of the path for BTC/USDT:USDT" in " ".join(half.notes)
    whole = replay(BOOK, path, Funding({"BTC": record("2025-02-01", "2025-04-01", 1e-4)}))
    assert 0 < half.funding < whole.funding


def test_a_rate_is_paid_on_any_path_and_a_short_receives_it():
    path = simulated_path(BOOK, 5, -0.1)
    found = replay(BOOK, path, Funding(3e-4))
    factors = path.closes[:-1, BOOK.assets.index("BTC")]
    assert found.funding == pytest.approx(2.0 * TODAY * 3e-4 * factors.sum())
    short = Portfolio((Position("BTC/USDT:USDT", -1.0),), (Collateral("USDC", 60_000.0),))
    book = stress_book(short, MARKET, None, "portfolio")
    assert replay(book, recorded_path(book, "2025-03-01", 5), Funding(3e-4)).funding < 0
    with pytest.raises(InputError, match="simulated"):
        replay(BOOK, path, Funding({"BTC": record("2025-02-01", "2025-04-01", 1e-4)}))


def test_funding_may_be_what_closes_the_account():
    thin = Portfolio((Position("BTC/USDC:USDC", 2.0, leverage=10.0),), (Collateral("USDC", 9_000.0),))
    book = stress_book(thin, MARKET, None, "hyperliquid:cross")
    path = recorded_path(book, "2025-03-01", 30)
    assert replay(book, path).first is None
    assert replay(book, path, Funding({"BTC": record("2025-02-01", "2025-05-01", 3e-3)})).first is not None
