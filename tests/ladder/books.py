"""Generated books and markets for the property tests."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from margin import Portfolio, Position
from margin.risk.estimators import estimators

ASSETS = ["BTC", "ETH", "SOL", "ADA"]
ESTIMATORS = [row.key for row in estimators()]

SYMBOLS = st.sampled_from([f"{a}/USDC:USDC" for a in ASSETS] + [f"{a}/USDT:USDT" for a in ASSETS])
OPTIONS = st.sampled_from(["BTC/USD:BTC-250627-60000-C", "BTC/USD:BTC-250627-50000-P", "ETH/USD:ETH-250110-3000-P"])
QUANTITIES = st.floats(-50, 50).filter(lambda q: abs(q) > 1e-3)
LINEAR = st.builds(Position, SYMBOLS, QUANTITIES)
ANY = st.one_of(LINEAR, LINEAR, st.builds(Position, OPTIONS, QUANTITIES))


def books(positions=LINEAR, least=1, most=7):
    return st.lists(positions, min_size=least, max_size=most).map(lambda p: Portfolio(tuple(p)))


def market_frame(n=700, seed=11, end="2024-12-31"):
    """Closes of ASSETS: common and own fat-tailed shocks, calm and wild stretches."""
    rng = np.random.default_rng(seed)
    wild = 1.0 + (np.arange(n) // 100 % 3 == 0)
    common = rng.standard_t(4, size=n) * 0.018 * wild
    own = rng.standard_t(4, size=(n, len(ASSETS))) * 0.013
    paths = np.exp(np.cumsum(common[:, None] + own, axis=0))
    closes = paths / paths[-1] * np.array([60_000.0, 3_000.0, 150.0, 0.6])
    return pd.DataFrame(closes, index=pd.date_range(end=end, periods=n), columns=ASSETS)
