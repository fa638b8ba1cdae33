"""Worked cases of shared wallets, networks and crowds as listed beside this file (tests/figures.py)."""

import numpy as np

from margin.protocols import (
    branching,
    clearing,
    debtrank,
    events,
    fire_sales,
    funds,
    network,
    paid,
    population,
    seizure,
    sharing,
    wallet,
)
from tests.figures import held
from tests.protocols.test_population import MIXED, falling
from tests.protocols.test_wallet import wallet as one

PATHS = np.cumprod(1 + np.random.default_rng(3).normal(-0.003, 0.03, (60, 48, 1)), axis=1) - 1
BOOK = one(notional=700.0, debt=500.0, cash=120.0)
SMALL = population.Crowd(wallets=300, rules=MIXED, looped=0.3)
DEBTS = np.array([[0.0, 60.0, 20.0], [10.0, 0.0, 40.0], [30.0, 5.0, 0.0]])
OUTSIDE, OWED = np.array([30.0, 20.0, 5.0]), np.array([10.0, 0.0, 25.0])
LADDER = branching.liquidation_ladder(np.array([0.1, 0.15, 0.3, 0.5]), np.array([10.0, 80.0, 40.0, 100.0]))
HOLDERS = (np.array([100.0, 400.0, 50.0]), np.array([2.0, 1.0, 4.0]), np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]]))
SHOCK = np.array([-0.1, -0.05])
CASES = {
    **{f"run {r}": lambda r=r: seizure.run(BOOK, r, PATHS, delay=2) for r in wallet.RULES},
    **{f"short run {r}": lambda r=r: seizure.run(one(notional=-700.0, cash=50.0), r, -PATHS) for r in wallet.RULES},
    **{f"paid {r}": lambda r=r: paid.paid(BOOK, r, {"ETH": -0.5}) for r in wallet.RULES},
    **{f"falls {r}": lambda r=r: paid.along_falls(BOOK, r, rows=25) for r in wallet.RULES},
    "rules at equal odds": lambda: sharing.compare_rules(BOOK, PATHS, 0.1),
    "rules at a buffer": lambda: sharing.compare_rules(BOOK, PATHS, None, 1.6, oracle_lag=3),
    "least": lambda: sharing.separate_least(BOOK, PATHS, 0.1),
    "crowd": lambda: population.shocked(SMALL, falling(-0.5)),
    "crowd closes": lambda: population.closing_falls(SMALL),
    "crowd tips": lambda: population.tipping(SMALL, branching.square_root_impact(0.035, 1e10)),
    "fund": lambda: population.fund_need(SMALL, np.stack([falling(x) for x in (-0.2, -0.4, -0.6)]), 0.5),
    "clear": lambda: clearing.clear(DEBTS, OUTSIDE, OWED),
    "clear junior": lambda: clearing.clear(DEBTS, OUTSIDE, OWED, senior=False, alpha=0.8, beta=0.7),
    "rank": lambda: debtrank.debtrank(DEBTS, OUTSIDE, np.array([0.3, 0.0, 0.1])),
    "rank nonlinear": lambda: debtrank.debtrank(DEBTS, OUTSIDE, np.array([0.3, 0.0, 0.1]), 1.5),
    "network clears": lambda: network.clear_network(network.stylised(), {"ETH": -0.4}),
    "network sells": lambda: network.sell_network(network.stylised(), {"ETH": -0.4}, {"ETH": 1e-10}),
    "cascade": lambda: branching.cascade(LADDER, branching.linear_impact(0.002), 0.12),
    "reproduction": lambda: branching.reproduction(LADDER, branching.linear_impact(0.002)),
    "critical": lambda: branching.critical_shock(LADDER, branching.linear_impact(0.002)),
    "sizes": lambda: funds.fund_sizes(np.random.default_rng(1).exponential(5.0, (200, 3)), 0.9),
    "waterfall": lambda: funds.waterfall(np.array([3.0, 12.0, 40.0]), 10.0, 15.0),
    "mutual": lambda: funds.mutual_fund(np.random.default_rng(2).exponential(5.0, (200, 3)), 0.9),
    "sales": lambda: fire_sales.fire_sale(*HOLDERS, np.array([1e-4, 2e-4]), SHOCK),
    "sales in rounds": lambda: fire_sales.square_root_rounds(
        *HOLDERS, np.array([0.03, 0.05]), np.array([1e4, 5e3]), SHOCK
    ),
    "events": lambda: len(events.events()),
}


def test_figures_are_as_listed():
    held(__file__, CASES)
