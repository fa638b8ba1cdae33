"""A search asks the model coin by coin where the venue only adds up: the same answers as asking for the whole book."""

from math import inf

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import models
from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.position import Collateral, Position
from margin.hedge import hedge
from margin.hedge.costs import Costs
from margin.hedge.frontier import frontier
from margin.hedge.judge import Judge
from margin.hedge.menu import menu_of
from margin.hedge.one_trade import smallest
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.venues.families.perpetuals import PerpetualVenue
from tests.hedge.worlds import book, market, stand
from tests.venues.test_compiled import PLAIN

M = market()
MARKS = Marks({"BTC": 80_000.0, "ETH": 2_500.0, "USDC": 1.0, "USDT": 1.0}, pd.Timestamp("2026-11-26"))
SIZES = st.floats(-4e3, 4e3).filter(lambda x: abs(x) > 1e-3)
SHARES = st.lists(st.sampled_from([0.0, 0.0, 0.3, 0.8, 1.0]), min_size=8, max_size=8)


def halved(figure, target, enough, steps):
    """The plain bisection that `smallest` must end like."""
    low, high = 0.0, enough
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (low, middle) if figure(middle) <= target else (middle, high)
    return 0.0 if figure(0.0) <= target else high


@pytest.mark.parametrize("name", PLAIN)
@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["BTC", "ETH"]), st.sampled_from(["USDT", "USDC"]), SIZES), min_size=1,
             max_size=4),
    SHARES,
)  # fmt: skip
def test_coins_one_by_one_are_the_whole_book(name, legs, shares):
    positions = tuple(Position(f"{a}/{q}:{q}", n, leverage=10.0) for a, q, n in legs)
    sub = pinned(SubAccount(name="x", positions=positions, collateral=(Collateral("USDC", 1e6),)), MARKS)
    model = models.get(f"{name}:cross")
    if model.refuses(sub):
        return
    menu = menu_of(sub, MARKS, M, Costs(), ("BTC", "ETH"))
    assert model.adds_up(sub)
    usd = np.array([s * c.most for s, c in zip(shares, menu.choices, strict=False)])
    for figure in ("initial", "maintenance"):
        quick, slow = (Judge(sub, model, MARKS, menu, figure, apart=a) for a in (True, False))
        try:
            want = slow(np.zeros(len(usd)))
        except InputError:
            return  # above the last tier already
        assert quick(np.zeros(len(usd))) == want
        np.testing.assert_allclose(quick(usd), slow(usd), rtol=1e-9, atol=1e-6 * max(abs(want), 1.0))


def test_a_size_above_the_last_tier_is_refused_alike():
    sub = pinned(SubAccount(name="x", positions=(Position("BTC/USDT:USDT", 5.0),), collateral=()), MARKS)
    model = models.get("bybit:cross")
    menu = menu_of(sub, MARKS, M, Costs(), ("ETH",))
    usd = np.zeros(len(menu.choices))
    usd[-1] = 1e12
    assert Judge(sub, model, MARKS, menu)(usd) == Judge(sub, model, MARKS, menu, apart=False)(usd) == inf


@pytest.mark.parametrize("aim", ["margin", "odds"])
def test_an_answer_is_the_same_either_way(aim, monkeypatch):
    positions = tuple(Position(p.symbol.replace("USDT", "USDC"), p.quantity) for p in book(4))
    sub, model, marks = stand(positions, M, "hyperliquid:cross", (Collateral("USDC", 9_000.0),))
    asked = {} if aim == "margin" else {"odds": hedge(sub, model, M, marks).before.odds / 2}
    quick = hedge(sub, model, M, marks, **asked)
    line = frontier(quick.planner, 2)
    monkeypatch.setattr(type(model), "adds_up", lambda self, sub: False)
    monkeypatch.setattr("margin.hedge.search.smallest", lambda f, t, e, s: halved(f, t, e, s))
    slow = hedge(sub, model, M, marks, **asked)
    for one, other in zip(quick.ways, slow.ways, strict=True):
        np.testing.assert_allclose(one.usd, other.usd, rtol=1e-9)
        assert one.cost == pytest.approx(other.cost, rel=1e-9)
        assert one.reached == other.reached
        if one.after is not None:
            assert one.after.odds == pytest.approx(other.after.odds, rel=1e-9)
    kept = frontier(slow.planner, 2)
    np.testing.assert_allclose([(p.cost, p.margin) for p in line.points], [(p.cost, p.margin) for p in kept.points])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=6), st.floats(0.01, 0.99), st.floats(1e-3, 1e9),
    st.sampled_from([8, 22, 40]), st.booleans(),
)  # fmt: skip
def test_the_smallest_size_is_that_of_plain_halving(slopes, part, enough, steps, jumps):
    """Falling lines of any slopes, with a jump where tiers have one."""

    def figure(size):
        share = size / enough * len(slopes)
        falls = sum(slope * min(max(share - i, 0.0), 1.0) for i, slope in enumerate(slopes))
        return 100.0 - falls - (3.0 if jumps and share > len(slopes) / 3 else 0.0)

    target = figure(0.0) - part * (figure(0.0) - figure(enough))
    read = []
    found = smallest(lambda s: read.append(s) or figure(s), target, enough, steps)
    assert found == pytest.approx(halved(figure, target, enough, steps), rel=1e-12, abs=0.0)
    assert len(read) <= 2 + 3 * steps


def test_a_straight_line_needs_few_readings():
    read = []
    smallest(lambda s: read.append(s) or 10.0 - s, 6.1, 8.0, 22)
    assert len(read) <= 6


def test_a_hundred_positions_ask_for_few(monkeypatch):
    """Odds and frontier of a hundred positions at a venue: positions reckoned, which is what they cost."""
    rng = np.random.default_rng(3)
    coins = list(models.get("hyperliquid:cross").rulebook.parameters["leverage_tiers"])[:100]
    moves = rng.standard_t(4, (300, 1)) * 0.016 + rng.standard_t(4, (300, 100)) * 0.012
    closes = 100.0 * np.cumprod(1.0 + np.maximum(moves, -0.5), axis=0)
    frame = pd.DataFrame(closes / closes[-1] * 100.0, pd.date_range(end="2025-06-30", periods=300), coins)
    held = tuple(Position(f"{c}/USDC:USDC", float(n)) for c, n in zip(coins, rng.uniform(50, 500, 100), strict=True))
    sub, model, marks = stand(held, Market(frame), "hyperliquid:cross", (Collateral("USDC", 700_000.0),))
    asked = []
    real = PerpetualVenue.position_margin

    def counted(self, position, *more):
        asked.append(position.symbol)
        return real(self, position, *more)

    monkeypatch.setattr(PerpetualVenue, "position_margin", counted)
    first = hedge(sub, model, Market(frame), marks, orders=1, out_of_sample=False)
    found = hedge(sub, model, Market(frame), marks, orders=1, out_of_sample=False, odds=0.9 * first.before.odds)
    assert any(w.reached for w in found.ways)
    assert frontier(first.planner, 1).points
    assert len(asked) < 40_000  # 100 positions for each of thousands of sizes were over a million
