"""Venue rulebooks: the search against a brute grid, and whether the model gives a hedge credit at all."""

import numpy as np
import pytest

from margin.core.position import Position
from margin.hedge import hedge
from margin.hedge.costs import Costs
from margin.hedge.hedge_prices import with_hedges
from margin.hedge.menu import menu_of
from margin.hedge.search import SearchPlanner
from tests.hedge.worlds import book, market, stand

M = market()
LONG = (Position("SOL/USDT:USDT", 200.0), Position("ADA/USDT:USDT", 40_000.0))
ADDITIVE = ["hyperliquid:cross", "binance:cross", "bybit:cross", "dydx:cross", "drift:cross", "bitmex:cross"]


@pytest.mark.parametrize("key", ADDITIVE)
def test_an_additive_venue_gives_a_hedge_no_credit(key):
    positions = (Position("ETH/USDT:USDT", 10.0),)
    if key.split(":")[0] not in ("binance", "bybit", "bitmex"):
        positions = (Position("ETH/USDC:USDC", 10.0),)
    sub, model, marks = stand(positions, M, key)
    if model.refuses(sub):
        pytest.skip(f"{key} does not hold {positions[0].symbol} here: {model.refuses(sub)[0].reason}")
    found = hedge(sub, model, M, marks)
    assert found.credit.frees is False
    assert found.credit.freed_per_usd <= 0
    assert "no credit" in found.credit.why
    assert not found.way("hedge").reached
    assert found.best.key == "cut"
    assert found.best.after.margin <= 0.7 * found.before.margin * (1 + 1e-6)


@pytest.mark.parametrize("key", ["portfolio", "safeguarded", "okx:portfolio"])
def test_portfolio_margin_gives_a_hedge_credit(key):
    sub, model, marks = stand((Position("SOL/USDT:USDT", 200.0), Position("ADA/USDT:USDT", 40_000.0)), M, key)
    found = hedge(sub, model, M, marks)
    assert found.credit.frees in (True, False)
    if key != "okx:portfolio":
        assert found.credit.frees is True
        assert "gives a hedge credit" in found.credit.why


@pytest.mark.parametrize("key", ["hyperliquid:cross", "binance:cross", "okx:portfolio"])
@pytest.mark.parametrize("seed", [1, 4])
def test_the_search_is_within_a_hundredth_of_a_brute_grid(key, seed):
    sub, model, marks = stand(book(seed, most=3), M, key)
    marks, _ = with_hedges(marks, M, sub, ("BTC",), model)
    menu = menu_of(sub, marks, M, Costs(), ("BTC",))
    p = SearchPlanner(sub, model, marks, menu)
    now = p.figure(np.zeros(len(menu.choices)))
    target = 0.75 * now
    found = p.least_cost(target, 2)
    assert found is not None and p.figure(found) <= target * (1 + 1e-9)
    grid = np.linspace(0, 1, 61)
    best = np.inf
    for i in range(len(menu.choices)):
        for j in range(i + 1, len(menu.choices)):
            for a in grid:
                usd = np.zeros(len(menu.choices))
                usd[i] = a * menu.choices[i].most
                for b in grid:
                    usd[j] = b * menu.choices[j].most
                    if p.cost(usd) >= best:
                        break
                    if p.figure(usd.copy()) <= target:
                        best = p.cost(usd)
                        break
    assert p.cost(found) <= 1.01 * best


def test_found_by_search_says_so_and_maintenance_can_be_the_figure():
    sub, model, marks = stand(LONG, M, "hyperliquid:cross")
    found = hedge(sub, model, M, marks, figure="maintenance")
    assert any("not proven optimal" in note for note in found.notes)
    assert found.before.margin == found.before.maintenance == pytest.approx(model.state(sub, marks).maintenance)
    assert found.best.after.maintenance <= 0.7 * found.before.maintenance * (1 + 1e-6)


def test_a_budget_is_kept():
    sub, model, marks = stand(LONG, M, "hyperliquid:cross")
    found = hedge(sub, model, M, marks, budget=10.0)
    assert 0 < found.best.cost <= 10.0 * (1 + 1e-6)
    assert found.best.after.margin < found.before.margin
