"""Worked audits as listed beside this file (tests/figures.py)."""

import numpy as np

from margin.audit.make import synthetic
from margin.audit.models import batch_tiers
from margin.audit.plan import make_plan
from margin.audit.report import report
from margin.audit.scan import audit_accounts
from margin.core.settings import Settings
from tests.figures import held
from tests.hedge.worlds import market

MARKET = market(n=320)
CHOSEN = Settings(lookback=250)


def audited(model):
    plan = make_plan(MARKET, model, CHOSEN, tiers=batch_tiers(model, MARKET) if ":" in model else None)
    rows, total = audit_accounts(plan, synthetic(plan, 200, seed=4))[:2]
    return rows[0], total, report(plan, total, 1.0)


CASES = {
    **{
        f"{m} rows": lambda m=m: audited(m)[0]
        for m in ("portfolio", "isolated", "netted", "hyperliquid:cross", "okx:cross")
    },
    **{f"{m} total": lambda m=m: audited(m)[1] for m in ("portfolio", "hyperliquid:cross")},
    **{f"{m} report": lambda m=m: audited(m)[2] for m in ("portfolio", "hyperliquid:cross")},
    "made": lambda: synthetic(make_plan(MARKET, "netted", CHOSEN), 50, 2, 7),
    "plan": lambda: make_plan(MARKET, "portfolio", CHOSEN, shocks=None),
    "sums": lambda: float(np.abs(synthetic(make_plan(MARKET, "netted", CHOSEN), 50).usd).sum()),
}


def test_figures_are_as_listed():
    held(__file__, CASES)
