"""The least history of a haircut, to the day."""

import numpy as np
import pandas as pd
import pytest

from margin import InputError, Market
from margin.haircut.model import haircut
from margin.haircut.settings import HaircutSettings
from margin.haircut.tails import LEAST_RETURNS

CUTS = HaircutSettings(lookback=50, long_run=50, volume_days=10)


def market(rows):
    closes = 100.0 * np.cumprod(1 + np.random.default_rng(4).normal(0, 0.03, rows))
    frame = pd.DataFrame({"SOL": closes}, pd.date_range("2025-01-01", periods=rows))
    return Market(frame, frame * 0 + 1e8)


def test_fifty_returns_over_the_days_of_waiting_are_enough_and_one_less_is_not():
    rows = LEAST_RETURNS + CUTS.wait
    assert 0 < haircut(market(rows), "SOL", 1e4, None, CUTS).total <= 1
    with pytest.raises(
        InputError, match=f"has {LEAST_RETURNS - 1} returns over 2 days by then, {LEAST_RETURNS} are needed"
    ):
        haircut(market(rows - 1), "SOL", 1e4, None, CUTS)
