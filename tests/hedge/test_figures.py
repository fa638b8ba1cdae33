"""Worked hedges as listed beside this file (tests/figures.py)."""

from margin import models
from margin.core.account import SubAccount
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.hedge import Costs, hedge
from margin.hedge.collateral import collateral_moves
from margin.hedge.policy import policy_backtest
from margin.hedge.rule import Rule
from margin.hedge.tickets import tickets
from margin.models.marks import Marks
from tests.figures import held
from tests.hedge import worlds

MARKET = worlds.market(n=420)
BOOK = worlds.book(3, 4)
SUB = SubAccount(name="", positions=BOOK, collateral=worlds.MONEY)
MARKS = Marks.of_market(MARKET, Portfolio(BOOK, worlds.MONEY))
COSTS = Costs(funding_bp_day={"BTC": 1.0, "ETH": -0.5}, half_spread_bp={"SOL": 3.0})


def model(key):
    return models.get(key, market=MARKET, settings=Settings(lookback=250))


def study(key="portfolio", **options):
    return hedge(SUB, model(key), MARKET, MARKS, costs=COSTS, out_of_sample=False, **options)


def ordered():
    return tickets(study(target=5_000.0).best.trades, MARKS, "okx", 20.0)


CASES = {
    "portfolio": study,
    "netted": lambda: study("netted", target=5_000.0, orders=2),
    "venue": lambda: study("bybit:cross", orders=None, lots={p.symbol: 0.01 for p in BOOK}),
    "budget": lambda: study(budget=25.0, days=3.0),
    "maintenance": lambda: study("hyperliquid:cross", figure="maintenance"),
    "rules": lambda: policy_backtest(
        SUB, model("portfolio"), MARKET, MARKS, [Rule(kind="nothing"), Rule(kind="cut"), Rule(kind="mix", unwind=6.0, cooldown=2)],
        days=10, start_sigmas=3.0, costs=COSTS, funding=0.0002,
    ),
    "collateral": lambda: collateral_moves(Portfolio(BOOK, worlds.MONEY), MARKET, MARKS, Settings(lookback=250), "netted"),
    "tickets": ordered,
}  # fmt: skip


def test_figures_are_as_listed():
    held(__file__, CASES)
