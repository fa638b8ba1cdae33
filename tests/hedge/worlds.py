"""Markets and accounts for the hedge tests."""

import numpy as np
import pandas as pd

from margin import models
from margin.core.account import Account, SubAccount
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.hedge.costs import Costs
from margin.hedge.menu import menu_of
from margin.hedge.planner import LadderPlanner
from margin.models.marks import Marks

PRICES = {"BTC": 60_000.0, "ETH": 3_000.0, "SOL": 150.0, "ADA": 0.6, "DOGE": 0.2}
MONEY = (Collateral("USDC", 25_000.0),)


def market(n=620, seed=5, volumes=False):
    """Common and own fat-tailed shocks; BTC moves least, the others more."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, size=n) * 0.016
    beta = np.array([1.0, 1.2, 1.5, 1.6, 1.7])
    own = rng.standard_t(4, size=(n, 5)) * np.array([0.006, 0.01, 0.02, 0.018, 0.022])
    returns = np.maximum(common[:, None] * beta + own, -0.6)
    paths = np.cumprod(1 + returns, axis=0)
    closes = paths / paths[-1] * np.array(list(PRICES.values()))
    index = pd.date_range(end="2025-06-30", periods=n)
    frame = pd.DataFrame(closes, index=index, columns=list(PRICES))
    traded = pd.DataFrame(np.full((n, 5), [2e9, 1e9, 3e8, 1e8, 1e8]), index=index, columns=list(PRICES))
    return Market(frame, traded if volumes else None)


def correlated(rho, n=500, seed=2):
    """Two assets whose daily returns have exactly unit-free equal volatilities and correlation `rho`."""
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((n, 2))
    draws -= draws.mean(axis=0)
    draws = draws @ np.linalg.inv(np.linalg.cholesky(draws.T @ draws / n)).T
    returns = 0.01 * draws @ np.linalg.cholesky(np.array([[1.0, rho], [rho, 1.0]])).T
    closes = np.cumprod(np.vstack([np.ones(2), 1 + returns]), axis=0) * 100.0
    return Market(pd.DataFrame(closes, index=pd.date_range("2020-01-01", periods=n + 1), columns=["AAA", "BBB"]))


def book(seed=0, most=5):
    """A random book of linear positions of 5,000 to 50,000 dollars each."""
    rng = np.random.default_rng(seed)
    names = rng.choice(list(PRICES), size=rng.integers(2, most + 1), replace=False)
    sides = np.where(rng.random(len(names)) < 0.7, 1.0, -1.0)
    sizes = np.exp(rng.uniform(np.log(5e3), np.log(5e4), len(names)))
    return tuple(
        Position(f"{a}/USDT:USDT", float(s * q / PRICES[a])) for a, s, q in zip(names, sides, sizes, strict=True)
    )


def account(positions, money=MONEY, **more):
    return Account(positions=positions, collateral=money, **more)


def stand(positions, prices, key="portfolio", money=MONEY, settings=None, **more):
    """(sub, model, marks) of a book in one pool."""
    held = account(positions, money, **more)
    marks = Marks.of_market(prices, Portfolio(accounts=(held,)))
    model = models.get(key, market=prices, settings=None if ":" in key else settings or Settings())
    return held.sub_accounts(model, marks)[0], model, marks


def planner(positions, prices, key="portfolio", costs=None, hedges=("BTC", "ETH"), settings=None):
    sub, model, marks = stand(positions, prices, key, settings=settings)
    extra = {a: prices.price(a) for a in hedges}
    marks = Marks({**marks.prices, **extra}, marks.as_of, marks.vols, marks.notes, marks.contracts)
    menu = menu_of(sub, marks, prices, costs or Costs(), hedges)
    return LadderPlanner(sub, model, marks, menu)


def of(sub: SubAccount) -> Portfolio:
    """The sub-account as a portfolio, for `compare`."""
    return Portfolio([p for p in sub.positions if p.quantity], sub.collateral)
