"""Safeguards of many rows at once: the compiled windows are those of the plain search, the amounts those of the lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin import Collateral, Market, Position, models
from margin.core.account import SubAccount
from margin.core.settings import Safeguards, Settings
from margin.ladder import many_safeguards
from margin.ladder.many_safeguards import worst_windows
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.risk.tail import expected_shortfall
from tests.ladder.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME, FRAME * 0 + 1e9)
MARKS = Marks({a: float(FRAME[a].iloc[-1]) for a in ("BTC", "ETH", "SOL")} | {"USDC": 1.0}, FRAME.index[-1])


def plain(losses, length, level):
    """Every window's ES; of equal ones the newest."""
    found = [expected_shortfall(losses[i : i + length], level) for i in range(len(losses) - length + 1)]
    return int(np.flatnonzero(np.array(found) >= max(found) - 1e-12 * abs(max(found)))[-1])


@given(st.integers(0, 10_000), st.integers(5, 60), st.sampled_from([0.9, 0.975, 0.99]))
@settings(max_examples=15, deadline=None)
def test_the_compiled_windows_are_the_worst(seed, length, level):
    rng = np.random.default_rng(seed)
    losses = rng.standard_t(3, (300, 4))
    losses[:, 1] = np.round(losses[:, 1])  # ties
    losses[:, 2] = 0.0  # nothing but ties
    many_safeguards.LEAST_ROWS, before = 1, many_safeguards.LEAST_ROWS
    try:
        starts = worst_windows(losses, length, level)
    finally:
        many_safeguards.LEAST_ROWS = before
    for r, start in enumerate(starts.tolist()):
        best = plain(losses[:, r], length, level)
        ours, theirs = (expected_shortfall(losses[i : i + length, r], level) for i in (start, best))
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    assert (worst_windows(losses, length, level) == starts).all()  # fewer rows: the plain search


CHOSEN = [
    Safeguards(),
    Safeguards(procyclicality="buffer", stressed=False),
    Safeguards(procyclicality="stress", offset_cap=False),
    Safeguards(procyclicality="off", cap_at_isolated=False, correlation_break=False),
    Safeguards(liquidity=False, basis=False),
]


@pytest.mark.parametrize("chosen", CHOSEN, ids=range(len(CHOSEN)))
def test_every_switch_gives_the_lines_amounts(chosen, monkeypatch):
    monkeypatch.setattr(many_safeguards, "LEAST_ROWS", 2)
    held = (
        Position("BTC/USDT:USDT", 1.0, 55_000.0), Position("ETH/USDT:USDT", -20.0, 3_000.0),
        Position("BTC/USDT:USDT-250328", -0.4, 60_000.0), Position("SOL/USDT:USDT", 300.0, 150.0),
    )  # fmt: skip
    sub = SubAccount(name="x", positions=held, collateral=(Collateral("USDC", 3e4), Collateral("BTC", 0.5)))
    model = models.get("safeguarded", market=MARKET, settings=Settings(safeguards=chosen))
    factors = np.exp(np.random.default_rng(4).normal(0, 0.3, (6, len(sub.assets))))
    found, fixed = model.states(sub, MARKS, factors), pinned(sub, MARKS)
    for i, row in enumerate(factors):
        want = model.state(fixed, MARKS.moved(dict(zip(sub.assets, row.tolist(), strict=True))))
        assert found.initial[i] == pytest.approx(want.initial, rel=1e-9)
        assert found.equity[i] == pytest.approx(want.equity, rel=1e-9)
