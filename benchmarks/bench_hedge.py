"""Hedging: at most two trades of 20 candidates under 500 scenarios, beside the same answer from plain programmes.

python -m benchmarks.bench_hedge
"""

import time

import numpy as np
import pandas as pd

from margin import models
from margin.core.account import Account
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.hedge.costs import Costs
from margin.hedge.frontier import frontier
from margin.hedge.hedge_prices import with_hedges
from margin.hedge.menu import menu_of
from margin.hedge.one_trade import one_trade
from margin.hedge.planner import LadderPlanner, programme_of
from margin.hedge.study import hedge
from margin.models.marks import Marks

POSITIONS, DAYS, RUNS = 18, 620, 9


def world() -> tuple[Portfolio, Market]:
    """Eighteen coins held, long and short; with BTC and ETH 20 candidates."""
    rng = np.random.default_rng(3)
    names = ["BTC", "ETH", *(f"C{i:02d}" for i in range(POSITIONS))]
    common = rng.standard_t(4, size=DAYS) * 0.016
    own = rng.standard_t(4, size=(DAYS, len(names))) * rng.uniform(0.006, 0.02, len(names))
    returns = np.maximum(common[:, None] * rng.uniform(1.0, 1.7, len(names)) + own, -0.6)
    paths = np.cumprod(1 + returns, axis=0)
    index = pd.date_range(end="2025-06-30", periods=DAYS)
    volumes = pd.DataFrame(np.full(paths.shape, 2e8), index=index, columns=names)
    market = Market(pd.DataFrame(100 * paths / paths[-1], index=index, columns=names), volumes)
    sides = np.where(rng.random(POSITIONS) < 0.7, 1, -1)
    sizes = np.exp(rng.uniform(np.log(5e3), np.log(5e4), POSITIONS)) / 100
    held = tuple(
        Position(f"{name}/USDT:USDT", float(side * size))
        for name, side, size in zip(names[2:], sides, sizes, strict=True)
    )
    return Portfolio(accounts=(Account(positions=held, collateral=(Collateral("USDT", 1e5),)),)), market


def median_ms(what) -> float:
    """Median processor time of RUNS, ms, after one that warms up: other work on the machine does not count."""
    what()
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        what()
        times.append(1e3 * (time.process_time() - started))
    return float(np.median(times))


def main() -> None:
    print("$ python -m benchmarks.bench_hedge    (ms of processor time)")
    portfolio, market = world()
    marks = Marks.of_market(market, portfolio)
    for key in ("portfolio", "safeguarded"):
        model = models.get(key, market=market)
        sub = portfolio.account.sub_accounts(model, marks)[0]
        priced, _ = with_hedges(marks, market, sub, ("BTC", "ETH"), model)
        menu = menu_of(sub, priced, market, Costs())

        def plan(sub=sub, model=model, priced=priced, menu=menu) -> LadderPlanner:
            return LadderPlanner(sub, model, priced, menu)

        nothing = np.zeros(len(menu.choices))
        target = 0.7 * plan().figure(nothing)
        candidates = len({c.symbol for c in menu.choices})
        print(f"{key}: {candidates} instruments, {len(menu.choices)} choices, 500 scenarios, 30% of the margin freed")
        for orders in (None, 1, 2):
            ms = median_ms(lambda: plan().least_cost(target, orders))  # noqa: B023
            said = "any number of orders" if orders is None else f"at most {orders}"
            print(f"  {said}: median {ms:.0f} ms of {RUNS}")
        odds = models.get("portfolio", market=market)  # judges the odds, as on the page
        ms = median_ms(lambda: hedge(sub, model, market, marks, odds_model=odds))  # noqa: B023
        print(
            f"  the whole answer (cut alike, cut, hedge, both, odds, other days), at most 2 trades: median {ms:.0f} ms"
        )
        ms = median_ms(lambda: frontier(plan()))
        print(f"  frontier: median {ms:.0f} ms")
        programme = programme_of(sub, model, priced, menu)
        wanted = 0.9 * programme.figure(nothing)
        by_hand = median_ms(lambda: one_trade(programme, wanted))  # noqa: B023
        whole = median_ms(lambda: programme.least_cost(wanted, 1))  # noqa: B023
        print(
            f"  one trade: {by_hand:.0f} ms, by the mixed-integer programme {whole:.0f} ms, ratio {whole / by_hand:.1f}"
        )
    model = models.get("hyperliquid:cross")
    coins = {f"C{i:02d}": n for i, n in enumerate(("SOL", "ADA", "DOGE", "XRP", "LTC", "LINK", "AVAX", "DOT"))}
    frame = pd.DataFrame(market.closes, pd.DatetimeIndex(market.dates), list(market.assets)).rename(columns=coins)
    renamed = Market(frame)
    held = tuple(
        Position(p.symbol.replace(p.underlying, coins[p.underlying]), p.quantity)
        for p in portfolio.positions if p.underlying in coins
    )  # fmt: skip
    venue = Portfolio(accounts=(Account(positions=held, collateral=(Collateral("USDC", 1e5),)),))
    marks = Marks.of_market(renamed, venue)
    sub = venue.account.sub_accounts(model, marks)[0]
    ms = median_ms(lambda: hedge(sub, model, renamed, marks))
    print(
        f"hyperliquid:cross, {len(held)} positions, by search: the whole answer, at most 2 trades: median {ms:.0f} ms"
    )


if __name__ == "__main__":
    main()
