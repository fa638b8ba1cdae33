"""What the store keeps comes back bit for bit, merged as promised."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model import CANDLE_COLUMNS, Finding, SeriesKey
from data.store.codec import HEADER, DamagedBlob, _checksum, decode, encode, merge, to_block
from data.store.store import Store, default_store
from tests.data.store.helpers import BTC, ETH, HOURLY, MONDAY, TUESDAY, candles, same


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "prices.db")
    yield store
    store.close()


def test_an_unknown_series_is_none_and_an_empty_store_has_no_keys(store):
    assert store.read(BTC) is None
    assert store.keys() == []
    assert store.notices == []


def test_what_was_appended_is_read_back_by_another_store_on_the_same_file(store):
    frame = candles(400)
    frame.iloc[3, 4] = np.nan
    store.append(BTC, frame, MONDAY, MONDAY - timedelta(days=500))
    again = Store(store.path).read(BTC)
    assert same(again.candles, frame)
    assert list(again.candles.columns) == list(CANDLE_COLUMNS)
    assert (again.fetched_at, again.complete_since) == (MONDAY, MONDAY - timedelta(days=500))
    assert again.candles.index.tz is None


def test_series_do_not_mix(store):
    frames = {
        BTC: candles(5, seed=1),
        ETH: candles(6, seed=2),
        HOURLY: candles(7, freq="h", seed=3),
        SeriesKey("okx", "BTC/USD", "1d"): candles(8, seed=4),
    }
    for key, frame in frames.items():
        store.append(key, frame, MONDAY)
    assert store.keys() == sorted(frames, key=lambda k: (k.source, k.symbol, k.interval))
    for key, frame in frames.items():
        assert same(store.read(key).candles, frame)


def test_the_later_fetch_wins_on_the_same_time_even_when_it_is_stored_first(store):
    early, late = candles(10, seed=1), candles(10, seed=2)
    store.append(BTC, late, TUESDAY)
    store.append(BTC, early, MONDAY)
    assert same(store.read(BTC).candles, late)
    assert store.read(BTC).fetched_at == TUESDAY
    store.append(BTC, early, TUESDAY)  # as late: what came last counts
    assert same(store.read(BTC).candles, early)


def test_older_and_newer_candles_extend_a_series_on_both_sides(store):
    whole = candles(30)
    store.append(BTC, whole.iloc[10:20], MONDAY)
    store.append(BTC, whole.iloc[:12], TUESDAY)
    store.append(BTC, whole.iloc[19:], TUESDAY)
    assert same(store.read(BTC).candles, whole)


def test_unsorted_repeated_aware_and_incomplete_candles_are_put_in_order(store):
    frame = candles(6)
    moscow = frame.tz_localize("UTC").tz_convert("Europe/Moscow")
    store.append(BTC, pd.concat([moscow.iloc[::-1], moscow.iloc[2:3] * 2])[["close"]], MONDAY)
    read = store.read(BTC).candles
    expected = frame["close"].copy()
    expected.iloc[2] *= 2
    assert list(read.index) == list(frame.index)
    assert (read["close"] == expected).all()
    assert read[["open", "high", "low", "volume"]].isna().all().all()


def test_naive_stamps_and_frames_without_closes_are_programming_errors(store):
    with pytest.raises(ValueError, match="aware"):
        store.append(BTC, candles(2), datetime(2024, 1, 1))
    with pytest.raises(ValueError, match="close"):
        store.append(BTC, candles(2)[["open"]], MONDAY)
    assert store.read(BTC) is None


def test_stamps_keep_their_instant_from_any_zone(store):
    tokyo = timezone(timedelta(hours=9))
    store.append(BTC, candles(2), datetime(2024, 6, 4, 3, 0, 0, 123456, tzinfo=tokyo))
    assert store.read(BTC).fetched_at == datetime(2024, 6, 3, 18, 0, 0, 123456, tzinfo=UTC)


def test_an_empty_answer_is_remembered_as_asked(store):
    store.append(BTC, candles(3).iloc[:0], MONDAY, MONDAY - timedelta(days=9))
    assert store.read(BTC).candles.empty
    assert store.read(BTC).complete_since == MONDAY - timedelta(days=9)


def test_a_read_frame_belongs_to_the_caller(store):
    store.append(BTC, candles(3), MONDAY)
    mine = store.read(BTC).candles
    mine["close"] = 0.0
    assert (store.read(BTC).candles["close"] > 0).all()


def day(number):
    return datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=number)


@pytest.mark.parametrize(
    ("first", "second", "complete"),
    [
        # (candles from, to, complete since) of two fetches, and what is complete after both
        ((10, 20, 10), (20, 30, 20), 10),  # follows on
        ((10, 20, 10), (21, 30, 21), 10),  # the very next day
        ((10, 20, 10), (22, 30, 22), 22),  # a day is missing in between: only the later part is complete
        ((22, 30, 22), (10, 20, 10), 22),
        ((10, 30, 10), (0, 15, 0), 0),  # reaches further back and overlaps
        ((10, 20, 10), (0, 40, 0), 0),  # covers everything
        ((10, 20, None), (15, 30, 15), 15),
        ((10, 20, 10), (21, 30, None), 10),
        ((10, 20, None), (21, 30, None), None),
    ],
)
def test_complete_since_never_promises_across_a_hole(store, first, second, complete):
    whole = candles(50)
    for (start, end, since), fetched in ((first, MONDAY), (second, TUESDAY)):
        store.append(BTC, whole.iloc[start : end + 1], fetched, None if since is None else day(since))
    assert store.read(BTC).complete_since == (None if complete is None else day(complete))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 40), min_size=1, max_size=15), st.integers(0, 5), st.integers(1, 10**6)),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_merging_any_fetches_equals_a_dictionary(fetches):
    """The twin: a dict from time to (fetch time, order, value)."""
    block, twin = None, {}
    for order, (days, hour, value) in enumerate(fetches):
        fetched = MONDAY + timedelta(hours=hour)
        index = pd.DatetimeIndex([pd.Timestamp("2023-01-01") + pd.Timedelta(days=d) for d in days])
        values = [float(value + i) for i in range(len(days))]
        block = merge(block, to_block(pd.DataFrame({"close": values}, index=index), fetched, None), "1d")
        latest = max(hour, *(h for _, h, _ in fetches[: order + 1]))
        for d, v in dict(zip(index, values, strict=True)).items():
            # The series as a whole has the stamp of its latest fetch: an earlier fetch cannot change what is there.
            if d not in twin or hour >= latest:
                twin[d] = v
    series = decode(BTC, encode(BTC, block)).to_series()
    assert series.candles["close"].to_dict() == dict(sorted(twin.items()))
    assert series.fetched_at == MONDAY + timedelta(hours=max(h for _, h, _ in fetches))


def test_every_flipped_bit_of_a_blob_is_noticed():
    blob = encode(BTC, to_block(candles(4), MONDAY, MONDAY))
    assert same(decode(BTC, blob).to_series().candles, candles(4))
    for position in range(len(blob)):
        for bit in (0, 3, 7):
            damaged = bytearray(blob)
            damaged[position] ^= 1 << bit
            with pytest.raises(DamagedBlob):
                decode(BTC, bytes(damaged))


HOLE = Finding(asset="BTC", kind="hole", count=3, first=MONDAY, last=MONDAY, action="left empty", detail="of okx")


def test_notes_are_stored_with_the_series_under_its_checksum_and_once(store):
    store.append(BTC, candles(4), MONDAY, notes=[HOLE])
    store.append(BTC, candles(4), MONDAY, notes=[replace(HOLE, count=2)])
    store.append(BTC, candles(4), MONDAY)
    assert store.read(BTC).notes == (replace(HOLE, count=2),)
    blob = encode(BTC, to_block(candles(2), MONDAY, None, [HOLE]))
    assert decode(BTC, blob).notes == (HOLE,)
    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 1
        with pytest.raises(DamagedBlob):
            decode(BTC, bytes(damaged))


def test_a_series_stored_before_there_were_notes_is_read():
    whole = encode(BTC, to_block(candles(4), MONDAY, MONDAY))
    head = whole[:4] + bytes([1]) + whole[5 : HEADER.size - 4]
    body = whole[HEADER.size :]
    old = head + _checksum(BTC, head, body).to_bytes(4, "little") + body
    assert same(decode(BTC, old).to_series().candles, candles(4)) and decode(BTC, old).notes == ()


def test_a_blob_under_another_key_cut_or_lengthened_is_noticed():
    blob = encode(BTC, to_block(candles(4), MONDAY, None))
    for key, wrong in ((ETH, blob), (HOURLY, blob), (BTC, blob[:-1]), (BTC, blob + b"\0"), (BTC, b""), (BTC, None)):
        with pytest.raises(DamagedBlob):
            decode(key, wrong)


def test_threads_share_one_store_without_losing_a_candle(store):
    whole = candles(96)
    failures = []

    def work(number):
        try:
            for row in range(number, 96, 8):
                store.append(BTC, whole.iloc[row : row + 1], MONDAY)
                assert store.read(BTC).candles.index.is_monotonic_increasing
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert same(store.read(BTC).candles, whole)


def test_a_closed_store_says_so(store):
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.read(BTC)


def test_the_default_store_is_one_per_directory_and_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path / "a"))
    first = default_store()
    assert default_store() is first
    assert first.path == tmp_path / "a" / "prices.db"
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path / "b"))
    second = default_store()
    assert second is not first
    second.append(BTC, candles(2), MONDAY)
    assert first.read(BTC) is None
    second.close()
    assert default_store() is not second
    assert same(default_store().read(BTC).candles, candles(2))


def test_without_the_variable_the_users_cache_directory_is_used(tmp_path, monkeypatch):
    monkeypatch.delenv("MARGIN_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_store().path == tmp_path / "margin-lab" / "prices.db"
