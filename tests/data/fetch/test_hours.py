"""Stored hourly candles beside daily ones: whole days of them fill what the daily series lacks, and it is said."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from data.exchange.client import Patience
from data.fetch.fetch import fetch_prices
from data.fetch.hours import daily_of
from data.fetch.sets import stored_prices
from data.model import SeriesKey
from data.store.store import Store

NOW = datetime(2024, 6, 10, 9, tzinfo=UTC)
STAMPS = pd.date_range("2024-05-01", "2024-06-10 08:00", freq="h")
PRICE = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.004, len(STAMPS))))
HOURS = pd.DataFrame(
    {"open": PRICE * 0.999, "high": PRICE * 1.002, "low": PRICE * 0.997, "close": PRICE, "volume": 5.0}, STAMPS
)
DAY_CLOSES = HOURS["close"][STAMPS.hour == 23]


def daily(first, last):
    index = pd.date_range(first, last)
    closes = DAY_CLOSES.set_axis(DAY_CLOSES.index.floor("D"))[index]
    return pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": 120.0}, index)


def store_of(tmp_path, *series, at=NOW):
    store = Store(tmp_path / "prices.db")
    for source, symbol, interval, candles in series:
        store.append(SeriesKey(source, symbol, interval), candles, at)
    return store


def made(prices, asset="BTC"):
    return [f for f in prices.findings if f.kind == "resampled" and f.asset == asset]


def test_a_day_is_made_of_its_24_hours():
    day = daily_of(HOURS).loc["2024-05-03"]
    hours = HOURS.loc["2024-05-03"]
    assert day["close"] == hours["close"].iloc[-1] and day["open"] == hours["open"].iloc[0]
    assert day["high"] == hours["high"].max() and day["low"] == hours["low"].min()
    assert day["volume"] * day["close"] == pytest.approx(float((hours["close"] * hours["volume"]).sum()))
    assert daily_of(HOURS).index[-1] == pd.Timestamp("2024-06-09")  # the tenth is not over


def test_a_day_without_its_last_hour_has_no_close_and_one_with_a_hole_no_range():
    lacking = HOURS.drop([pd.Timestamp("2024-05-03 23:00"), pd.Timestamp("2024-05-04 07:00")])
    days = daily_of(lacking)
    assert pd.Timestamp("2024-05-03") not in days.index
    assert days.loc["2024-05-04", "close"] == HOURS["close"]["2024-05-04 23:00"]
    assert days.loc["2024-05-04", ["open", "high", "low", "volume"]].isna().all()


def test_hours_fill_the_days_that_the_daily_series_lacks(tmp_path):
    holed = daily("2024-05-10", "2024-06-01").drop(pd.date_range("2024-05-20", "2024-05-22"))
    store = store_of(tmp_path, ("kraken", "BTC/USD", "1d", holed), ("kraken", "BTC/USD", "1h", HOURS))
    prices = stored_prices(store, now=NOW)
    whole = daily("2024-05-01", "2024-06-09")["close"]
    np.testing.assert_allclose(prices.closes["BTC"], whole)
    assert list(prices.closes.index) == list(whole.index)
    (said,) = made(prices)
    assert said.count == 9 + 3 + 8 and said.action == "made daily" and "kraken BTC/USD" in said.detail
    known = prices.provenance["BTC"]
    assert known.status == "stored" and "20 days made of hourly candles" in known.note and known.rows == len(whole)
    assert not [f for f in prices.findings if f.kind == "gap"]


def test_an_asset_with_hours_only_has_daily_closes(tmp_path):
    prices = stored_prices(store_of(tmp_path, ("okx", "WIF/USDT", "1h", HOURS)), now=NOW)
    assert prices.assets == ["WIF"] and len(prices.closes) == 40
    known = prices.provenance["WIF"]
    assert (known.interval, known.status, known.source) == ("1d", "stored", "okx")
    assert "made of hourly candles" in known.note and "USDT taken as USD" in known.note
    assert "no daily candles are stored" in made(prices, "WIF")[0].detail
    assert stored_prices(
        store_of(tmp_path, ("okx", "WIF/USDT", "1h", HOURS)), now=NOW + timedelta(days=3)
    ).provenance["WIF"].status == "stale"  # fmt: skip


@pytest.mark.parametrize(("ratio", "fills"), [(1.0, True), (1.019, True), (0.979, False), (1000.0, False)])
def test_hours_of_another_market_fill_only_where_the_two_agree(tmp_path, ratio, fills):
    other = HOURS * [ratio, ratio, ratio, ratio, 1.0]
    store = store_of(
        tmp_path, ("kraken", "BTC/USD", "1d", daily("2024-05-10", "2024-06-01")), ("okx", "BTC/USDT", "1h", other)
    )
    prices = stored_prices(store, now=NOW)
    assert len(prices.closes) == (40 if fills else 23) and bool(made(prices)) == fills


def test_hours_that_share_no_day_fill_only_their_own_pair(tmp_path):
    early = ("kraken", "BTC/USD", "1d", daily("2024-05-01", "2024-05-09"))
    late = HOURS.loc["2024-05-12":]
    assert len(stored_prices(store_of(tmp_path, early, ("kraken", "BTC/USD", "1h", late)), now=NOW).closes) == 9 + 29
    other = tmp_path / "other"
    assert len(stored_prices(store_of(other, early, ("okx", "BTC/USDT", "1h", late)), now=NOW).closes) == 9


def test_daily_closes_are_never_replaced(tmp_path):
    ours = daily("2024-05-01", "2024-06-09") * [1.004, 1.004, 1.004, 1.004, 1.0]
    store = store_of(tmp_path, ("kraken", "BTC/USD", "1d", ours), ("kraken", "BTC/USD", "1h", HOURS))
    prices = stored_prices(store, now=NOW)
    np.testing.assert_allclose(prices.closes["BTC"], ours["close"])
    assert not made(prices) and "hourly" not in prices.provenance["BTC"].note


def test_the_hours_lie_beside_the_days_where_they_reach_as_far(tmp_path):
    store = store_of(
        tmp_path,
        ("kraken", "BTC/USD", "1d", daily("2024-05-01", "2024-06-09")), ("kraken", "BTC/USD", "1h", HOURS),
        ("kraken", "ETH/USD", "1d", daily("2024-05-01", "2024-06-09")),
        ("kraken", "ETH/USD", "1h", HOURS.loc[:"2024-06-01"]),
    )  # fmt: skip
    prices = stored_prices(store, now=NOW)
    assert list(prices.fine.columns) == ["BTC"] and len(prices.fine) == len(HOURS)
    assert list(prices.market().fine.columns) == ["BTC"]


def test_a_share_whose_day_ends_before_midnight_is_not_filled(tmp_path):
    trading = HOURS[(STAMPS.hour >= 14) & (STAMPS.hour <= 20) & (STAMPS.day_of_week < 5)]
    prices = stored_prices(store_of(tmp_path, ("yahoo", "SPY", "1h", trading)), now=NOW)
    assert prices.closes.empty


def test_a_daily_fetch_that_nobody_answers_uses_the_stored_hours(tmp_path, monkeypatch):
    monkeypatch.setenv("MARGIN_OFFLINE", "1")
    store = store_of(tmp_path, ("kraken", "BTC/USD", "1h", HOURS))
    prices = fetch_prices(["BTC", "ETH"], days=20, store=store, now=NOW, patience=Patience())
    assert len(prices.closes) == 20 and prices.closes.index[-1] == pd.Timestamp("2024-06-09")
    assert made(prices)[0].count == 20 and set(prices.failures) == {"ETH"}
