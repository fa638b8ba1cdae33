"""Which day a payment belongs to, in one place: the day whose close at 24:00 UTC it comes up to."""

import numpy as np
import pandas as pd
import pytest

from margin.core.position import Position
from margin.models.funding import Funding, a_day

LONG = Position("BTC/USDT:USDT", 1.0)
DAYS = pd.date_range("2025-01-01", periods=4).to_numpy()
WEEK = pd.DatetimeIndex(["2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07"]).to_numpy()  # no weekend


def paid(*rows):
    return pd.Series([rate for _, rate in rows], pd.DatetimeIndex([time for time, _ in rows]))


@pytest.mark.parametrize(
    ("time", "day"),
    [("2025-01-02 00:00", 0), ("2025-01-02 00:00:01", 1), ("2025-01-02 08:00", 1), ("2025-01-02 23:59:59", 1),
     ("2025-01-03 00:00", 1), ("2025-01-05 00:00", 3)],
)  # fmt: skip
def test_a_payment_belongs_to_the_day_that_ends_at_or_after_it(time, day):
    ((asset, rates),) = a_day({"BTC": paid((time, 1e-4))}, DAYS, 0.0)
    assert asset == "BTC" and rates == tuple(1e-4 if i == day else 0.0 for i in range(4))


@pytest.mark.parametrize("dates", [DAYS, WEEK])
def test_both_ways_of_asking_give_the_same(dates):
    """A table of days and the payments between two closes: every hour of a week, in no order."""
    times = pd.date_range("2024-12-31 16:00", "2025-01-09", freq="8h")
    record = pd.Series(np.random.default_rng(5).normal(0, 1e-4, len(times)), times).sample(frac=1, random_state=1)
    ((_, rates),) = a_day({"BTC": record}, dates, 0.0)
    between = Funding({"BTC": record}).between(LONG, dates)
    np.testing.assert_allclose(rates[1:], between, rtol=0, atol=1e-15)
    for i in range(1, len(dates)):
        slow = sum(
            rate for time, rate in record.items() if dates[i - 1] < (time - pd.Timedelta(days=1)).to_numpy() <= dates[i]
        )
        assert between[i - 1] == pytest.approx(slow, abs=1e-15)


def test_a_rate_counts_for_each_day_and_stands_in_where_nothing_is_recorded():
    assert Funding(3e-4).between(LONG, WEEK) == pytest.approx([3e-4, 9e-4, 3e-4])
    ((_, rates),) = a_day({"BTC": paid(("2025-01-03 08:00", 1e-4))}, WEEK, 5e-4)
    assert rates == pytest.approx((5e-4, 1e-4, 15e-4, 5e-4))
