"""Cleaning removes what cannot be a price, keeps every crash, fills nothing, and reports each thing it did."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.cleaning.clean import clean_candles, combine
from data.model import Provenance
from tests.data.store.helpers import candles

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def clean(frame, asset="BTC", interval="1d", now=NOW):
    frame, findings = clean_candles(frame, asset, interval, now)
    assert all(f.asset == asset for f in findings)
    return frame, {f.kind: f for f in findings}


def closes(values, start="2023-01-01", freq="D"):
    return pd.DataFrame({"close": np.array(values, float)}, index=pd.date_range(start, periods=len(values), freq=freq))


def flat(level, days, spread=0.0003, seed=0, freq="D"):
    return closes(level * np.exp(np.random.default_rng(seed).normal(0, spread, days)), freq=freq)


def test_sound_candles_pass_unchanged_and_without_a_finding():
    frame = candles(200)
    cleaned, found = clean(frame)
    assert found == {}
    pd.testing.assert_frame_equal(cleaned, frame, check_freq=False, check_names=False, check_index_type=False)


def test_a_duplicate_keeps_the_last_and_counts_the_rest():
    frame = candles(10)
    doubled = pd.concat([frame, frame.iloc[[4, 4]] * 2.0, frame.iloc[[7]]])
    cleaned, found = clean(doubled)
    assert len(cleaned) == 10
    assert cleaned["close"].iloc[4] == frame["close"].iloc[4] * 2
    assert (found["duplicate"].count, found["duplicate"].action) == (3, "dropped")
    assert found["duplicate"].first == datetime(2023, 1, 5, tzinfo=UTC)
    assert found["duplicate"].last == datetime(2023, 1, 8, tzinfo=UTC)


def test_unsorted_candles_are_sorted_and_said():
    cleaned, found = clean(candles(10).iloc[::-1])
    assert cleaned.index.is_monotonic_increasing and len(cleaned) == 10
    assert (found["unsorted"].count, found["unsorted"].action) == (9, "sorted")


@pytest.mark.parametrize(
    ("value", "kind"), [(0.0, "zero"), (-5.0, "zero"), (np.nan, "empty"), (np.inf, "empty"), (-np.inf, "empty")]
)
def test_a_close_that_is_no_price_is_dropped_and_leaves_a_gap(value, kind):
    frame = candles(10)
    frame.iloc[5, 3] = value
    cleaned, found = clean(frame)
    assert len(cleaned) == 9 and pd.Timestamp("2023-01-06") not in cleaned.index
    assert (found[kind].count, found[kind].action) == (1, "dropped")
    assert (found["gap"].count, found["gap"].action) == (1, "left empty")


def test_only_candles_that_are_over_are_kept():
    frame = candles(5, start="2025-12-29")  # to 2 January
    cleaned, found = clean(frame, now=datetime(2026, 1, 2, 0, 0, tzinfo=UTC))
    assert cleaned.index[-1] == pd.Timestamp("2026-01-01")  # ended at midnight: over
    assert found["unfinished"].count == 1
    cleaned, found = clean(frame, now=datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC))
    assert cleaned.index[-1] == pd.Timestamp("2025-12-31")
    assert found["unfinished"].count == 2
    hourly = candles(30, start="2025-12-31", freq="h")
    cleaned, found = clean(hourly, interval="1h", now=datetime(2025, 12, 31, 12, 30, tzinfo=UTC))
    assert cleaned.index[-1] == pd.Timestamp("2025-12-31 11:00")


def test_aware_stamps_become_utc():
    frame = candles(5).tz_localize("UTC").tz_convert("Asia/Tokyo")
    cleaned, found = clean(frame)
    assert list(cleaned.index) == list(candles(5).index) and found == {}


def test_a_stamp_between_two_candle_times_moves_on_never_back():
    """16:00 UTC is where Hong Kong's day begins: its close is known at 16:00 a day later, not at midnight before."""
    frame = candles(5)
    frame.index = frame.index + pd.Timedelta(hours=16)
    cleaned, found = clean(frame)
    assert list(cleaned.index) == list(pd.date_range("2023-01-02", periods=5))
    assert found["off grid"].count == 5
    frame.index = candles(5).index + pd.Timedelta(seconds=1)  # a second late is the same candle
    cleaned, found = clean(frame)
    assert list(cleaned.index) == list(candles(5).index) and found == {}


@pytest.mark.parametrize(
    ("column", "value"), [("high", 1.0), ("low", 1e6), ("open", -1.0), ("low", 0.0), ("high", np.inf)]
)
def test_a_range_that_contradicts_itself_is_left_empty_and_the_close_stays(column, value):
    frame = candles(10)
    frame.loc[frame.index[4], column] = value
    cleaned, found = clean(frame)
    assert cleaned.iloc[4][["open", "high", "low"]].isna().all()
    assert (cleaned["close"].to_numpy() == frame["close"].to_numpy()).all()
    assert cleaned.drop(cleaned.index[4])[["open", "high", "low"]].notna().all().all()
    assert (found["range"].count, set(found)) == (1, {"range"})


