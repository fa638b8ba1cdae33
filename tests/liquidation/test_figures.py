"""Worked liquidations as listed beside this file (tests/figures.py)."""

import numpy as np

from margin.liquidation import adl, adl_comparison, moves, nearest, population
from margin.liquidation.closing import rules_of, venues
from margin.liquidation.frictions import Frictions
from tests.figures import held
from tests.liquidation.test_liquidation import BOOK, HYPER, LONG, MARKET, PAIR, along, as_moves

PATH = as_moves([(-0.08, -0.03), (-0.1, 0.05), (-0.15, 0.1), (0.05, -0.02), (-0.3, 0.2)])
FRICTIONS = Frictions({"BTC": 1e6, "ETH": 1e6}, 1.0, 500.0)
WORLD = population.World(accounts=400, steps=40, fund=1e4, volume=1e7)
CASES = {
    **{f"{v.name} {m}": lambda v=v, m=m: along(BOOK, PATH, rules_of(v.name), m, FRICTIONS)
       for v in venues() for m in ("held", "alone")},
    "hyperliquid": lambda: along(HYPER, PATH),
    "fatal": lambda: moves.fatal_moves(BOOK), "fatal alone": lambda: moves.fatal_moves(HYPER, True),
    "nearest": lambda: nearest.nearest_liquidation(PAIR.account, MARKET), "nearest of a long": lambda: nearest.nearest_liquidation(LONG.account, MARKET),
    "cross": lambda: population.cascade(WORLD), "isolated": lambda: population.cascade(WORLD, "isolated"),
    "policies": lambda: adl_comparison.compare_policies(WORLD),
    **{f"closed {p}": lambda p=p: adl.deleverage(p, candidates(), 300.0, 90.0) for p in adl.POLICIES},
}  # fmt: skip


def candidates():
    rng = np.random.default_rng(6)
    size, entry, wallet = rng.uniform(5.0, 100.0, (3, 12))
    return adl.Candidates(
        size=size, entry=entry, wallet=50.0 * wallet, maintenance=0.05 * wallet * size, mark=100.0, side=1
    )


def test_figures_are_as_listed():
    held(__file__, CASES)
