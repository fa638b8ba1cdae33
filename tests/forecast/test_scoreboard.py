"""The forecast against distance in sigmas on recorded prices, out of sample: the guard of docs/forecast.md's table."""

from dataclasses import replace

import numpy as np
import pytest

from margin.forecast.calibration import fit, logit, table
from margin.forecast.scores import brier_terms, skill
from tests.support import shared_path


@pytest.mark.parametrize(("step", "every", "least"), [("hour", 120, 3.0), ("day", 6, 8.0)])
def test_brier_skill_over_the_baseline(step, every, least):
    shared_path("market/hourly_closes_2021_2025.parquet")
    from benchmarks.forecast_rows import SETUPS, rows

    frame = rows(replace(SETUPS[step], every=every), seed=11)
    half = frame["origin"].quantile(0.5)
    train, test = frame[frame["end"] < half], frame[frame["origin"] >= half].copy()
    for days, own in test.groupby("days"):
        past = train[train["days"] == days]
        a, b = fit(past["pool"].to_numpy(), past["hit"].to_numpy())
        test.loc[own.index, "p"] = 1 / (1 + np.exp(-(a + b * logit(own["pool"].to_numpy()))))
    y = test["hit"].to_numpy()
    weeks = test["origin"].to_numpy().astype("datetime64[D]").astype(int) // 7
    found = skill(brier_terms(test["p"].to_numpy(), y), brier_terms(test["refl_win"].to_numpy(), y), weeks)
    assert found.percent >= least
    assert found.low > 0


def test_the_stored_correction_is_of_such_rows():
    for step in ("hour", "day"):
        stored = table(step)
        assert stored.source == "table"
        assert stored.rows > 5000
        assert stored.windows > 100
        assert stored.fitted is not None
        assert all(0.4 < b < 1.0 for b in stored.b)  # every structural model is too sure of itself
