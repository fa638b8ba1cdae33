"""Worked correlations, haircuts, lessons and backtests as listed beside this file (tests/figures.py)."""

import numpy as np

from margin import Settings
from margin.backtest import accounts, coverage, under_model, walk_forward
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral
from margin.correlation import (
    bands,
    frames,
    lead_lag,
    market_mode,
    matrix,
    paths,
    persistence,
    regimes,
    summary,
    worst_days,
)
from margin.haircut import basket, history, model
from margin.haircut.settings import HaircutSettings
from margin.lessons import closed_forms
from tests.figures import held
from tests.hedge.worlds import book, market

MARKET = market(n=420, volumes=True)
NAMES, PAIR = ("BTC", "ETH", "SOL"), ("BTC", "SOL")
BOOK = Portfolio(book(3, 4), (Collateral("USDC", 20_000.0),))
CUTS = HaircutSettings(lookback=200, long_run=300)
TWO = closed_forms.Pair(1_000.0, -800.0, 0.03, 0.05, 0.6)
SETTINGS = Settings(lookback=200)
CASES = {
    **{f"matrix {m}": lambda m=m: matrix.correlation_matrix(MARKET, NAMES, 90, m, horizon=2) for m in matrix.METHODS},
    **{f"path {m}": lambda m=m: paths.rolling_pairs(MARKET, [PAIR], 40, method=m) for m in paths.PATH_METHODS},
    **{f"frames {m}": lambda m=m: frames.matrix_frames(MARKET, NAMES, m, 40, frames=5) for m in frames.FRAME_METHODS},
    "persistence": lambda: persistence.persistence_of(MARKET, [PAIR], 40, 20),
    "lead and lag": lambda: lead_lag.lead_lag(MARKET, PAIR, 4),
    "mode": lambda: market_mode.market_mode(MARKET, NAMES, 60),
    "regimes": lambda: regimes.regime_matrices(MARKET, NAMES),
    **{f"worst days {c} {a}": lambda c=c, a=a: worst_days.downside_correlation(MARKET, PAIR, 0.2, c, a)
       for c in worst_days.CHOSEN_BY for a in worst_days.ABOUT},
    "pair": lambda: summary.pair_summary(MARKET, PAIR),
    "band": lambda: bands.fisher_band(np.array([-0.5, 0.0, 0.9]), 40, 0.9, 1.3),
    "overlap": lambda: [bands.overlap_inflation(h) for h in (1, 2, 5)],
    **{f"haircut {t} {q}": lambda t=t, q=q: model.haircut(MARKET, "SOL", 5e6, None, HaircutSettings(**{**vars(CUTS), "tail": t, "liquidation": q}))
       for t in ("historical", "ewma") for q in ("linear", "block")},
    "curve": lambda: model.haircut_curve(MARKET, "ETH", [1e4, 1e6, 1e8], None, CUTS),
    "history": lambda: history.haircut_history(MARKET, "ETH", None, 1e6, CUTS, every=30),
    "ways": lambda: basket.right_and_wrong_way("ETH", MARKET, 5e4, 2e4, SETTINGS, CUTS),
    "isolated": lambda: closed_forms.isolated(TWO), "pooled": lambda: closed_forms.pooled(TWO),
    "exhaustion": lambda: closed_forms.exhaustion(TWO, 90.0), "capital": lambda: closed_forms.capital_for(TWO, 0.01),
    "two days": lambda: closed_forms.two_day_outcome(TWO, -0.05, 0.08), "break": lambda: closed_forms.correlation_break(TWO, 0.1, points=9),
    "curves": lambda: (closed_forms.exhaustion_curve(TWO, 9), closed_forms.pooled_by_correlation(TWO, 9)),
    "walk": lambda: walk_forward.backtest(BOOK, MARKET, SETTINGS, days=60),
    "accounts": lambda: accounts.simulate_accounts(BOOK, MARKET, SETTINGS, 15, 0.6, 0.0003, 90),
    "under a model": lambda: under_model.backtest_model(BOOK, MARKET, "bybit:cross", SETTINGS, days=60, hold=10, funding=0.0002),
    "under a method": lambda: under_model.backtest_model(BOOK, MARKET, "netted", SETTINGS, days=60, hold=20, money="own"),
    "kupiec": lambda: coverage.kupiec(250, 6, 0.01),
}  # fmt: skip


def test_figures_are_as_listed():
    held(__file__, CASES)
