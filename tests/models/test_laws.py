"""What must hold for every registered margin model, ours and each venue's in each mode.

A model that refuses a book, or a price at which it can't be read, is left out of that book with the reason printed.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market, models
from margin.core.account import Account, SubAccount
from margin.core.portfolio import Collateral, Position
from margin.models.marks import Marks
from tests.ladder.books import market_frame

MARKET = Market(market_frame(), market_frame() * 0 + 1e9)
MARKS = Marks({"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "USDC": 1.0, "USDT": 1.0}, pd.Timestamp("2024-12-31"))
FIGURES = ("equity", "equity_initial", "initial", "maintenance")


def pool(*positions, **held):
    return SubAccount(name="x", positions=positions, collateral=tuple(Collateral(a, q) for a, q in held.items()))


BOOKS = {
    "long": pool(Position("BTC/USDT:USDT", 2.0, 55_000.0, 10.0), USDC=30_000.0),
    "short": pool(Position("ETH/USDT:USDT", -40.0, 3_100.0, 5.0), USDT=60_000.0),
    "pair": pool(
        Position("ETH/USDT:USDT", 40.0, 2_900.0, 5.0), Position("BTC/USDT:USDT", -2.0, 61_000.0, 10.0), USDT=50_000.0
    ),
    "without entries": pool(Position("BTC/USDT:USDT", -1.0, None, 10.0), USDC=20_000.0),
    "coins": pool(Position("BTC/USDT:USDT", -1.0, 58_000.0, 10.0), BTC=0.7, USDC=5_000.0),
    "printed tier": pool(
        Position("BTC/USDT:USDT", -2.0, 62_000.0, 10.0, maintenance_rate=0.0065, max_leverage=75.0), USDT=40_000.0
    ),
    "inverse": pool(Position("BTC/USD:BTC", 100_000.0, 50_000.0, 10.0), BTC=1.0),
}
FIXED = {"hyperliquid:portfolio": 20.0 / 0.95}  # USD that an account is asked once, whatever it holds
CASES = [(key, name) for key in models.keys() for name in BOOKS]  # noqa: SIM118


def made(key, sub, market=MARKET):
    """The model, or a skip that says why it does not answer for this book."""
    model = models.get(key, market=market)
    refused = model.refuses(sub)
    if refused:
        pytest.skip(f"{key}: {refused[0].symbol}: {refused[0].reason}")
    return model


def figures(state):
    return [getattr(state, name) for name in FIGURES]


@pytest.mark.parametrize("key", models.keys())
def test_figures_are_those_of_state(key):
    """Without the reckoning, which a search leaves out; and coin by coin where the model says that it adds them up."""
    model = models.get(key, market=MARKET)
    for sub in (sub for sub in BOOKS.values() if not model.refuses(sub)):
        state = model.state(sub, MARKS)
        np.testing.assert_allclose(figures(model.figures(sub, MARKS)), figures(state), rtol=1e-12)
        alone = [replace(sub, positions=(p,), collateral=()) for p in sub.positions] if model.adds_up(sub) else []
        for what in ("initial", "maintenance") if alone else ():
            total = sum(getattr(model.state(one, MARKS), what) for one in alone)
            np.testing.assert_allclose(total, getattr(state, what), rtol=1e-12)


@pytest.mark.parametrize(("key", "name"), CASES)
def test_states_are_state_row_by_row(key, name):
    sub = BOOKS[name]
    model = made(key, sub)
    rng = np.random.default_rng(3)
    factors = np.vstack([np.ones(len(sub.assets)), np.exp(rng.normal(0, 0.2, (25, len(sub.assets))))])
    found = model.states(sub, MARKS, factors)
    pinned = models.base.pinned(sub, MARKS)
    for i, row in enumerate(factors):
        want = figures(model.state(pinned, MARKS.moved(dict(zip(sub.assets, row.tolist(), strict=True)))))
        np.testing.assert_allclose([getattr(found, f)[i] for f in FIGURES], want, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(("key", "name"), CASES)
def test_doubling_the_account_doubles_equity_and_no_less_than_doubles_margin(key, name):
    sub = BOOKS[name]
    model = made(key, sub)
    twice = replace(
        sub,
        positions=tuple(replace(p, quantity=2 * p.quantity) for p in sub.positions),
        collateral=tuple(Collateral(c.asset, 2 * c.quantity) for c in sub.collateral),
    )
    one, two = model.state(sub, MARKS), model.state(twice, MARKS)
    fixed = FIXED.get(key, 0.0)
    assert two.maintenance - fixed >= 2 * (one.maintenance - fixed) * (1 - 1e-9)
    assert two.initial >= 2 * one.initial * (1 - 1e-9)
    assert two.equity <= 2 * one.equity + 1e-9 * abs(one.equity)  # haircuts may grow with size


@pytest.mark.parametrize(("key", "name"), CASES)
def test_order_changes_nothing(key, name):
    sub = BOOKS[name]
    model = made(key, sub)
    turned = replace(sub, positions=sub.positions[::-1], collateral=sub.collateral[::-1])
    np.testing.assert_allclose(figures(model.state(turned, MARKS)), figures(model.state(sub, MARKS)), rtol=1e-12)


@pytest.mark.parametrize(("key", "name"), CASES)
def test_the_liquidation_price_is_the_root_and_the_near_side_is_safe(key, name):
    sub = BOOKS[name]
    model = made(key, sub)
    if model.state(sub, MARKS).liquidated:
        pytest.skip(f"{key}: {name} is liquidated as it stands")
    grid = np.exp(np.concatenate([np.linspace(0, -4, 400), np.linspace(0, 4, 400)]))
    column = sub.assets.index(sub.positions[0].underlying)

    def gap(factors):
        rows = np.ones((len(factors), len(sub.assets)))
        rows[:, column] = factors
        return model.states(sub, MARKS, rows).gap

    gaps = gap(grid)
    for side in (slice(0, 400), slice(400, 800)):
        below = np.flatnonzero(gaps[side] < 0)
        if not len(below) or below[0] == 0:
            continue
        safe, broken = grid[side][below[0] - 1], grid[side][below[0]]
        for _ in range(80):
            middle = 0.5 * (safe + broken)
            safe, broken = (middle, broken) if gap(np.array([middle]))[0] >= 0 else (safe, middle)
        asset = sub.positions[0].underlying
        at = model.state(models.base.pinned(sub, MARKS), MARKS.moved({asset: safe}))
        assert at.gap >= -1e-9 * abs(at.equity)
        # A jump of a tier may leave the near side above 0; the far side is below it.
        assert gap(np.array([broken]))[0] <= 1e-9 * abs(at.equity)


@pytest.mark.parametrize("key", models.keys())
def test_long_and_short_mirror_where_nothing_else_is_held(key):
    """The same size long and short ask the same initial margin of a venue; scenarios have two tails, so not of ours."""
    long, short = (pool(Position("BTC/USDT:USDT", q, 60_000.0, 10.0), USDC=40_000.0) for q in (1.0, -1.0))
    model = made(key, long)
    if ":" not in key:
        model = models.get(key, market=MARKET, settings={"estimator": "gaussian", "safeguards": OFF})
    one, other = model.state(long, MARKS), model.state(short, MARKS)
    assert other.equity == pytest.approx(one.equity)
    if ":" not in key:
        assert other.maintenance == pytest.approx(one.maintenance)


OFF = {
    "offset_cap": False, "stressed": False, "correlation_break": False, "liquidity": False, "procyclicality": "off",
}  # fmt: skip


@pytest.mark.parametrize("key", [k for k in models.keys() if ":" not in k])  # noqa: SIM118
def test_prices_after_as_of_change_nothing(key):
    frame = market_frame()
    later = frame.copy()
    later.loc[later.index > "2024-10-01"] *= 3.0
    marks = replace(MARKS, as_of=pd.Timestamp("2024-10-01"))
    one, other = (models.get(key, market=Market(f)).state(BOOKS["coins"], marks) for f in (frame, later))
    assert figures(one) == figures(other)


def test_isolated_is_no_less_than_netted_no_less_than_portfolio():
    sub = BOOKS["pair"]
    asked = [models.get(key, market=MARKET).state(sub, MARKS).initial for key in ("isolated", "netted", "portfolio")]
    assert asked == sorted(asked, reverse=True) and asked[-1] > 0


def test_maintenance_is_the_share_of_the_settings():
    state = models.get("portfolio", market=MARKET, settings={"maintenance": 0.8}).state(BOOKS["pair"], MARKS)
    assert state.maintenance == pytest.approx(0.8 * state.initial)
    assert state.health == pytest.approx(state.equity / state.maintenance)


def test_the_model_is_the_ladder():
    """`state` at the market's own closes is what `compare` says of the same account."""
    from margin import Portfolio, compare

    closes = Marks({asset: MARKET.price(asset) for asset in ("BTC", "ETH")} | {"USDC": 1.0}, MARKS.as_of)
    sub = BOOKS["coins"]
    c = compare(Portfolio(sub.positions, sub.collateral), MARKET)
    for key in ("portfolio", "safeguarded"):
        state = models.get(key, market=MARKET).state(sub, closes)
        assert state.equity == pytest.approx(c.account.equity)
        added = c.safeguarded - c.portfolio if key == "safeguarded" else 0.0
        assert state.initial == pytest.approx(c.account.requirement + added)
    isolated = models.get("isolated", market=MARKET).state(sub, closes)
    assert isolated.initial == pytest.approx(c.isolated)


def test_the_registry_names_what_it_does_not_know():
    with pytest.raises(InputError, match="portfolio"):
        models.get("portfolo", market=MARKET)
    with pytest.raises(InputError, match="needs prices"):
        models.get("portfolio")
    assert models.for_account(Account(), market=MARKET).key == "portfolio"
    with pytest.raises(InputError, match="no margin model"):
        models.for_account(Account(venue="nowhere"), market=MARKET)
