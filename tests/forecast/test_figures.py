"""Worked forecasts as listed beside this file (tests/figures.py)."""

import numpy as np

from margin import Collateral, Portfolio, Position, Settings
from margin.forecast import forecast, same_safety, scores
from tests.figures import held
from tests.hedge.worlds import market

MARKET = market(n=400)
BOOK = Portfolio(
    (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -12.0), Position("SOL/USDT:USDT", 100.0)),
    (Collateral("USDC", 12_000.0),),
)
CALL = Portfolio(
    (Position("BTC/USDT:USDT", 0.5), Position("BTC/USD:BTC-251226-70000-C", -1.0)), (Collateral("USDC", 20_000.0),)
)
EXPIRING = Portfolio(
    (
        Position("BTC/USDT:USDT", 0.5), Position("BTC/USD:BTC-250704-62000-C", -1.0, 800.0), Position("ETH/USDT:USDT-250703", 5.0, 2_900.0),
        Position("BTC/USD:BTC-250702-58000-P", 1.0),
    ),
    (Collateral("USDC", 20_000.0),),
)  # fmt: skip
RNG = np.random.default_rng(8)
SAID = RNG.uniform(0.01, 0.9, 80)
CAME = RNG.uniform(size=80) < SAID
GROUPS = np.repeat(np.arange(16), 5)


def of(book=BOOK, **options):
    return forecast(book, MARKET, Settings(implied_vol={"BTC": 0.6}), paths=400, horizons=(1, 3, 7), **options)


CASES = {
    "portfolio": of,
    "venue": lambda: of(model="bybit:cross", target="call", calibration=None),
    "closes": lambda: of(watched="closes", capital=9_000.0, carry=5.0),
    "options": lambda: of(CALL),
    "expiring": lambda: of(EXPIRING), "expiring at a venue": lambda: of(EXPIRING, model="deribit:portfolio"),

    "drivers": lambda: of().first.drivers(), "sensitivities": lambda: of(CALL).first.sensitivities(),
    "money": lambda: of().first.money_curve(3.0), "sizes": lambda: of().first.size_curve(3.0),
    "own check": lambda: of().first.check(3.0),
    "safety": lambda: same_safety(BOOK, MARKET, rules=["portfolio", "netted", "okx:cross"]),
    "murphy": lambda: scores.murphy(SAID, CAME), "corp": lambda: scores.corp(SAID, CAME), "auc": lambda: scores.auc(SAID, CAME),
    "log": lambda: scores.log_terms(SAID, CAME), "brier": lambda: scores.brier_terms(SAID, CAME),
    "reliability": lambda: scores.reliability(SAID, CAME), "skill": lambda: scores.skill(SAID, CAME, GROUPS),
    "like": lambda: scores.like_cases(SAID, CAME, 0.3), "error": lambda: scores.calibration_error(SAID, CAME, 5),
}  # fmt: skip


def test_figures_are_as_listed():
    held(__file__, CASES)