def test_volumes_below_zero_are_unknown_and_idle_candles_are_reported():
    frame = candles(20)
    frame.iloc[3, 4], frame.iloc[4, 4], frame.iloc[5:9, 4] = -1.0, np.inf, 0.0
    cleaned, found = clean(frame)
    assert cleaned["volume"].isna().to_numpy().nonzero()[0].tolist() == [3, 4]
    assert found["volume"].count == 2
    assert (found["no trades"].count, found["no trades"].action) == (4, "kept")
    assert "20.0%" in found["no trades"].detail


# Bad prints


@pytest.mark.parametrize("freq", ["D", "h"])
@pytest.mark.parametrize("factor", [0.2, 0.01, 0.1, 5.0, 100.0])
def test_a_stablecoin_far_off_for_one_candle_is_a_bad_print(factor, freq):
    frame = flat(1.0, 120, freq=freq)
    frame.iloc[70] *= factor
    cleaned, found = clean(frame, interval="1d" if freq == "D" else "1h")
    assert len(cleaned) == 119 and frame.index[70] not in cleaned.index
    assert (found["bad print"].count, found["bad print"].action) == (1, "dropped")


def test_a_slipped_decimal_in_an_ordinary_coin_is_a_bad_print():
    frame = candles(200)
    frame.loc[frame.index[150], ["open", "high", "low", "close"]] *= 10
    cleaned, found = clean(frame)
    assert len(cleaned) == 199 and found["bad print"].count == 1
    assert "between" in found["bad print"].detail


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a crash that stays", [100] * 40 + [10] * 40),
        ("a crash that recovers half", [100] * 40 + [20] + [60] * 40),
        ("a crash of two candles", [100] * 40 + [20, 22] + [100] * 40),
        ("a rise that stays", [1] * 40 + [5] * 40),
        ("a fall to nothing at the end", [100] * 40 + [50, 5, 0.01]),
        ("a depeg of ten per cent for a day", [1] * 40 + [0.9] + [1] * 40),
        ("a depeg of a third for a day", [1] * 40 + [0.66] + [1] * 40),
    ],
)
def test_real_moves_are_never_taken_for_bad_prints(name, path):
    noise = np.exp(np.random.default_rng(3).normal(0, 0.002, len(path)))
    frame = closes(np.array(path) * noise)
    cleaned, found = clean(frame)
    assert len(cleaned) == len(frame)
    assert "bad print" not in found


def test_a_spike_that_the_next_candle_opens_at_did_trade_and_is_kept_but_reported():
    frame = candles(120)
    frame["close"] = flat(1.0, 120)["close"].to_numpy()
    frame["open"] = frame["close"].shift(1).fillna(1.0)
    frame.iloc[70, 3] = 0.3
    frame.iloc[71, 0] = 0.3
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    cleaned, found = clean(frame)
    assert len(cleaned) == 120
    assert "bad print" not in found
    assert (found["suspect print"].count, found["suspect print"].action) == (1, "kept")


@pytest.mark.parametrize(("side", "value"), [("low", 0.2), ("high", 3.99)])
def test_a_wick_that_no_market_made_is_left_empty_and_the_candle_stays(side, value):
    frame = candles(120)
    level = flat(1.0, 120)["close"].to_numpy()
    for column in ("open", "high", "low", "close"):
        frame[column] = level
    frame.loc[frame.index[70], side] = value
    cleaned, found = clean(frame)
    assert len(cleaned) == 120
    assert cleaned[side].isna().to_numpy().nonzero()[0].tolist() == [70]
    assert (found["bad print"].count, found["bad print"].action) == (1, f"{side} left empty")


def test_a_deep_wick_of_an_ordinary_coin_is_a_crash_and_stays():
    frame = candles(200)
    frame.iloc[150, 2] = frame.iloc[150, 3] * 0.2  # an 80% flash crash, as of 10 October 2025
    cleaned, found = clean(frame)
    assert cleaned.iloc[150, 2] == frame.iloc[150, 2] and found == {}


def test_hourly_candles_are_measured_by_the_day_so_that_a_flash_crash_within_an_hour_stays():
    """10 October 2025, 21:00: wicks of 80% where an hour usually moves by half a per cent."""
    frame = candles(300, freq="h")
    for column in ("open", "high", "low", "close"):
        frame[column] = flat(100, 300, spread=0.004, freq="h")["close"].to_numpy()
    frame.iloc[250, 2] *= 0.2
    cleaned, found = clean(frame, interval="1h")
    assert cleaned["low"].notna().all() and found == {}


