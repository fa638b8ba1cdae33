"""Prices, options, risk measures and what margin models say of moved prices, as listed beside this file (tests/figures.py)."""

import numpy as np
import pandas as pd

from margin import InputError, Market, Settings, models
from margin.core import daily, impact, options, spacing
from margin.core.account import SubAccount
from margin.core.instruments import parse_symbol
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.models.funding import Funding
from margin.models.marks import Marks
from margin.risk import covariance, elliptical, scenarios, tail
from margin.venues import liquidation, rulebook, survey
from tests.figures import held
from tests.hedge.worlds import market
from tests.venues.test_rulebooks import BOOKS, CALL, MARKS, PUT, held_by_someone

MARKET = market(n=300, volumes=True)
DAYS = pd.date_range("2024-01-01", periods=40)
RNG = np.random.default_rng(11)
LOSSES = RNG.standard_t(4, (120, 3))
RETURNS = LOSSES * np.array([0.01, 0.02, 0.03])
FRAME = pd.DataFrame({"A": 100.0 + np.arange(40.0), "B": 50.0 - np.arange(40.0) / 2, "C": 1.0}, DAYS)
HOLES = FRAME.where(RNG.random(FRAME.shape) > 0.2)
SPLIT = FRAME.assign(A=np.where(np.arange(40) < 20, 1.0, 0.1) * FRAME["A"])
SYMBOLS = (
    "BTC",
    "BTC/USD",
    "BTC/USDT:USDT",
    "BTC/USD:BTC",
    CALL,
    PUT,
    "ETH/USDC:USDC-270326",
    "btc/usdt",
    "BTC/",
    "BTC/EUR",
    "x" * 60,
)


KEYS = models.keys()


def said(call, *given, **named):
    try:
        return call(*given, **named)
    except InputError as error:
        return str(error)


def hours(frame):
    return frame.set_axis(pd.date_range("2024-01-01", periods=len(frame), freq="6h"), axis=0)


def moved(name, mode, title):
    """Equity and margins of a book at nine moves of its prices, volatilities up at the last three, three days later."""
    book, model = BOOKS[title], liquidation.model(rulebook(name), mode)
    sub = SubAccount(name="", positions=book.positions, collateral=book.collateral)
    factors = np.random.default_rng(5).uniform(0.7, 1.4, (9, len(sub.assets)))
    vols = {"BTC": np.array([0.5] * 6 + [0.9] * 3)}
    found = said(model.states, sub, MARKS, factors, vols, MARKS.as_of + pd.Timedelta(days=3))
    return found, said(liquidation.prices, rulebook(name), book, MARKS, mode), model.closing


def asked(key):
    model = models.get(key, market=MARKET, settings=Settings(lookback=200))
    held_now = (
        Position("BTC/USDT:USDT", 1.0, 58_000.0),
        Position("ETH/USDT:USDT", -15.0, 3_100.0),
        Position("SOL/USDT:USDT", 90.0),
    )
    sub = SubAccount(name="", positions=held_now, collateral=(Collateral("USDC", 20_000.0),))
    marks = Marks.of_market(MARKET, Portfolio(held_now, sub.collateral))
    return said(model.state, sub, marks), said(model.states, sub, marks, np.linspace(0.6, 1.4, 12).reshape(4, 3))


CASES = {
    **{f"symbol {s[:12]}": lambda s=s: said(parse_symbol, s) for s in SYMBOLS},
    **{f"moved {n} {m} {t}": lambda n=n, m=m, t=t: moved(n, m, t) for n, m, t in held_by_someone()},
    **{f"model {k}": lambda k=k: asked(k) for k in KEYS},
    "survey": lambda: survey.survey(BOOKS["perpetuals"], MARKS),
    "holes": lambda: Market(HOLES).aligned(("A", "B")), "returns": lambda: Market(HOLES).returns(("A", "B"), None, 2, 15),
    "price": lambda: [said(Market(HOLES).price, a, d) for a in "ABC" for d in (None, "2024-01-20", "2023-01-01")],
    "volume": lambda: [MARKET.median_volume(a, None, d) for a in ("BTC", "DOGE") for d in (5, 90)],
    "split": lambda: said(lambda: Market(SPLIT).findings_of(("A", "B"))),
    "daily": lambda: daily.make_daily(hours(HOLES)), "daily volumes": lambda: daily.daily_volumes(hours(FRAME)),
    "odd": lambda: daily.odd_jumps("A", DAYS.to_numpy(), SPLIT["A"].to_numpy()),
    "lives": lambda: daily.life_starts(DAYS.to_numpy(), HOLES.to_numpy()),
    **{f"spacing {f}": lambda f=f: spacing.measure(pd.date_range("2024-01-01", periods=30, freq=f).to_numpy())
       for f in ("D", "h", "15min", "7D", "B", "MS")},
    **{f"coarse {f}": lambda f=f: spacing.too_coarse(pd.date_range("2024-01-01", periods=30, freq=f).to_numpy()) for f in ("D", "2D", "7D")},
    **{f"dense {f}": lambda f=f: spacing.is_dense(pd.date_range("2024-01-01", periods=30, freq=f).to_numpy()) for f in ("D", "B", "7D")},
    "greeks": lambda: [options.greeks(100.0, k, 0.25, 0.6, t) for k in (80.0, 100.0, 130.0) for t in "CP"],
    "vols": lambda: [options.implied_vol(v, 100.0, 110.0, 0.5, "C") for v in (0.0, 1.0, 8.0, 99.0, 120.0)],
    "black": lambda: options.black76(np.array([50.0, 100.0, 200.0]), 100.0, 0.5, 0.7, "P"),
    "shocked": lambda: [options.shocked_vol(0.6, np.array([-0.1, 0.0, 0.2]), 0.03, 0.94, 2, t) for t in (0.01, 30 / 365, 1.0)],
    "years": lambda: [options.years_to_expiry(parse_symbol(CALL), pd.Timestamp(d), 1.5) for d in ("2025-01-01", "2025-03-01")],
    "impact": lambda: [impact.closing_cost(s, 1e8, 0.04, 1.2) for s in (0.0, 1e4, 1e7)],
    "shortfall": lambda: [tail.expected_shortfall(LOSSES, x) for x in (0.9, 0.95, 0.975, 0.99)],
    "value at risk": lambda: [tail.value_at_risk(LOSSES, x) for x in (0.9, 0.95, 0.975, 0.99)],
    "weights": lambda: [tail.tail_weights(LOSSES[:, 0], 0.97, m) for m in ("es", "var")], "mass": lambda: tail.tail_mass(250, 0.99),
    "ewma": lambda: covariance.ewma_covariance(RETURNS, 20.0, 60.0), "shrunk": lambda: covariance.ledoit_wolf(RETURNS),
    "nearest": lambda: covariance.nearest_correlation(np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])),
    "factors": lambda: [elliptical.tail_factor(m, 0.99, d) for m in ("es", "var") for d in (None, 4.0)],
    "worst": lambda: scenarios.worst_window(LOSSES.sum(axis=1), 30, 0.9), "floor": lambda: scenarios.not_below_zero(RETURNS * 60),
    "funding": lambda: [Funding(0.0003).between(Position(s, 1.0), DAYS.to_numpy()) for s in ("BTC/USDT:USDT", "BTC/USD")],
}  # fmt: skip


def test_figures_are_as_listed():
    held(__file__, CASES)
