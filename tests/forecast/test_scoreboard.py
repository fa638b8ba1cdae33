"""The forecast against distance in sigmas on recorded prices, out of sample: the guard of docs/forecast.md's table."""

from dataclasses import replace
from itertools import product

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


@pytest.mark.parametrize(("step", "every"), [("hour", 240), ("day", 12)])
def test_watched_all_the_time_the_model_used_is_no_worse_and_better_calibrated(step, every):
    shared_path("market/daily_candles.parquet")
    from benchmarks.forecast_rows import SETUPS, rows

    frame = rows(replace(SETUPS[step], every=every), "continuous", seed=11)
    assert (frame["hit"] >= frame["at_closes"]).all()
    assert frame["hit"].mean() > 1.05 * frame["at_closes"].mean()  # what closes do not see
    used = table(step).apply(frame["pool"].to_numpy(), frame["days"].to_numpy(float))
    y = frame["hit"].to_numpy()
    assert brier_terms(used, y).mean() < brier_terms(frame["refl_win"].to_numpy(), y).mean()
    assert abs(used.mean() - y.mean()) < 0.02


def _made(lows, highs):
    """300 days of two coins that move 2% a day, with these factors of the closes as lows and highs."""
    from benchmarks.forecast_prices import Recorded

    rng = np.random.default_rng(0)
    closes = 100 * np.cumprod(1 + 0.02 * rng.standard_normal((300, 2)), axis=0)
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + 300).astype("datetime64[ns]")
    return Recorded(closes=closes, stamps=days, assets=("A", "B"), lows=lows * closes, highs=highs * closes)


def test_rows_are_judged_by_the_side_that_hurts():
    shared_path("market/daily_candles.parquet")
    from benchmarks.forecast_rows import Setup, _rows

    setup = Setup(step="day", per_day=1, history=200, plain=90, days=(1, 3), books=2, every=3)
    flat = _rows(setup, _made(1.0, 1.0), "continuous", 1, 3)
    assert (flat["hit"] == flat["at_closes"]).all()
    low = _rows(setup, _made(0.2, 1.0), "continuous", 1, 3)
    assert low["legs"].eq(1).all() and {"long", "short"} <= set(low["kind"])
    assert low.loc[low["kind"] == "long", "hit"].all()
    short = low["kind"] == "short"
    assert (low.loc[short, "hit"] == low.loc[short, "at_closes"]).all()
    high = _rows(setup, _made(1.0, 5.0), "continuous", 1, 3)
    assert high.loc[high["kind"] == "short", "hit"].all() and not high.loc[high["kind"] == "long", "hit"].all()


def test_the_stored_correction_is_of_such_rows():
    for step, watched in product(("hour", "day"), ("continuous", "closes")):
        stored = table(step, watched)
        assert ("highs and lows" in stored.sample) == (watched == "continuous")
        assert stored.source == "table"
        assert stored.rows > 5000
        assert stored.windows > 100
        assert stored.fitted is not None
        assert all(0.4 < b < 1.0 for b in stored.b)  # every structural model is too sure of itself