# Gaps and calendars


def missing_days(frame):
    """The twin: every calendar day between the first and the last that is not there."""
    have = {t.date() for t in frame.index}
    day, count = min(have), 0
    while day < max(have):
        count += day not in have
        day += timedelta(days=1)
    return count


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 90), min_size=2))
def test_gaps_of_a_seven_day_market_are_counted_like_the_twin(days):
    frame = candles(91).iloc[sorted({*days, *range(30, 45)})]  # two whole weeks, so that it trades on weekends
    cleaned, found = clean(frame)
    assert len(cleaned) == len(frame)
    assert (found["gap"].count if "gap" in found else 0) == missing_days(frame)


def test_weekends_and_single_holidays_of_a_five_day_market_are_no_gaps_a_lost_week_is():
    frame = candles(400)
    frame = frame[frame.index.day_of_week < 5]
    assert clean(frame)[1] == {}
    holidays = frame.drop([pd.Timestamp("2023-07-04"), pd.Timestamp("2023-11-23")])
    assert clean(holidays)[1] == {}
    lost = holidays.drop(pd.date_range("2023-03-06", "2023-03-10"))
    found = clean(lost)[1]
    assert (found["gap"].count, found["gap"].first.date()) == (5, date(2023, 3, 6))
    assert "2 single weekdays" in found["gap"].detail


def test_gaps_of_hourly_candles_are_hours():
    frame = candles(24 * 14, freq="h").drop(pd.date_range("2023-01-05 03:00", periods=7, freq="h"))
    found = clean(frame, interval="1h")[1]
    assert (found["gap"].count, found["gap"].action) == (7, "left empty")
    assert "longest 7 hours" in found["gap"].detail


# Side by side


def provenance(asset, status="live", fetched=None):
    return Provenance(
        asset=asset,
        source="kraken",
        symbol=f"{asset}/USD",
        interval="1d",
        status=status,
        fetched_at=fetched,
        first=None,
        last=None,
        rows=1,
    )


def together(frames, status=None, **options):
    sources = {a: provenance(a, (status or {}).get(a, "live")) for a in frames}
    return combine(frames, sources, options.get("findings", ()), "1d", options.get("failures", {}))


def test_series_stand_side_by_side_and_nothing_is_filled():
    early, late, stock = candles(100, seed=1), candles(55, start="2023-02-15", seed=2), candles(100, seed=3)
    stock = stock[stock.index.day_of_week < 5]
    dead = candles(60, seed=4)
    frames = {"BTC": early, "NEW": late, "SPY": stock, "LUNA": dead}
    prices = together(frames)
    assert prices.assets == ["BTC", "NEW", "SPY", "LUNA"]
    for asset, frame in frames.items():
        assert list(prices.closes[asset].dropna().index) == list(frame.index)
        assert (prices.closes[asset].dropna().to_numpy() == frame["close"].to_numpy()).all()
        expected = frame["close"].to_numpy() * frame["volume"].to_numpy()
        assert (prices.volumes[asset].dropna().to_numpy() == expected).all()
    assert prices.closes.index.is_monotonic_increasing and prices.closes.index.is_unique
    assert set(prices.closes.index) == set().union(*(set(f.index) for f in frames.values()))
    kinds = {(f.asset, f.kind): f for f in prices.findings}
    assert set(kinds) == {("NEW", "late listing"), ("SPY", "calendar"), ("LUNA", "delisted")}
    assert kinds["NEW", "late listing"].count == 45
    assert kinds["LUNA", "delisted"].count == 40 and kinds["LUNA", "delisted"].action == "kept to its end"
    assert kinds["SPY", "calendar"].count == sum(d.day_of_week >= 5 for d in pd.date_range("2023-01-02", "2023-04-10"))


def test_an_old_copy_is_stale_not_delisted_and_a_dead_asset_alone_is_still_delisted():
    frames = {"BTC": candles(100), "ETH": candles(60)}
    assert {f.kind for f in together(frames, {"ETH": "stale"}).findings} == {"stale"}
    fetched = datetime(2024, 1, 1, tzinfo=UTC)
    alone = combine({"LUNA": candles(60)}, {"LUNA": provenance("LUNA", "live", fetched)}, [], "1d", {})
    assert {f.kind for f in alone.findings} == {"delisted"}
    upload = combine({"X": candles(60)}, {"X": provenance("X", "upload", fetched)}, [], "1d", {})
    assert upload.findings == ()


