"""Brackets of older days: an account of that day is judged by the table of that day, one of today by today's."""

import numpy as np
import pandas as pd
import pytest

from margin import Position, venues
from margin.models.marks import Marks
from margin.venues.check import check
from tests.venues.door import Account
from tests.venues.test_check import account

BINANCE = venues.rulebook("binance").of_the_day()
# First brackets as the public tables of freqtrade had them: contract, day, upper end, rate.
SEEN = [
    ("ADA", "2022-06-04", 10_000, 0.0065),
    ("ADA", "2023-02-16", 10_000, 0.0065),
    ("ADA", "2023-02-17", 5_000, 0.005),
    ("ADA", "2024-07-11", 5_000, 0.005),
    ("SOL", "2022-12-25", 150_000, 0.02),
    ("SOL", "2023-06-01", 50_000, 0.01),
    ("BNB", "2022-03-01", 10_000, 0.0065),
    ("BTC", "2022-06-04", 50_000, 0.004),
    ("BTC", "2025-10-10", 50_000, 0.004),
    ("BTC", "2025-10-11", 300_000, 0.004),
    ("ETH", "2023-12-11", 100_000, 0.005),
    ("BLUR", "2023-06-01", 5_000, 0.02),
    ("BLUR", "2024-06-01", 5_000, 0.015),
]


def marks(day, **prices):
    return Marks(prices or {"BTC": 1.0}, pd.Timestamp(day))


@pytest.mark.parametrize(("asset", "day", "cap", "rate"), SEEN)
def test_the_first_bracket_is_the_day_s(asset, day, cap, rate):
    tier = BINANCE.tiers_on(asset, False, marks(day))[0]
    assert (tier.cap, tier.rate) == (cap, rate)


def test_today_and_a_day_before_every_table_use_the_carried_one():
    for day in ("2026-09-29", "2200-01-01", "2021-01-01"):
        assert BINANCE.tiers_on("BTC", False, marks(day)) is BINANCE.tiers_for("BTC")
    assert BINANCE.tiers_on("0G", False, marks("2023-01-01")) is BINANCE.tiers_for("0G")  # not among the older ones


def test_every_older_table_is_continuous_and_in_order():
    history = BINANCE.parameters["history"]
    assert history and all(history.values())
    for asset, tables in history.items():
        assert BINANCE.tiers_for(asset) is not None
        days = [day for day, _ in tables]
        assert days == sorted(set(days))
        for day, rows in tables:
            assert BINANCE.tiers_on(asset, False, marks(day)).continuous
            assert rows[-1][1] is None and rows[0][0] == 0


def test_the_documented_account_s_bracket_is_that_of_2022():
    """ADA's sample in the venue's own document prints 0.65%, its first bracket until February 2023."""
    held = Position("ADA/USDT:USDT", 30.0, 0.385, 20, mark_price=0.4104759)
    said = {"position_maintenance": {held.symbol: 0.0800428}}
    assert check(account((held,), (), "binance", **said), as_of="2022-12-01").matched == 1
    assert check(account((held,), (), "binance", **said), as_of="2024-07-11").matched == 0


def test_the_line_names_the_older_source_and_states_follow_the_day():
    book = [("SOL/USDT:USDT", 5_000.0, 20.0, 5.0)]
    old = Account(BINANCE, "cross", book, {"USDT": 3e4}, {"SOL": 20.0}, when="2022-12-25")
    (line,) = [x for x in old.state.lines if x.part == "maintenance"]
    assert "2022-02-16 to 2024-10-24" in line.source
    assert old.state.maintenance == pytest.approx(100_000 * 0.02)
    found = old.model.states(old.sub, old.marks, np.array([[1.0, 1.0], [0.5, 1.0]]))
    assert found.maintenance.tolist() == pytest.approx([2_000.0, 1_000.0])
    new = Account("binance", "cross", book, {"USDT": 3e4}, {"SOL": 20.0}, when="2022-12-25")  # of today, on that day
    assert new.state.maintenance < old.state.maintenance / 2
