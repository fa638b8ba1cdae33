"""Windows of recorded days hour by hour, and a wallet read from a portfolio with two models' rates."""

import numpy as np
import pytest

from margin import Collateral, InputError, Market, Portfolio, Position, models
from margin.models.marks import Marks
from margin.protocols.paths import recorded_paths
from margin.protocols.terms import read_wallet


@pytest.fixture(scope="module")
def market(closes):
    return Market(closes)


def test_paths_end_where_recorded_windows_ended(market):
    paths = recorded_paths(market, ["ETH", "BTC"], days=3, paths=500)
    assert paths.shape == (500, 72, 2)
    daily = market.returns(["ETH", "BTC"], None, 1, None).values
    sums = np.cumsum(np.vstack([np.zeros(2), np.log1p(daily)]), axis=0)
    windows = np.expm1(sums[3:] - sums[:-3])
    for end in paths[:, -1]:
        assert np.abs(windows - end).max(axis=1).min() < 1e-9  # both coins of one and the same window
    days = recorded_paths(market, ["ETH"], days=3, paths=500)[:, 23::24, 0]
    assert np.isfinite(days).all()


def test_between_closes_paths_wander_as_much_as_they_should(market):
    """Variance half way through a day: half of the day's, so about that of the recorded days."""
    paths = np.log1p(recorded_paths(market, ["ETH"], days=1, paths=20_000)[:, :, 0])
    whole = paths[:, -1].var()
    assert paths[:, 11].var() == pytest.approx(whole / 2, rel=0.06)


def test_the_same_seed_gives_the_same_paths_and_dollars_stand_still(market):
    a, b = (recorded_paths(market, ["ETH", "USD"], 2, paths=50, seed=3) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not a[:, :, 1].any()
    assert (recorded_paths(market, ["ETH"], 2, paths=50, seed=4) != a[:, :, :1]).any()


def test_no_look_ahead(closes):
    cut = closes.index[800]
    early = recorded_paths(Market(closes.loc[:cut]), ["ETH"], 5, paths=100)
    np.testing.assert_array_equal(recorded_paths(Market(closes), ["ETH"], 5, as_of=str(cut)[:10], paths=100), early)


@pytest.mark.parametrize("days", [0, 61])
def test_a_horizon_out_of_range_is_named(market, days):
    with pytest.raises(InputError, match="days"):
        recorded_paths(market, ["ETH"], days)


def test_a_short_history_is_named(closes):
    with pytest.raises(InputError, match="too few"):
        recorded_paths(Market(closes.iloc[:30]), ["ETH"], 7)


MARKS = Marks({"ETH": 3000.0, "BTC": 60_000.0, "SOL": 150.0}, __import__("pandas").Timestamp("2026-01-01"))


def read(portfolio, **more):
    return read_wallet(portfolio, MARKS, models.get("aave:cross"), models.get("hyperliquid:cross"), **more)


def test_rates_are_those_the_two_rulebooks_answer():
    """Aave's test configuration lends 82.5% on ETH and counts 86%; Hyperliquid keeps 1 / (2 x 25) of ETH, opens at 10x."""
    told = read(Portfolio((Position("ETH/USDC:USDC", -10),), (Collateral("ETH", 15.0), Collateral("USD", -9000.0))))
    coin, position = told.wallet.collateral[0], told.wallet.perps[0]
    assert (coin.value, coin.ltv, coin.threshold) == pytest.approx((45_000, 0.825, 0.86))
    assert (position.notional, position.maintenance, position.initial) == pytest.approx((-30_000, 0.02, 0.1))
    assert told.wallet.debt == 9000 and not told.notes


def test_tiers_are_read_at_the_positions_size():
    small, large = (
        read(Portfolio((Position("SOL/USDC:USDC", size / 150),), (Collateral("ETH", 1.0),))).wallet.perps[0]
        for size in (1e6, 2e8)
    )
    assert small.maintenance == pytest.approx(0.025)
    assert large.maintenance == pytest.approx((70e6 * 0.025 + 130e6 * 0.05) / 2e8)


def test_what_is_left_out_is_said_and_a_wallet_without_coin_or_position_refused():
    told = read(
        Portfolio(
            (Position("ETH/USDC:USDC", 1), Position("BTC/USD:BTC-261225-80000-C", 1)),
            (Collateral("ETH", 15.0), Collateral("SOL", 10.0)),
        )
    )
    said = " ".join(told.notes)
    assert "SOL is left out" in said and "80000-C is left out" in said and "assumed" in said
    with pytest.raises(InputError, match="no coin"):
        read(Portfolio((Position("ETH/USDC:USDC", 1),), (Collateral("USD", 10.0),)))
    with pytest.raises(InputError, match="no position"):
        read(Portfolio((), (Collateral("ETH", 10.0),)))
