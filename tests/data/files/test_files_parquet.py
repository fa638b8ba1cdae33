"""Parquet in: pandas' own files, and files made to fill the memory. Out: CSV and Parquet that read back the same."""

import csv
import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.files.parquet_child import MEMORY_BYTES
from data.files.read import prices_to_csv, prices_to_parquet, read_prices, safe_csv
from margin.core.errors import InputError
from tests.support import ROOT

DAYS = pd.date_range("2024-01-01", periods=40)
NO_DICTIONARY = {"use_dictionary": False}
DELTA = NO_DICTIONARY | {"column_encoding": "DELTA_BYTE_ARRAY"}


def closes(assets=("BTC", "ETH", "SOL")):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.uniform(1, 9e4, (40, len(assets))), index=DAYS, columns=list(assets))
    frame.iloc[3, -1] = np.nan
    return frame


def as_parquet(frame, **options):
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


def table_bytes(columns, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def refusal(content, name="prices.parquet"):
    with pytest.raises(InputError) as caught:
        read_prices(content, name)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400
    return str(caught.value)


def expect(prices, frame):
    assert prices.assets == list(frame.columns)
    assert list(prices.closes.index) == list(frame.index)
    assert prices.closes.to_numpy().tobytes() == frame.to_numpy().tobytes()


@pytest.mark.parametrize(("compression", "index"), [("snappy", True), ("gzip", False), ("zstd", True), (None, False)])
def test_a_frame_written_by_pandas_is_read_bit_for_bit(compression, index):
    frame = closes()
    written = frame if index else frame.rename_axis("date").reset_index()
    expect(read_prices(as_parquet(written, compression=compression, index=index), "p.parquet"), frame)


@pytest.mark.parametrize(
    "stamps",
    [
        DAYS.as_unit("ns"),
        DAYS.tz_localize("UTC"),
        DAYS.date,
        DAYS.strftime("%Y-%m-%d"),
        DAYS.as_unit("ms").astype("int64"),
        DAYS.strftime("%Y%m%d").astype(int),
    ],
    ids=["ns", "utc", "date", "text", "epoch ms", "yyyymmdd"],
)
def test_kinds_of_date_columns(stamps):
    frame = closes()
    expect(read_prices(as_parquet(frame.reset_index(drop=True).assign(date=stamps)), "p.parquet"), frame)


def test_long_files_whole_numbers_decimals_and_old_versions():
    frame = closes(("BTC", "ETH")).fillna(1.0).round(2)
    long = frame.rename_axis("date").reset_index().melt("date", var_name="asset", value_name="close")
    long["volume"] = np.arange(len(long))
    for options in (
        {},
        {"version": "1.0"},
        {"data_page_version": "2.0"},
        {"use_dictionary": False},
        {"row_group_size": 7},
    ):
        prices = read_prices(as_parquet(long, index=False, **options), "p.parquet")
        expect(prices, frame)
        assert prices.volumes.notna().all().all()
    money = pa.array([round(v, 2) for v in frame["BTC"]]).cast(pa.decimal128(18, 2), safe=False)
    content = table_bytes(
        {"date": pa.array(DAYS), "BTC": pa.array([None, *range(1, 40)], pa.int32()), "ETH": money.cast("float64")}
    )
    assert read_prices(content, "p.parquet").closes["BTC"].tolist()[1:] == list(range(1, 40))


def test_text_numbers_and_categories():
    frame = closes(("BTC",)).fillna(1.0)
    text = pd.DataFrame({"date": DAYS.strftime("%Y-%m-%d"), "BTC": [repr(v) for v in frame["BTC"]]})
    expect(read_prices(as_parquet(text), "p.parquet"), frame)
    long = pd.DataFrame({"date": DAYS, "asset": pd.Categorical(["BTC"] * 40), "close": frame["BTC"].to_numpy()})
    expect(read_prices(as_parquet(long), "p.parquet"), frame)


# Files made to do harm


GROWTH = """
import io, resource, sys
from data.files.read import read_prices
from margin.core.errors import InputError
from tests.support import ROOT
small, large = (open(name, "rb").read() for name in sys.argv[1:])
read_prices(small, "p.parquet")
before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
try:
    read_prices(large, "p.parquet")
except InputError as error:
    print((resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before) // 1024, error)
"""


def refused_at_a_cost_of(content, tmp_path):
    """(megabytes that reading it took beyond a small file, message)."""
    for name, what in (("small", as_parquet(closes())), ("large", content)):
        (tmp_path / name).write_bytes(what)
    command = [sys.executable, "-c", GROWTH, str(tmp_path / "small"), str(tmp_path / "large")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    grown, message = done.stdout.split(" ", 1)
    return int(grown), message


@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        ({"date": [1] * 200_001, "BTC": [1.0] * 200_001}, {}, "is too long"),
        ({f"A{n}": pa.array(np.zeros(150_000)) for n in range(40)}, {}, "is too long"),
        ({f"A{n}": [1.0] for n in range(501)}, {}, "500 columns"),
        ({"date": ["2024-01-01"]}, {}, "one column"),
        ({"date": pa.array([], "int64"), "BTC": pa.array([], "float64")}, {}, "no rows"),
        ({"date": ["2024-01-01"], "BTC": [[1.0] * 10]}, {}, "plain numbers"),
        ({"date": ["2024-01-01"], "BTC": [{"x": 1.0}]}, {}, "plain numbers"),
        ({"date": ["2024-01-01"], "BTC": pa.array([b"\0" * 16], pa.binary(16))}, {}, "plain numbers"),
        ({"date": ["2024-01-01"] * 10, "BTC": ["9" * 5000] * 10}, {}, "200 characters"),
        ({"date": ["x" * 5000 + str(n) for n in range(25_000)], "B": [1.0] * 25_000}, NO_DICTIONARY, "unpacks"),
    ],
)  # fmt: skip
def test_shapes_sizes_and_encodings_that_are_refused(columns, options, says):
    content = table_bytes(columns, compression="zstd", **options)
    assert len(content) < 2_000_000
    assert says in refusal(content)


