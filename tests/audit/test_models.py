"""Venues' rules in the batched form: 500 accounts are what `state` answers for each, or the rule is not offered."""

import numpy as np
import pytest

from margin import Collateral, InputError, Market, Position, models
from margin.audit.chunk import Accounts
from margin.audit.make import synthetic
from margin.audit.models import batch_tiers, models_in_batch
from margin.audit.plan import Shock, make_plan
from margin.audit.scan import audit_accounts
from margin.core.account import SubAccount
from margin.models.marks import Marks
from margin.sample.load import load_sample


@pytest.fixture(scope="module")
def market():
    return Market(load_sample().closes)


def sub(plan, held, a):
    inside = slice(held.indptr[a], held.indptr[a + 1])
    positions = tuple(
        Position(f"{plan.assets[leg]}/USDC:USDC", usd / plan.prices[leg])
        for leg, usd in zip(held.legs[inside], held.usd[inside], strict=True)
    )
    return SubAccount(name=str(a), positions=positions, collateral=(Collateral("USD", float(held.equity[a])),))


@pytest.mark.parametrize("key", models_in_batch())
def test_500_sampled_accounts_are_what_state_says(market, key):
    shocks = [Shock(name="x", moves={"BTC": -0.2, "ETH": -0.35, "SOL": 0.4})]
    plan = make_plan(market, key, tiers=batch_tiers(key, market), shocks=shocks)
    held = synthetic(plan, 3000, seed=8)
    wide = np.exp(np.random.default_rng(1).normal(0, 4, len(held)))  # into the higher tiers
    owner = np.repeat(np.arange(len(held)), np.diff(held.indptr))
    held = Accounts(
        labels=held.labels, indptr=held.indptr, legs=held.legs, usd=held.usd * wide[owner], equity=held.equity * wide
    )
    rows, total = audit_accounts(plan, held)
    model = models.get(key)
    marks = Marks(dict(zip(plan.assets, plan.prices.tolist(), strict=True)), market.dates[-1])
    moved = Marks({a: p * (1 + shocks[0].moves.get(a, 0.0)) for a, p in marks.prices.items()}, market.dates[-1])
    closed, large = 0, 0
    sampled = np.random.default_rng(2).choice(3000, 500, replace=False)
    for a in sampled:
        account = sub(plan, held, a)
        state = model.state(account, marks)
        assert rows[0].maintenance[a] == pytest.approx(state.maintenance, rel=1e-9, abs=1e-9)
        assert rows[0].requirement[a] == pytest.approx(state.initial, rel=1e-9, abs=1e-9)
        assert rows[0].equity[a] == pytest.approx(state.equity, rel=1e-9, abs=1e-9)
        large += state.maintenance > 1e6
    assert large > 0
    # The same accounts after the shock, re-measured by `state` at the moved prices.
    pool = Accounts(
        labels=held.labels[sampled],
        indptr=np.concatenate([[0], np.cumsum(np.diff(held.indptr)[sampled])]),
        legs=np.concatenate([held.legs[held.indptr[a] : held.indptr[a + 1]] for a in sampled]),
        usd=np.concatenate([held.usd[held.indptr[a] : held.indptr[a + 1]] for a in sampled]),
        equity=held.equity[sampled],
    )
    _, total = audit_accounts(plan, pool)
    for a in sampled:
        account = sub(plan, held, a)
        pnl = sum(p.quantity * (moved.price(p.underlying) - marks.price(p.underlying)) for p in account.positions)
        left = SubAccount(
            name="x", positions=account.positions, collateral=(Collateral("USD", account.collateral[0].quantity + pnl),)
        )
        state = model.state(left, moved)
        closed += state.equity < state.maintenance or state.equity < 0
    assert total.closed.tolist() == [closed]
    assert 0 < closed < 500


def test_a_close_is_where_the_models_own_gap_is_nothing(market):
    """Long $30M of ETH at Hyperliquid with $3M: closed where equity meets the tiers' margin."""
    key = "hyperliquid:cross"
    plan = make_plan(market, key, tiers=batch_tiers(key, market))
    leg = plan.assets.index("ETH")
    held = Accounts(
        labels=np.array(["it"]), indptr=np.array([0, 1]), legs=np.array([leg]), usd=np.array([3e7]),
        equity=np.array([3e6]),
    )  # fmt: skip
    rows, _ = audit_accounts(plan, held)
    at = rows[0].closed_down[0]
    model, marks = models.get(key), Marks({"ETH": float(plan.prices[leg])}, market.dates[-1])
    account = sub(plan, held, 0)
    gap = model.states(account, marks, np.array([[1.0 + at]])).gap[0]
    assert gap == pytest.approx(0.0, abs=1.0)
    assert model.states(account, marks, np.array([[1.0 + at + 1e-3]])).gap[0] > 0


def test_rules_that_do_not_add_up_are_not_offered(market):
    offered = models_in_batch()
    assert {"hyperliquid:cross", "binance:cross", "dydx:cross"} <= set(offered)
    assert not {"okx:cross", "kraken:cross", "deribit:portfolio"} & set(offered)
    with pytest.raises(InputError, match="does not add up position by position"):
        batch_tiers("deribit:portfolio", market)
    with pytest.raises(InputError, match="hyperliquid:cross"):
        batch_tiers("hyperliqid:cross", market)
