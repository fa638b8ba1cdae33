"""The shock grid, and what makes the worst shock bad: against the same sums done account by account in numpy."""

import numpy as np
import pytest

from margin import Market
from margin.audit.chunk import Accounts
from margin.audit.lines import margin_of
from margin.audit.make import synthetic
from margin.audit.models import batch_tiers
from margin.audit.plan import make_plan
from margin.audit.report import report
from margin.audit.scan import audit_accounts
from margin.audit.shocks import Shock, betas, wide_shocks
from margin.risk.tail import expected_shortfall
from margin.sample.events import load_events
from margin.sample.load import load_sample


@pytest.fixture(scope="module")
def market():
    return Market(load_sample().closes)


def test_the_wide_grid_has_events_betas_worst_days_and_each_alone(market):
    plan = make_plan(market)
    grid = {shock.name: shock.moves for shock in wide_shocks(market, plan.assets)}
    assert len(grid) == 14 + 14 + len(load_events()) + 20 + 6 * len(plan.assets)  # no name twice
    assert len(load_events()) >= 12
    for event in load_events():
        moves = grid[event.name]
        for asset in plan.assets:
            if asset in event.moves:
                assert moves[asset] == event.moves[asset].close_to_close
        assert moves["BTC"] == event.moves["BTC"].close_to_close
    known = betas(market, plan.assets)
    past = market.returns(["BTC", "SOL"], None, 1, 500).values
    assert known["SOL"] == pytest.approx(np.polyfit(past[:, 0], past[:, 1], 1)[0], rel=1e-6)
    assert known["BTC"] == 1.0
    assert grid["market -10%"]["SOL"] == pytest.approx(-0.1 * known["SOL"])
    assert all(-1.0 <= move <= 100.0 for moves in grid.values() for move in moves.values())
    without = [e for e in load_events() if "SOL" not in e.moves]
    assert all(grid[e.name]["SOL"] == pytest.approx(known["SOL"] * e.moves["BTC"].close_to_close) for e in without)


def test_hot_spots_halving_and_crowding_are_what_accounts_one_by_one_give(market):
    shocks = [Shock(name="a", moves={"BTC": -0.4, "ETH": -0.6}), Shock(name="b", moves={"SOL": 0.5})]
    plan = make_plan(market, "isolated", shocks=shocks, gap=0.05)
    held = synthetic(plan, 800, seed=4)
    held = Accounts(labels=held.labels, indptr=held.indptr, legs=held.legs, usd=3 * held.usd, equity=0.7 * held.equity)
    rows, total = audit_accounts(plan, held)
    marginal, halved, times = np.zeros((2, len(plan.assets))), np.zeros(2), np.zeros(800, int)
    for a in range(800):
        inside = slice(held.indptr[a], held.indptr[a + 1])
        u, g = held.usd[inside], held.legs[inside]
        for j, moves in enumerate(plan.moves):
            own = u * moves[g] - 0.05 * np.abs(u * (1 + moves[g]))
            left = held.equity[a] + (u * moves[g]).sum()
            needed = 0.5 * sum(
                abs(x * (1 + moves[i])) * plan.alone[0 if x >= 0 else 1, i] for x, i in zip(u, g, strict=True)
            )
            if (left < needed if moves[g].any() else left < rows[0].maintenance[a]) or left < 0:
                times[a] += 1
                after = held.equity[a] + own.sum()
                for x, i in zip(own, g, strict=True):
                    if after < 0:
                        marginal[j, i] += -after - max(-(after - x), 0.0)
                if after < 0:
                    halved[j] = max(halved[j], -after - max(-(held.equity[a] + own.sum() / 2), 0.0))
    np.testing.assert_allclose(total.marginal.astype(float) / 100, marginal, atol=5.0)
    np.testing.assert_allclose(total.halved.astype(float) / 100, halved, atol=0.01)
    assert rows[0].times_closed.tolist() == times.tolist() and times.max() == 2
    said = report(plan, total, 1.0)
    assert said.halved == total.halved[0] / 100 > 0  # the first shock is the worst
    order = [spot.asset for spot in said.hot_spots]
    assert order[0] == plan.assets[int(marginal[0].argmax())]
    lost = np.maximum(-rows[0].worst_equity, 0.0)
    assert said.short_top_share == pytest.approx(np.sort(lost)[-10:].sum() / lost.sum(), rel=1e-4)
    assert said.short_hhi == pytest.approx((lost**2).sum() / lost.sum() ** 2, rel=0.01)


