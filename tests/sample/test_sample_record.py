"""The sample against the record, figure by figure: month ends, named events, extremes, calendars.

Reads the recorded figures by itself, not through the builder.
"""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.sample import load_sample
from tests.support import ROOT, shared_path

BUNDLED, FACTS = ROOT / "margin" / "sample", ROOT / "tools" / "sample" / "facts"
MONTH_ENDS = pd.read_csv(FACTS / "month_end_closes.csv", index_col="date", parse_dates=["date"])
EVENTS = pd.read_csv(BUNDLED / "stress_events.csv", parse_dates=["start", "end"])
CALIBRATION = json.loads((FACTS / "calibration.json").read_text())
COINS = list(CALIBRATION["assets"])
STOCKS = ["SPY", "QQQ", "GLD"]
DOLLAR_PAIRS = {"USDC_USD": "USDC", "USDT_USD": "USDT"}


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return load_sample().closes


def test_holds_the_promised_assets_and_days(prices):
    assert len(COINS) >= 15
    assert list(prices.columns) == [*COINS, *STOCKS, "USDC", "USDT"]
    assert list(prices.index) == list(pd.date_range("2020-09-30", "2026-08-31"))


def test_every_month_end_is_the_recorded_close_to_the_last_digit(prices):
    last = (
        prices[MONTH_ENDS.columns].resample("ME").last().where(MONTH_ENDS.notna())
    )  # a month without a record is simulated
    pd.testing.assert_frame_equal(last, MONTH_ENDS, check_freq=False, check_exact=True, check_index_type=False)


def test_a_coins_month_end_is_on_the_month_end_itself(prices):
    pd.testing.assert_frame_equal(
        prices.loc[MONTH_ENDS.index, COINS].where(MONTH_ENDS[COINS].notna()),
        MONTH_ENDS[COINS],
        check_freq=False,
        check_exact=True,
    )


def test_every_named_event_moves_as_recorded(prices):
    checked = 0
    for row in EVENTS[EVENTS["start"] > prices.index[0]].itertuples():
        asset = DOLLAR_PAIRS.get(row.asset, row.asset)
        if asset not in prices or row.asset in DOLLAR_PAIRS.values():  # USDC against USDT is another pair
            continue
        before = prices[asset][row.start - pd.Timedelta(days=1)]
        move = prices[asset][row.end] / before - 1
        assert move == pytest.approx(row.close_to_close_return, abs=2e-6), (row.event, asset)
        checked += 1
    assert checked == 294


def test_worst_day_is_the_recorded_one_on_its_date_and_best_day_has_its_size(prices):
    moves = prices[COINS].pct_change(fill_method=None)
    for coin in COINS:
        figures = CALIBRATION["assets"][coin]
        assert moves[coin].idxmin() == pd.Timestamp(figures["worst_day_date"]), coin
        assert moves[coin].min() == pytest.approx(figures["worst_day"], abs=6e-5), coin
        assert moves[coin].max() == pytest.approx(figures["best_day"], abs=6e-5), coin


def test_usdc_loses_its_peg_in_march_2023_and_nowhere_else(prices):
    for coin in ("USDC", "USDT"):
        away = (prices[coin] - 1).abs()
        outside = away.drop(pd.date_range("2023-03-05", "2023-03-20"))
        assert outside.max() < 0.004, coin
    assert prices["USDC"].idxmin() == pd.Timestamp("2023-03-11")
    assert 0.97 < prices["USDC"].min() < 0.975
    assert prices["USDC"]["2023-03-14"] > 0.995


def test_no_close_is_missing_between_an_assets_first_and_last_day(prices):
    spans = {coin: (prices[coin].first_valid_index(), prices[coin].last_valid_index()) for coin in prices.columns}
    assert spans.pop("AAVE") == (pd.Timestamp("2020-10-15"), prices.index[-1])
    assert set(spans.values()) == {(prices.index[0], prices.index[-1])}
    for coin in [*COINS, "USDC", "USDT"]:
        held = prices[coin].dropna()
        assert len(held) == (held.index[-1] - held.index[0]).days + 1, coin


def test_stocks_close_on_exchange_days_only(prices):
    for stock in STOCKS:
        days = prices[stock].dropna().index
        assert (days.day_of_week < 5).all()
        weekdays = prices.index[prices.index.day_of_week < 5]
        holidays = {day.date() for day in weekdays.difference(days)}
        # 9 a year in 2021 (no Juneteenth yet, New Year's on a Friday), 10 or 11 later, from the exchange's calendar.
        assert {day for day in holidays if day.year == 2024} == {
            date(2024, 1, 1),
            date(2024, 1, 15),
            date(2024, 2, 19),
            date(2024, 3, 29),
            date(2024, 5, 27),
            date(2024, 6, 19),
            date(2024, 7, 4),
            date(2024, 9, 2),
            date(2024, 11, 28),
            date(2024, 12, 25),
        }
        assert len({day for day in holidays if day.year == 2021}) == 9
        assert date(2025, 1, 9) in holidays


def test_trading_days_are_those_of_recorded_stock_closes(prices):
    real = pd.read_csv(shared_path("market/tradfi_daily_adjclose.csv"), index_col="date", parse_dates=["date"])
    days = real["SPY"].dropna().loc["2020-09-30":"2026-03-31"].index
    assert list(prices["SPY"].dropna().loc[:"2026-03-31"].index) == list(days)


def test_volumes_are_there_where_closes_are_and_have_the_recorded_median_of_2025():
    sample = load_sample()
    assert (sample.volumes.notna() == sample.closes.notna()).all().all()
    assert np.nanmin(sample.volumes.to_numpy()) > 0
    medians = sample.volumes.loc["2025"].median()
    for coin, figure in CALIBRATION["median_daily_quote_volume_usd_2025"].items():
        assert medians[coin] == pytest.approx(figure, rel=2e-3), coin


def test_volume_rises_with_the_size_of_the_move():
    sample = load_sample()
    for asset in (*COINS, *STOCKS):
        moves = sample.closes[asset].dropna().pct_change().abs()
        assert moves.corr(sample.volumes[asset].dropna(), method="spearman") > 0.25, asset


def test_files_are_under_a_megabyte_and_plain_csv():
    files = [
        p for folder in (BUNDLED, FACTS) for p in folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")
    ]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    assert {path.suffix for path in files} == {".csv", ".json"}


def test_recorded_figures_are_the_ones_that_were_handed_over():
    for name, path in (
        ("facts/month_end_closes.csv", FACTS / "month_end_closes.csv"),
        ("facts/calibration.json", FACTS / "calibration.json"),
        ("facts/stress_events.csv", BUNDLED / "stress_events.csv"),
    ):
        newer = shared_path("facts").joinpath("2026", path.name)
        rows = newer.read_text().split("\n", 1)[1] if newer.exists() else ""  # the months after the first hand-over
        assert Path(shared_path(name)).read_text() + rows == path.read_text(), name


def test_days_in_between_are_not_recorded_prices(prices):
    """Simulated means simulated: off the pins, a close is no nearer to the recorded one than chance has it."""
    real = pd.read_csv(shared_path("market/daily_closes.csv"), index_col="date", parse_dates=["date"])
    free = prices.index.difference(MONTH_ENDS.index)
    for coin in COINS:
        both = pd.DataFrame({"sample": prices[coin], "real": real[coin]}).loc[free].dropna()
        assert ((both["sample"] / both["real"] - 1).abs() < 1e-5).mean() < 0.005, coin
