"""Worked comparisons as listed beside this file (tests/figures.py)."""

import numpy as np

from margin import Collateral, Portfolio, Position, Settings, compare
from margin.core.account import Account
from margin.ladder import freed_capital, payoff
from margin.ladder.equal_risk import equal_risk
from margin.risk.estimators import estimators
from tests.figures import held
from tests.hedge.worlds import market

MARKET = market(n=420, volumes=True)
MIXED = Portfolio(
    (
        Position("BTC/USDT:USDT", 1.0, 55_000.0), Position("ETH/USDT:USDT", -20.0, 3_100.0), Position("SOL/USDT:USDT", 300.0),
        Position("BTC/USDT:USDT-251226", -0.4, 60_000.0), Position("DOGE/USDT:USDT", -50_000.0),
    ),
    (Collateral("USDC", 30_000.0), Collateral("ETH", 2.0)),
)  # fmt: skip
OPTIONS = Portfolio(
    (
        Position("BTC/USD:BTC-251226-70000-C", -1.0, 900.0),
        Position("BTC/USD:BTC-251226-50000-P", 2.0),
        Position("BTC/USDT:USDT", 0.3),
    ),
    (Collateral("USDC", 20_000.0),),
)
HELD = Portfolio(accounts=(Account(name="a", positions=MIXED.positions[:2], collateral=(Collateral("USDC", 2e4),), venue="bybit"),
                           Account(name="b", positions=MIXED.positions[2:3], collateral=(Collateral("USDC", 2e4),), venue="okx")))  # fmt: skip
VOL = {"implied_vol": {"BTC": 0.6}}


def of(book=MIXED, **settings):
    return compare(book, MARKET, settings=Settings(lookback=300, **settings))


CASES = {
    **{f"estimator {e.key}": lambda e=e: of(estimator=e.key) for e in estimators()},
    "value at risk": lambda: of(measure="var", horizon=3, level=0.95),
    "shrunk": lambda: of(estimator="gaussian", correlation="ledoit-wolf"),
    "joint": lambda: of(collateral_treatment="joint"),
    "options": lambda: of(OPTIONS, **VOL),
    "as held": lambda: of(HELD),
    "freed": lambda: freed_capital.freed_capital(of(), daily_turnover=2.0),
    "freed with safeguards": lambda: freed_capital.freed_capital(of(), safeguarded=True),
    "equal risk": lambda: equal_risk(of()).capital(0.02),
    "payoff": lambda: payoff.payoff(of(OPTIONS, **VOL), "BTC", [0.0, 30.0], np.linspace(4e4, 9e4, 11)),
}


def test_figures_are_as_listed():
    held(__file__, CASES)
