"""Venues' rules in the batched form: 500 accounts are what `state` answers for each, or the rule is not offered."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from margin import Collateral, InputError, Market, Position, models
from margin.audit.chunk import Accounts
from margin.audit.formats import adapter
from margin.audit.make import synthetic
from margin.audit.models import _batch, batch_tiers, batches, models_in_batch
from margin.audit.plan import make_plan
from margin.audit.scan import audit_accounts
from margin.audit.shocks import Shock
from margin.audit.tables import build
from margin.core.account import SubAccount
from margin.core.instruments import USD_STABLECOINS
from margin.models.marks import Marks
from margin.sample.load import load_sample


@pytest.fixture(scope="module")
def market():
    return Market(load_sample().closes)


def sub(plan, held, a, key="x:cross"):
    inside = slice(held.indptr[a], held.indptr[a + 1])
    symbol = batches()[key].symbol if key in batches() else "{}/USDC:USDC"
    positions = tuple(
        Position(symbol.format(plan.assets[leg]), usd / plan.prices[leg])
        for leg, usd in zip(held.legs[inside], held.usd[inside], strict=True)
    )
    money = (Collateral("USD", float(held.equity[a])),)
    return SubAccount(name=str(a), positions=positions, collateral=money, isolated=plan.single)


def pick(held, which):
    """Those accounts alone, in that order."""
    which = list(which)
    inside = [slice(held.indptr[a], held.indptr[a + 1]) for a in which]
    return Accounts(
        labels=held.labels[which],
        indptr=np.concatenate([[0], np.cumsum(np.diff(held.indptr)[which])]),
        legs=np.concatenate([held.legs[rows] for rows in inside]),
        usd=np.concatenate([held.usd[rows] for rows in inside]),
        equity=held.equity[which],
    )


def answers(model, account, marks, factors):
    """What the model says, None where it refuses (a position beyond its tiers)."""
    try:
        if model.refuses(account):
            return None
        model.state(account, marks)
        return model.states(account, marks, np.array(factors))
    except InputError:
        return None


def judged(plan, held, model, key, count, marks, moves):
    """`count` accounts that the model judges at the marks and after the moves, and as it reads them."""
    out = {}
    for a in np.random.default_rng(2).permutation(len(held)):
        account = sub(plan, held, a, key)
        factors = [[1.0] * len(account.assets), [1 + moves.get(asset, 0.0) for asset in account.assets]]
        if (plan.single and len(account.positions) > 1) or answers(model, account, marks, factors) is None:
            continue
        out[int(a)] = account
        if len(out) == count:
            break
    assert len(out) == count
    return out


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
    dollars = dict.fromkeys(USD_STABLECOINS, 1.0)
    marks = Marks({a: market.price(a) for a in market.assets} | dollars, market.dates[-1])
    sampled = judged(plan, held, model, key, 500, marks, shocks[0].moves)
    closed, large = 0, 0
    for a, account in sampled.items():
        factors = [[1.0] * len(account.assets), [1 + shocks[0].moves.get(asset, 0.0) for asset in account.assets]]
        both = model.states(account, marks, np.array(factors))
        now = model.state(account, marks) if a % 5 == 0 else None  # `states` at the marks is `state`
        for name, ours in (("maintenance", rows[0].maintenance), ("initial", rows[0].requirement)):
            assert ours[a] == pytest.approx(getattr(both, name)[0], rel=1e-9, abs=1e-9), (a, account)
            assert now is None or ours[a] == pytest.approx(getattr(now, name), rel=1e-9, abs=1e-9)
        assert rows[0].equity[a] == pytest.approx(both.equity[0], rel=1e-9, abs=1e-9)
        large += both.maintenance[0] > 1e5
        closed += both.equity[1] < both.maintenance[1] or both.equity[1] < 0
    assert large > 0
    # The same accounts after the shock, re-measured at the moved prices.
    found, total = audit_accounts(plan, pick(held, sampled))
    assert total.closed.tolist() == [closed]
    assert 0 < closed < 500
    # Where all prices moved alike close it, the model's own gap is nothing; a little before it is not.
    at = found[0].liquidated_at
    for i, account in [(i, x) for i, x in enumerate(sampled.values()) if np.isfinite(at[i]) and at[i] != 0][:40]:
        near = np.array([[1 + at[i] * (1 - 1e-9)], [1 + at[i] * (1 + 1e-6)]]) * np.ones(len(account.assets))
        there = answers(model, account, marks, near)
        if there is not None:
            size = float(np.abs(found[0].gross[i]))
            assert there.gap[0] >= -1e-6 * size and there.gap[1] <= 1e-5 * size, (at[i], there.gap, account)


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
    venues = ("hyperliquid", "binance", "dydx", "bybit", "okx", "kraken", "lighter", "paradex", "synthetix", "drift")
    assert {f"{venue}:cross" for venue in (*venues, "deribit", "derive")} | {"gmx:isolated"} <= set(offered)
    why = {key: found.why for key, found in batches().items() if found.why}
    assert "settled in coins" in why["bitmex:cross"] and "prints" in why["aster:cross"]
    assert "no perpetuals" in why["mango:cross"] and why["hyperliquid:portfolio"]
    with pytest.raises(InputError, match="is not batched: positions of one account offset each other"):
        batch_tiers("deribit:portfolio", market)


def test_the_form_is_refused_when_a_model_departs_from_it_by_little(market, monkeypatch):
    """A discount of 0.1% for two positions together, and a rate that bends within a tier: both are found out."""
    key = "hyperliquid:cross"
    real = models.get(key)

    class Bent:
        rulebook = real.rulebook

        def __init__(self, change):
            self.change = change

        def refuses(self, account):
            return real.refuses(account)

        def states(self, account, marks, factors):
            found = real.states(account, marks, factors)
            return replace(found, maintenance=self.change(account, found.maintenance))

    together = lambda account, kept: kept * (0.999 if len(account.positions) == 2 else 1.0)  # noqa: E731
    bends = lambda account, kept: kept * (1 + 1e-9 * kept)  # noqa: E731
    for change, why in ((together, "offset each other"), (bends, "")):
        monkeypatch.setattr(models, "get", lambda *_, change=change: Bent(change))
        found = _batch(key, Marks({"BTC": 6e4, "ETH": 3e3, "SOL": 150.0}, market.dates[-1])).why
        assert why in found and (found or change is bends)


def test_positions_beyond_the_last_tier_are_judged_and_counted_and_isolated_rules_take_single_positions(market):
    plan = make_plan(market, "okx:cross", tiers=batch_tiers("okx:cross", market))
    leg = plan.assets.index("BTC")
    held = Accounts(
        labels=np.array(["large"]), indptr=np.array([0, 1]), legs=np.array([leg]), usd=np.array([9e11]),
        equity=np.array([9e11]),
    )  # fmt: skip
    _, total = audit_accounts(plan, held)
    assert list(total.remarks.values()) == [1]
    alone = make_plan(market, "gmx:isolated", tiers=batch_tiers("gmx:isolated", market))
    rows = pa.table({"account": ["a", "a", "b"], "asset": ["BTC", "ETH", "BTC"], "quantity": [1.0, 1.0, 1.0]})
    money = pa.table({"account": ["a", "b"], "equity": [1e6, 1e6]})
    built = build(alone, rows, money, adapter("margin-lab"))
    assert built.accounts.labels.tolist() == ["b"] and sum(built.set_aside.values()) == 1
    with pytest.raises(InputError, match="hyperliquid:cross"):
        batch_tiers("hyperliqid:cross", market)