def test_a_page_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path):
    """Zeros pack to nothing: one page of 400 MB in a file of some kilobytes, by the header of the page itself."""
    big = pa.array([b"\0" * 400_000_000])
    content = table_bytes(
        {"date": ["2024-01-01"], "BTC": big}, compression="zstd", use_dictionary=False, write_statistics=False
    )
    assert len(content) < 200_000
    grown, message = refused_at_a_cost_of(content, tmp_path)
    assert "unpacks to far too much" in message
    assert grown < 60


def test_a_long_text_in_a_dictionary_is_not_repeated_for_every_row(tmp_path):
    """One text of 1 MB under 190,000 rows: 190 GB if every row got its own."""
    indices = pa.array(np.zeros(190_000, np.int32))
    words = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))
    content = table_bytes({"date": words, "BTC": pa.array(np.ones(190_000))}, compression="zstd")
    assert len(content) < 2_000_000
    grown, message = refused_at_a_cost_of(content, tmp_path)
    assert "200 characters" in message
    assert grown < 60


def test_a_file_that_aborts_the_reader_is_an_input_error():
    """One byte of the footer (a column is no longer optional) makes pyarrow 26 call abort(); the server lives on."""
    content = as_parquet(closes())
    assert content.count(b"\x25\x02\x18\x03BTC") == 1
    assert "damaged" in refusal(content.replace(b"\x25\x02\x18\x03BTC", b"\x25\x00\x18\x03BTC"))


def test_cut_and_flipped_files_are_an_input_error_or_still_prices():
    content, rng = as_parquet(closes()), np.random.default_rng(0)
    for cut in (4, len(content) // 2, len(content) - 1):
        refusal(content[:cut])
    read_count = 0
    for _ in range(8):
        damaged = bytearray(content)
        for position in rng.integers(4, len(content), rng.integers(1, 6)):
            damaged[position] = rng.integers(256)
        try:
            read_prices(bytes(damaged), "p.parquet")
            read_count += 1
        except InputError as error:
            assert str(error).isprintable()
    assert read_count < 8


def test_without_a_second_process_csv_is_asked_for(monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert "CSV" in refusal(as_parquet(closes()))


# Out


def test_csv_and_parquet_read_back_bit_for_bit():
    prices = read_prices(as_parquet(closes()), "p.parquet")
    for again in (
        read_prices(prices_to_csv(prices).encode(), "p.csv"),
        read_prices(prices_to_parquet(prices), "q.parquet"),
    ):
        expect(again, closes())
    text = prices_to_csv(prices)
    assert text.splitlines()[0] == "date,BTC,ETH,SOL"
    assert text.splitlines()[4].split(",")[3] == ""
    assert text.splitlines()[1].startswith("2024-01-01,")


def test_spreadsheets_get_text_and_never_a_formula():
    dangerous = [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "=cmd|' /C calc'!A0",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1+1",
        "\ufeff=1",
        "=",
        "-",
    ]
    harmless = ["BTC", "a=b", "5", "-5", "-5.5e3", "+7", "", "don't", "1-2"]
    text = safe_csv(["=header", "name"], [[d, 1] for d in dangerous] + [[h, 2] for h in harmless])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["'=header", "name"]
    shown = [d.replace("\t", " ").replace("\r", " ").replace("\n", " ").replace("\ufeff", " ") for d in dangerous]
    assert [r[0] for r in rows[1 : 1 + len(dangerous)]] == ["'" + s for s in shown]
    assert [r[0] for r in rows[1 + len(dangerous) :]] == harmless


def test_numbers_stay_numbers():
    rows = list(csv.reader(io.StringIO(safe_csv(["a"], [[-5], [-0.25], [1e-300], [None], [True]]))))
    assert [r[0] if r else "" for r in rows] == ["a", "-5", "-0.25", "1e-300", "", "True"]


def test_the_reader_may_take_one_gigabyte():
    assert MEMORY_BYTES == 1024**3


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "America/New_York"]
)
def test_days_of_a_time_zone_stay_their_own_days(zone):
    index = pd.date_range("2024-11-15", periods=60, tz=zone, name="Date")
    prices = read_prices(as_parquet(pd.DataFrame({"BTC": np.arange(60) + 1.0}, index)), "p.parquet")
    assert (str(prices.closes.index[0])[:10], str(prices.closes.index[-1])[:10]) == ("2024-11-15", "2025-01-13")
