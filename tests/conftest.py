"""Shared fixtures, and what every test is run under."""

import hypothesis
import numpy as np
import pandas as pd
import pytest

# No deadline: a busy machine is no fault of ours. Tests that need more (or can do with fewer) examples say so.
hypothesis.settings.register_profile(
    "margin-lab", max_examples=40, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
if hypothesis.settings.get_current_profile_name() != "mutants":
    hypothesis.settings.load_profile("margin-lab")


@pytest.fixture(scope="session")
def closes() -> pd.DataFrame:
    """Three years of daily closes of four correlated assets: a fat-tailed random walk, no holes."""
    rng = np.random.default_rng(7)
    n, k = 1100, 4
    common = rng.standard_t(4, size=(n, 1)) * 0.02
    own = rng.standard_t(4, size=(n, k)) * 0.015
    paths = np.exp(np.cumsum(common + own, axis=0)) * np.array([60_000.0, 3_000.0, 150.0, 1.0])
    return pd.DataFrame(paths, index=pd.date_range("2022-01-01", periods=n), columns=["BTC", "ETH", "SOL", "ADA"])