def test_an_asset_without_a_candle_is_a_failure_and_given_failures_stay():
    prices = together({"BTC": candles(5), "NIL": candles(5).iloc[:0]}, failures={"XYZ": "not listed"})
    assert prices.assets == ["BTC"] and list(prices.provenance) == ["BTC"]
    assert prices.failures == {"NIL": "no usable candle", "XYZ": "not listed"}
    nothing = combine({}, {}, [], "1d", {"XYZ": "offline"})
    assert nothing.closes.empty and nothing.as_of is None and nothing.failures == {"XYZ": "offline"}


def test_the_version_follows_the_contents_and_not_the_time_of_the_fetch():
    frame = candles(30)
    version = together({"BTC": frame}).version
    changed = frame.copy()
    changed.iloc[7, 3] = np.nextafter(changed.iloc[7, 3], np.inf)
    volume = frame.copy()
    volume.iloc[7, 4] += 1.0
    others = [
        together({"BTC": changed}),
        together({"BTC": volume}),
        together({"ETH": frame}),
        together({"BTC": frame.iloc[:-1]}),
        together({"BTC": frame}, {"BTC": "sample"}),
        combine({"BTC": frame}, {"BTC": provenance("BTC")}, [], "1h", {}),
    ]
    versions = {version, *(p.version for p in others)}
    assert len(versions) == 1 + len(others)
    assert together({"BTC": frame.copy()}, {"BTC": "stored"}).version == version


# Whatever comes in


times = st.one_of(st.integers(0, 60 * 24).map(lambda h: pd.Timestamp("2023-01-01") + pd.Timedelta(hours=h)), st.none())
prices = st.one_of(st.floats(0.01, 1e6), st.sampled_from([0.0, -1.0, np.nan, np.inf, 1e-300, 1e300]))
rows = st.tuples(times, prices, prices, prices, prices, prices)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, max_size=40), st.sampled_from(["1d", "1h"]))
def test_whatever_comes_in_what_goes_out_is_fit_for_use_and_accounted_for(given_rows, interval):
    index = pd.DatetimeIndex([pd.NaT if r[0] is None else r[0] for r in given_rows])
    values = np.array([r[1:] for r in given_rows], float).reshape(len(given_rows), 5)
    frame = pd.DataFrame(values, index=index, columns=["open", "high", "low", "close", "volume"])
    now = datetime(2023, 2, 20, 7, tzinfo=UTC)
    cleaned, findings = clean_candles(frame, "X", interval, now)
    assert cleaned.index.is_unique and cleaned.index.is_monotonic_increasing and cleaned.index.tz is None
    assert np.isfinite(cleaned["close"]).all() and (cleaned["close"] > 0).all()
    assert set(cleaned["close"]) <= set(frame["close"])  # no price is made up
    assert not (cleaned["volume"] < 0).any()
    assert not (cleaned["high"] < cleaned["low"]).any()
    step = pd.Timedelta(days=1) if interval == "1d" else pd.Timedelta(hours=1)
    assert (cleaned.index + step <= pd.Timestamp(now).tz_localize(None)).all()
    assert len(frame) - len(cleaned) == sum(f.count for f in findings if f.action == "dropped")
    assert all(f.count > 0 and f.action and f.kind for f in findings)
    again, _ = clean_candles(cleaned, "X", interval, now)
    if not any(f.kind == "bad print" for f in findings):  # a removed print brings others next to each other
        pd.testing.assert_frame_equal(again, cleaned)


@pytest.mark.parametrize(("first", "count", "seen"), [(35, 6, True), (35, 5, False), (54, 6, True), (0, 6, True)])
def test_a_close_that_is_carried_on_for_days_is_named(first, count, seen):
    frame = flat(100.0, 60, 0.02)
    frame.iloc[first : first + count] = frame["close"].iloc[first]
    cleaned, found = clean(frame)
    assert len(cleaned) == 60 and ("frozen" in found) is seen
    if seen:
        assert found["frozen"].count == count - 1 and found["frozen"].action == "kept"
        assert f"{count} times in a row from {frame.index[first].date()}" in found["frozen"].detail


def test_a_pegged_coin_and_a_share_carried_over_weekends_are_not_frozen():
    pegged = flat(1.0, 60, 0.0003)
    pegged.iloc[20:40] = 1.0
    assert "frozen" not in clean(pegged)[1]
    share = flat(100.0, 120, 0.02)
    share["close"] = share["close"].where(share.index.day_of_week < 5).ffill()
    share.iloc[50:58] = share["close"].iloc[50]
    assert "frozen" not in clean(share)[1]
    assert "frozen" not in clean(closes([7.0] * 60))[1]


def test_hours_are_frozen_after_a_day():
    for count, seen in ((25, True), (24, False)):
        frame = flat(100.0, 300, 0.01, freq="h")
        frame.iloc[100 : 100 + count] = frame["close"].iloc[100]
        assert ("frozen" in clean(frame, interval="1h")[1]) is seen
