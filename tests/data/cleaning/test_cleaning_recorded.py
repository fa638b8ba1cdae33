"""Cleaning against recorded prices: known defects are found, every crash survives. Skips without ../shared/market."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from data.cleaning.clean import clean_candles
from tests.support import shared_path

NOW = datetime(2026, 9, 1, tzinfo=UTC)
COLUMNS = ["open", "high", "low", "close", "volume"]


@pytest.fixture(scope="module")
def recorded():
    """{asset: (candles, cleaned, {kind: [findings]})} of every recorded daily series."""
    table = pd.read_parquet(shared_path("market/daily_candles.parquet"))
    result = {}
    for asset, rows in table.groupby("asset"):
        frame = rows.set_index("date")[COLUMNS]
        cleaned, findings = clean_candles(frame, asset, "1d", NOW)
        result[asset] = (
            frame,
            cleaned,
            {kind: [f for f in findings if f.kind == kind] for kind in {f.kind for f in findings}},
        )
    return result


def test_no_recorded_close_is_ever_cleaned_away(recorded):
    assert len(recorded) >= 25
    for asset, (frame, cleaned, found) in recorded.items():
        pd.testing.assert_series_equal(
            cleaned["close"], frame["close"].sort_index(), check_freq=False, check_names=False, check_index_type=False
        )
        assert "suspect print" not in found, asset


@pytest.mark.parametrize(
    ("asset", "day", "change"),
    [
        ("BTC", "2020-03-12", -0.39),
        ("ETH", "2020-03-12", -0.42),
        ("LUNA", "2022-05-11", -0.94),
        ("LUNA", "2022-05-12", -0.99),
        ("FTT", "2022-11-08", -0.75),
        ("FTT", "2022-11-09", -0.5),
        ("SOL", "2022-11-09", -0.4),
        ("DOGE", "2021-01-28", 3.5),
    ],
)
def test_the_great_moves_survive(recorded, asset, day, change):
    frame, cleaned, _ = recorded[asset]
    move = cleaned["close"].pct_change()[day]
    assert move == frame["close"].sort_index().pct_change()[day]
    assert abs(move) >= abs(change) * 0.8 and (move > 0) == (change > 0)


def test_the_flash_crash_of_october_2025_keeps_its_lows(recorded):
    for asset in ("LTC", "XRP", "DOGE", "LINK", "ADA", "AVAX", "AAVE", "UNI", "SUI", "DOT"):
        frame, cleaned, _ = recorded[asset]
        assert cleaned["low"]["2025-10-10"] == frame.set_index(frame.index)["low"]["2025-10-10"]


def test_exactly_the_known_bad_prints_are_found(recorded):
    found = {
        (asset, finding.first.date().isoformat(), finding.action)
        for asset, (_, _, kinds) in recorded.items()
        for finding in kinds.get("bad print", [])
    }
    assert found == {
        ("USDC", "2021-12-04", "low left empty"),  # 0.20 on a day that opened at 0.9994 and closed at 0.9989
        ("USDC", "2022-05-11", "high left empty"),  # 3.99
        ("USDC_USD", "2021-11-16", "high left empty"),  # 2.35
        ("ATOM", "2025-10-10", "low left empty"),  # 0.001 against a close of 2.946
        ("LINK", "2020-03-12", "low left empty"),  # 0.0001 against a close of 1.9931
    }


@pytest.mark.parametrize(
    ("asset", "count", "longest"), [("FTT", 311, "2022-11-15"), ("USDC", 165, "2022-09-27"), ("BTC", 6, "2026-03-20")]
)
def test_the_known_gaps_are_found(recorded, asset, count, longest):
    gap = recorded[asset][2]["gap"][0]
    assert gap.count == count and longest in gap.detail


def test_hourly_closes_keep_every_price_of_the_luna_and_ftx_days():
    hourly = pd.read_parquet(shared_path("market/hourly_closes_2021_2025.parquet")).set_index("open_time")
    for asset in hourly:
        frame = hourly[[asset]].rename(columns={asset: "close"}).dropna()
        cleaned, findings = clean_candles(frame, asset, "1h", NOW)
        assert len(cleaned) == len(frame)
        assert not {"bad print", "suspect print"} & {f.kind for f in findings}
    for name in ("lunausdt_binance_1h_close_2022-05-05_13", "fttusdt_binance_1h_close_2022-11-05_20"):
        frame = pd.read_csv(shared_path(f"market/stablecoin_stress/{name}.csv"), index_col=0, parse_dates=True)
        assert len(clean_candles(frame, "X", "1h", NOW)[0]) == len(frame)


def test_stocks_have_a_five_day_week_and_no_gaps():
    table = pd.read_csv(shared_path("market/tradfi_daily_adjclose.csv"), index_col=0, parse_dates=True)
    for asset in ("SPY", "QQQ", "GLD"):
        frame = table[[asset]].dropna().rename(columns={asset: "close"})
        cleaned, findings = clean_candles(frame, asset, "1d", NOW)
        assert len(cleaned) == len(frame) and findings == []