@pytest.mark.parametrize("model", ["portfolio", "isolated", "hyperliquid:cross", "kraken:cross"])
def test_accounts_passed_over_by_a_bound_are_those_that_no_shock_closes(market, model):
    """The wide grid, every account and shock reckoned out one by one: the same closes, worst equities and cents."""
    tiers = batch_tiers(model, market) if ":" in model else None
    plan = make_plan(market, model, tiers=tiers, gap=0.02)
    plan = make_plan(market, model, shocks=wide_shocks(market, plan.assets), tiers=tiers, gap=0.02, assets=plan.assets)
    held = synthetic(plan, 150, seed=6)
    size = np.exp(np.random.default_rng(3).normal(0.0, 3.0, 150))  # into the higher tiers
    owner = np.repeat(np.arange(150), np.diff(held.indptr))
    equity = 0.6 * size * held.equity
    equity[:20] = [*(1e-4 * equity[:10]), *(-equity[10:20])]  # closed as they stand, in shocks to others' assets too
    held = Accounts(labels=held.labels, indptr=held.indptr, legs=held.legs, usd=held.usd * size[owner], equity=equity)
    rows, total = audit_accounts(plan, held)
    factor = 1.0 + plan.moves[:, held.legs]  # (K, m)
    left = held.equity + np.stack([np.bincount(owner, held.usd * (f - 1.0), 150) for f in factor])
    if model == "portfolio":
        book = np.zeros((150, len(plan.assets)))
        book[owner, held.legs] = held.usd
        es = [expected_shortfall(((book * (1.0 + m)) @ plan.losses).T, plan.level) for m in plan.moves]
        needed = 0.5 * np.maximum(np.stack(es), 0.0)
    elif model == "isolated":
        alone = np.abs(held.usd) * plan.alone[np.where(held.usd >= 0, 0, 1), held.legs]
        needed = np.stack([np.bincount(owner, 0.5 * alone * f, 150) for f in factor])
    else:
        per_leg = [[margin_of(plan.lines[g], u, x) for g, u, x in zip(held.legs, held.usd, f, strict=True)] for f in factor]  # fmt: skip
        needed = np.stack([np.bincount(owner, row, 150) for row in per_leg])
    closed = (left < needed) | (left < 0.0)
    assert total.closed.tolist() == closed.sum(axis=1).tolist()
    assert rows[0].times_closed.tolist() == closed.sum(axis=0).tolist()
    assert closed.any() and not closed.all() and closed[:, :20].mean() > closed[:, 20:].mean()
    np.testing.assert_allclose(rows[0].worst_equity, np.minimum(left.min(axis=0), held.equity), rtol=1e-12, atol=1e-9)
    gross = np.stack([np.bincount(owner, np.abs(held.usd) * f, 150) for f in factor])
    short = np.where(closed, np.maximum(0.02 * gross - left, 0.0), 0.0).sum(axis=1)
    np.testing.assert_allclose(total.shortfall.astype(float) / 100.0, short, rtol=1e-9, atol=1.0)


def test_crowding_is_the_long_share_of_the_largest_tenth(market):
    """Nine small shorts and one large long: all of the largest tenth is long. Two parts merged say the same."""
    plan = make_plan(market)
    usd = np.array([-10.0] * 9 + [1e6])
    held = Accounts(
        labels=np.arange(10), indptr=np.arange(11), legs=np.zeros(10, dtype=np.int64), usd=usd, equity=np.full(10, 1e6)
    )
    _, total = audit_accounts(plan, held)
    assert report(plan, total, 1.0).crowding == 1.0
    back = type(total).from_dict(total.to_dict())
    assert back.same_as(total)
    again = total.merge(total)
    assert again.halved.tolist() == total.halved.tolist() and again.sizes.sum() == 20
    assert report(plan, again, 1.0).crowding == 1.0
