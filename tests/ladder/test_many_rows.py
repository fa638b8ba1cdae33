"""`states` of every method, estimator and kind of book equals `state` row by row, with volatilities and time moved."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin import Collateral, Market, Portfolio, Position, Settings
from margin.core.account import SubAccount
from margin.ladder.margin_models import get
from margin.models.base import pinned
from margin.models.marks import Marks
from tests.ladder.books import ESTIMATORS, market_frame

FRAME = market_frame()
VOLUMES = pd.DataFrame(5e7, index=FRAME.index, columns=FRAME.columns)
MARKET = Market(FRAME, VOLUMES)
LINEAR = (
    Position("BTC/USDT:USDT", 1.2, 58_000),
    Position("BTC/USDC:USDC", -0.9),
    Position("ETH/USDT:USDT", -14, 3_100),
    Position("BTC/USD:BTC", 9_000, 50_000),
    Position("BTC/USDT:USDT-250627", -0.2),
)
OPTIONS = (
    Position("BTC/USD:BTC-250627-60000-C", -1.0, 6_000),
    Position("BTC/USD:BTC-250110-55000-P", 2.0, implied_vol=0.7),
    Position("ETH/USD:ETH-250328-3000-P", -5.0),
)
COINS = (Collateral("BTC", 0.3), Collateral("ETH", 4), Collateral("USDC", 9_000))
BOOKS = {"linear": (LINEAR, COINS[2:]), "options": (LINEAR[:3] + OPTIONS, COINS[2:]), "coins": (LINEAR[2:], COINS)}
BOOKS["coins and options"] = (OPTIONS, COINS)


def sub_of(name):
    positions, collateral = BOOKS[name]
    return SubAccount(name=name, positions=positions, collateral=collateral)


@pytest.mark.parametrize("key", ["isolated", "netted", "portfolio", "safeguarded"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", BOOKS)
def test_states_equal_state_at_moved_prices_volatilities_and_times(key, estimator, name):
    sub = sub_of(name)
    model = get(key, MARKET, Settings(estimator=estimator, lookback=300))
    marks = Marks.of_market(MARKET, Portfolio(sub.positions, sub.collateral))
    rng = np.random.default_rng(3)
    factors = rng.uniform(0.6, 1.5, size=(7, len(sub.assets)))
    factors[0] = 1.0
    vols = {"BTC": rng.uniform(0.3, 1.2, 7), "ETH": rng.uniform(0.3, 1.2, 7)}
    later = marks.as_of + pd.Timedelta(days=3)
    for given, as_of in ((None, None), (vols, later)):
        found = model.states(sub, marks, factors, given, as_of)
        fixed = pinned(sub, marks)
        for i, row in enumerate(factors):
            moved = marks.moved(dict(zip(sub.assets, row, strict=True)))
            moved_vols = {**moved.vols, **{a: float(v[i]) for a, v in (given or {}).items()}}
            at = Marks(moved.prices, as_of or moved.as_of, moved_vols, (), moved.contracts)
            # scenarios stay those known at the first marks
            state = get(key, MARKET, model._settings(marks)).state(fixed, at)
            for figure in ("equity", "initial", "maintenance"):
                assert getattr(found, figure)[i] == pytest.approx(getattr(state, figure), rel=1e-9, abs=1e-6), figure


def test_blocks_of_rows_join_without_a_seam(monkeypatch):
    sub = sub_of("options")
    model = get("safeguarded", MARKET, Settings(lookback=300))
    marks = Marks.of_market(MARKET, Portfolio(sub.positions, sub.collateral))
    factors = np.linspace(0.7, 1.3, 23)[:, None] * np.ones(len(sub.assets))
    whole = model.states(sub, marks, factors)
    monkeypatch.setattr("margin.ladder.many.CELLS", 3_000)
    np.testing.assert_array_equal(model.states(sub, marks, factors).initial, whole.initial)


def test_coins_behind_a_book_count_after_their_haircut():
    held = SubAccount(
        name="coins", positions=LINEAR[:1], collateral=(Collateral("BTC", 0.3), Collateral("USDC", 1_000))
    )
    bare = replace(held, collateral=(Collateral("USDC", 1_000),))
    chosen = Settings(lookback=300, haircuts=(("BTC", 0.25), ("USDC", 0.0)))
    model = get("isolated", MARKET, chosen)
    marks = Marks.of_market(MARKET, Portfolio(held.positions, held.collateral))
    more = model.state(held, marks).equity - model.state(bare, marks).equity
    assert more == pytest.approx(0.3 * MARKET.price("BTC") * (1 - 0.25))
