"""On recorded prices: cheaper than cutting alike, cheaper still with hedges, by about what the study found."""

import numpy as np
import pandas as pd
import pytest

from margin.core.market import Market
from margin.core.position import Collateral, Position
from margin.hedge.policy import policy_backtest
from margin.hedge.rule import NOTHING
from tests.hedge.worlds import planner, stand
from tests.support import shared_path

COINS = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "DOT", "AVAX", "BCH", "UNI"]


@pytest.fixture(scope="module")
def recorded():
    frame = pd.read_csv(shared_path("market/daily_closes.csv"), index_col=0, parse_dates=True)
    names = [c for c in COINS if c in frame]
    return Market(frame.loc["2021-06-01":"2024-06-30", names])


def test_own_trades_beat_cutting_alike_and_hedges_beat_own_trades(recorded):
    rng = np.random.default_rng(11)
    last = {
        a: recorded.price(a, recorded.dates[-1])
        for a in recorded.assets
        if not np.isnan(recorded.closes[-1, recorded.assets.index(a)])
    }
    ratios, with_hedges = [], []
    for _ in range(25):
        names = rng.choice(sorted(last), size=rng.integers(2, 7), replace=False)
        side = np.where(rng.random(len(names)) < 0.75, 1.0, -1.0)
        positions = tuple(
            Position(f"{a}/USDC:USDC", float(s * rng.uniform(5e3, 5e4) / last[a]))
            for a, s in zip(names, side, strict=True)
        )
        p = planner(positions, recorded)
        now = p.figure(np.zeros(len(p.menu.choices)))
        cuts = np.array([not c.is_hedge for c in p.menu.choices])
        alike = p.cost(np.where(cuts, 0.3 * np.array([c.most for c in p.menu.choices]), 0.0))
        own, both = p.programme.least_cost(0.7 * now, None, cuts), p.programme.least_cost(0.7 * now)
        assert both.cost <= own.cost * (1 + 1e-9) <= alike * (1 + 1e-8)
        ratios.append(own.cost / alike)
        with_hedges.append(both.cost / own.cost)
    assert 0.7 < np.mean(ratios) < 0.95  # the study: 1.74 / 2.14 = 0.81
    assert 0.85 < np.mean(with_hedges) <= 1.0  # the study: 1.66 / 1.74 = 0.95


def test_recorded_funding_is_charged_on_its_own_days(recorded):
    rates = pd.read_parquet(shared_path("market/funding_rates.parquet"))
    rates = rates[rates["exchange"] == rates["exchange"].iloc[0]]
    daily = rates.assign(day=rates["ts"].dt.normalize()).pivot_table(
        index="day", columns="asset", values="rate", aggfunc="sum"
    )
    closes = pd.read_csv(shared_path("market/daily_closes.csv"), index_col=0, parse_dates=True)
    known = [a for a in ("BTC", "ETH", "SOL", "XRP", "BNB") if a in daily and a in closes][:3]
    prices = Market(closes.loc["2023-06-01":"2025-10-31", known])
    held = tuple(Position(f"{a}/USDC:USDC", 20_000.0 / prices.price(a)) for a in known)
    sub, model, marks = stand(held, prices, "hyperliquid:cross", money=(Collateral("USDC", 9_000.0),))
    free = policy_backtest(sub, model, prices, marks, (NOTHING,))
    paid = policy_backtest(sub, model, prices, marks, (NOTHING,), funding=daily)
    assert set(paid.funded) == set(known) and "Funding charged" in " ".join(paid.notes)
    lost = free.outcomes[0].final - paid.outcomes[0].final
    before = (
        np.arange(len(lost)) < np.searchsorted(prices.returns(known).dates, daily.index[0].to_datetime64()) - 60 - 14
    )
    assert before.any() and np.abs(lost[before]).max() == 0.0  # no rate is known then
    alive = ~paid.outcomes[0].gone & ~free.outcomes[0].gone
    start = np.flatnonzero(alive & ~before)[-1]
    days = prices.returns(known).dates[60 + start : 60 + start + 14]
    returns = prices.returns(known).values[60 + start : 60 + start + 14]
    values, expected = np.full(3, 20_000.0), 0.0
    for day, r in zip(days, returns, strict=True):
        rate = daily.reindex([pd.Timestamp(day)])[known].fillna(0.0).to_numpy()[0]
        expected += float(values @ rate)
        values = values * (1 + r)
    assert lost[start] == pytest.approx(expected, rel=1e-6, abs=1e-6)
