"""How each account's gap moves, odds of a call beside Forecast's closed form, and what is held together."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from margin import Market
from margin.audit.chunk import Accounts, expected_shortfalls
from margin.audit.gaps import DAYS
from margin.audit.make import synthetic, write
from margin.audit.models import batch_tiers
from margin.audit.parts import open_source
from margin.audit.plan import make_plan
from margin.audit.report import report
from margin.audit.scan import audit_accounts, audit_source
from margin.forecast.first_passage import hit_probability
from margin.sample.load import load_sample


@pytest.fixture(scope="module")
def market():
    return Market(load_sample().closes)


def maintenance(plan, held):
    return audit_accounts(plan, held)[0][0].maintenance


def with_usd(held, usd, equity):
    return Accounts(labels=held.labels, indptr=held.indptr, legs=held.legs, usd=usd, equity=equity)


@pytest.mark.parametrize("model", ["portfolio", "isolated", "hyperliquid:cross"])
def test_sigma_is_that_of_the_gap_re_measured_at_moved_prices(market, model):
    """Each price moved a little by itself, the gap reckoned anew: its gradient through the covariance is sigma."""
    plan = make_plan(market, model, tiers=batch_tiers(model, market) if ":" in model else None)
    held = synthetic(plan, 300, seed=4)
    rows = audit_accounts(plan, held)[0][0]
    owner = np.repeat(np.arange(300), np.diff(held.indptr))
    step = 1e-7
    gradient = np.zeros((300, len(plan.assets)))
    for a in range(len(plan.assets)):
        gaps = []
        for sign in (1.0, -1.0):
            factor = np.where(held.legs == a, 1.0 + sign * step, 1.0)
            pnl = np.bincount(owner, held.usd * (factor - 1.0), 300)
            moved = with_usd(held, held.usd * factor, held.equity + pnl)
            gaps.append(moved.equity - maintenance(plan, moved))
        gradient[:, a] = (gaps[0] - gaps[1]) / (2 * step)
    expected = np.sqrt(np.maximum(np.einsum("na,ab,nb->n", gradient, plan.covariance, gradient), 0.0))
    np.testing.assert_allclose(rows.sigma, expected, rtol=2e-4, atol=1e-2)
    assert (rows.sigma > 0).all()


def test_odds_are_forecasts_closed_form(market):
    plan = make_plan(market)
    rows = audit_accounts(plan, synthetic(plan, 2000, seed=6))[0][0]
    gap = rows.equity - rows.maintenance
    for i, days in enumerate(DAYS):
        expected = hit_probability(gap, rows.sigma, days)
        np.testing.assert_allclose(rows.odds[:, i], expected, rtol=1e-12, atol=1e-15)
    assert (np.diff(rows.odds, axis=1) >= 0).all()
    assert (rows.odds[gap <= 0] == 1.0).all() and (gap <= 0).any()


def test_one_long_by_hand(market):
    """Long $10,000 of BTC: the ladder's maintenance falls with it, so the gap moves by 10,000 less half its ES."""
    plan = make_plan(market)
    leg = plan.assets.index("BTC")
    held = Accounts(
        labels=np.array(["it"]), indptr=np.array([0, 1]), legs=np.array([leg]), usd=np.array([10_000.0]),
        equity=np.array([2_000.0]),
    )  # fmt: skip
    rows = audit_accounts(plan, held)[0][0]
    es = expected_shortfalls(plan, held)[0][0]
    daily = market.returns(["BTC"], None, 1, 500).values[:, 0]
    weights = 0.94 ** np.arange(500)[::-1]
    vol = np.sqrt((weights / weights.sum()) @ daily**2)
    assert rows.sigma[0] == pytest.approx((10_000 - 0.5 * es) * vol)


def test_overlap_is_counted_account_by_account(market):
    plan = make_plan(market)
    held = synthetic(plan, 400, seed=9)
    found = report(plan, audit_accounts(plan, held)[1], 1.0)
    k = len(plan.assets)
    book = np.zeros((400, k))
    book[np.repeat(np.arange(400), np.diff(held.indptr)), held.legs] = np.abs(held.usd)
    shared = np.minimum(book[:, :, None], book[:, None, :]).sum(axis=0)
    own = book.sum(axis=0)
    np.testing.assert_allclose(found.overlap, shared / np.minimum.outer(own, own), atol=1e-6)
    np.testing.assert_array_equal(found.overlap, found.overlap.T)
    assert np.allclose(np.diag(found.overlap), 1.0)
    assert found.overlap.min() >= 0 and found.overlap.max() <= 1


def test_odds_are_written_per_account_and_add_up(market, tmp_path):
    plan = make_plan(market)
    write(plan, 3000, tmp_path / "book", seed=2, per_file=1000)
    total = audit_source(plan, open_source(str(tmp_path / "book")), 2, tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet").to_pydict()
    for (_, expected), name in zip(
        report(plan, total, 1.0).expected_calls, ("odds_1d", "odds_3d", "odds_7d"), strict=True
    ):
        assert expected == pytest.approx(sum(table[name]), abs=1e-5)
