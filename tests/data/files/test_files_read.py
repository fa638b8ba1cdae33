"""Price files as people have them: wide, long, one asset; every separator, number and date style; what is reported."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from data.files.layout import asset_name
from data.files.read import UPLOAD_BYTES, read_prices, read_prices_path
from margin.core.errors import InputError
from margin.formats.price_names import looks_like_asset
from tests.support import shared_path

WIDE = "date,BTC,ETH\n2024-01-01,42000.5,2300\n2024-01-02,43000,2350.25\n2024-01-03,44000,2400\n"
DAYS = pd.date_range("2024-01-01", periods=3)


def read(text, name="prices.csv", encoding="utf-8"):
    return read_prices(text.encode(encoding) if isinstance(text, str) else text, name)


def refusal(text, name="prices.csv", **options):
    with pytest.raises(InputError) as caught:
        read_prices(text.encode() if isinstance(text, str) else text, name, **options)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    assert message.startswith(name)
    return message


def kinds(prices):
    return {(f.asset, f.kind) for f in prices.findings}


def finding(prices, kind, asset=None):
    (found,) = [f for f in prices.findings if f.kind == kind and asset in (None, f.asset)]
    return found


def expect_wide(prices):
    assert prices.assets == ["BTC", "ETH"]
    assert list(prices.closes.index) == list(DAYS)
    assert prices.closes["BTC"].tolist() == [42000.5, 43000.0, 44000.0]
    assert prices.closes["ETH"].tolist() == [2300.0, 2350.25, 2400.0]


def test_a_wide_file_is_read_as_it_stands_and_without_a_remark():
    prices = read(WIDE)
    expect_wide(prices)
    assert prices.findings == () and prices.failures == {}
    assert prices.volumes.isna().all().all() and list(prices.volumes) == ["BTC", "ETH"]
    source = prices.provenance["ETH"]
    assert (source.status, source.symbol, source.interval, source.rows) == ("upload", "prices.csv", "1d", 3)
    assert (source.first, source.last) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
    assert source.fetched_at.tzinfo is not None


def test_the_same_file_always_reads_the_same_whatever_the_clock_says():
    future = WIDE.replace("2024-", "2150-")
    assert read(future).closes.index[-1] == pd.Timestamp("2150-01-03")
    assert read(WIDE).version == read(WIDE).version
    assert read(WIDE).version != read(WIDE.replace("42000.5", "42000.6")).version


@pytest.mark.parametrize(
    "text",
    [
        WIDE.replace(",", ";"),
        WIDE.replace(",", "\t"),
        WIDE.replace(",", "|"),
        WIDE.replace("\n", "\r\n"),
        WIDE.replace("\n", "\r"),
        WIDE.replace(",", " , "),
        WIDE + "\n\n\n",
        "\n\n" + WIDE,
        WIDE.replace("\n", ",\n"),  # a separator at the end of every line
        "sep=;\n" + WIDE.replace(",", ";"),
        '"date","BTC","ETH"\n"2024-01-01","42000.5","2300"\n"2024-01-02","43000","2350.25"\n"2024-01-03","44000","2400"\n',
        "https://www.example.com\nDownloaded today\n" + WIDE,
        "# made by hand\n" + WIDE,
        WIDE.replace("date", "#date"),
        WIDE.replace("date", "Date (UTC)"),
        WIDE.replace("date", ""),
        "date;BTC;ETH\n2024-01-01;42.000,5;2.300\n2024-01-02;43.000;2.350,25\n2024-01-03;44.000;2.400\n",
        "date;BTC;ETH\n2024-01-01;42000,5;2300\n2024-01-02;43000;2350,25\n2024-01-03;44000;2400\n",
        'date,BTC,ETH\n2024-01-01,"42,000.5","2,300"\n2024-01-02,"43,000","2,350.25"\n2024-01-03,"44,000","2,400"\n',
        "date,BTC,ETH\n2024-01-01,$42000.5,US$2300\n2024-01-02,$43000,$2350.25\n2024-01-03,44000 USD,2400 usdt\n",
        "date;BTC;ETH\n2024-01-01;42 000.5;2'300\n2024-01-02;43\u00a0000;2\u2019350.25\n2024-01-03;44\u202f000;2400\n",
        "date,BTC,ETH\n2024-01-01,4.20005e4,2.3E3\n2024-01-02,43000.,2350.25\n2024-01-03,+44000,2400\n",
    ],
)
def test_ways_to_write_one_table(text):
    expect_wide(read(text))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(encoding):
    expect_wide(read(WIDE, encoding=encoding))
    big_bom = b"\xfe\xff" + WIDE.encode("utf-16-be")
    expect_wide(read(big_bom))


@pytest.mark.parametrize(
    ("stamps", "form"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-03"], ""),
        (["2024/1/1", "2024/1/2", "2024/1/3"], ""),
        (["20240101", "20240102", "20240103"], "YYYYMMDD"),
        (["2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-03 00:00:00"], ""),
        (["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"], ""),
        (["2024-01-01T00:00:00.000+00:00", "2024-01-02T00:00:00.000+00:00", "2024-01-03T00:00:00.000+00:00"], ""),
        (["1704067200", "1704153600", "1704240000"], "epoch"),
        (["1704067200000", "1704153600000", "1704240000000"], "epoch"),
        (["1704067200000000", "1704153600000000", "1704240000000000"], "epoch"),
        (["1704067200.0", "1704153600.0", "1704240000.0"], "epoch"),
        (["01.01.2024", "02.01.2024", "03.01.2024"], "day first"),
        (["Jan 1, 2024", "Jan 02, 2024", "January 3, 2024"], "month names"),
        (["1-Jan-2024", "02 Jan 2024", "3 january 2024"], "month names"),
    ],
)
def test_ways_to_write_a_day(stamps, form):
    rows = "".join(f'"{stamp}",{100 + n}\n' for n, stamp in enumerate(stamps))
    prices = read("date,BTC\n" + rows)
    assert list(prices.closes.index) == list(DAYS)
    assert prices.closes["BTC"].tolist() == [100.0, 101.0, 102.0]
    assert [f.detail for f in prices.findings if f.kind == "dates"] == ([f"read as {form}"] if form else [])


def test_one_date_that_can_only_be_read_one_way_decides_for_all():
    day_first = read("date,BTC\n03/04/2024,1\n04/04/2024,2\n13/04/2024,3\n")
    assert [f"{d:%m-%d}" for d in day_first.closes.index] == ["04-03", "04-04", "04-13"]
    month_first = read("date,BTC\n04/03/2024,1\n04/04/2024,2\n04/13/2024,3\n")
    assert list(month_first.closes.index) == list(day_first.closes.index)


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        (["03/04/2024", "04/04/2024"], "day-month or month-day"),
        (["13/04/2024", "04/14/2024"], "in two ways"),
        (["01/02/24", "02/02/24"], "two digits"),
        (["44197", "44198"], "cannot be read"),  # a spreadsheet's own day numbers
        (["yesterday", "today"], "cannot be read"),
        (["2024-13-01", "2024-02-30"], "cannot be read"),
    ],
)
def test_dates_that_could_mean_two_things_or_nothing_are_refused_with_a_hint(dates, says):
    message = refusal("date,BTC\n" + "".join(f"{d},5\n" for d in dates))
    assert says in message and "year-month-day" in message


@pytest.mark.parametrize("date", ["1890-01-01", "1969-12-31", "2200-01-01", "3000-01-01", "9999-01-01", "20000-01-01"])
def test_dates_outside_1970_to_2200_are_refused_with_a_clear_line(date):
    message = refusal(WIDE + f"{date},1,2\n")
    assert "1970 to 2200" in message and date in message


def test_unreadable_dates_among_readable_ones_are_counted_with_an_example():
    prices = read(WIDE + "Total,1,2\n,3,4\n")
    expect_wide(prices)
    refused = finding(prices, "refused")
    assert refused.count == 2 and refused.action == "dropped" and "Total" in refused.detail


def test_days_keep_their_own_calendar_day():
    days = read("date,BTC\n2024-01-01T00:00:00+09:00,1\n2024-01-02T00:00:00+09:00,2\n2024-01-03T00:00:00+09:00,3\n")
    assert list(days.closes.index) == list(DAYS)  # not 31 December, 15:00 UTC
    evening = read("date,BTC\n2024-01-01 23:59:59,1\n2024-01-02 23:59:59,2\n2024-01-03 23:59:59,3\n")
    assert list(evening.closes.index) == list(DAYS)
    assert ("", "time of day") in kinds(evening)


@pytest.mark.parametrize("minutes", [5, 15, 60, 240, 720])
def test_rows_finer_than_daily_become_daily_closes_with_a_finding(minutes):
    stamps = pd.date_range("2024-01-01", periods=5 * 1440 // minutes, freq=f"{minutes}min")
    prices = read("date,BTC\n" + "".join(f"{s},{n + 1}\n" for n, s in enumerate(stamps)))
    per_day = 1440 // minutes
    assert prices.closes["BTC"].tolist() == [per_day * day for day in range(1, 6)]
    assert prices.provenance["BTC"].interval == "1d"
    assert finding(prices, "resampled", "BTC").count == len(stamps)


def test_hours_of_another_time_zone_are_put_into_days_of_utc():
    stamps = pd.date_range("2024-03-09", periods=48, freq="h", tz="UTC").tz_convert("America/New_York")
    prices = read("time,BTC\n" + "".join(f"{s.isoformat()},{n + 1}\n" for n, s in enumerate(stamps)))
    assert prices.closes["BTC"].tolist() == [24.0, 48.0]


def test_hours_of_less_than_a_day_are_refused_and_told_why():
    hours = "".join(f"2024-01-01T{h:02d}:00:00+05:30,{100 + h}\n" for h in range(6, 12))
    assert "not over" in refusal("time,BTC\n" + hours)


@pytest.mark.parametrize(("freq", "says"), [("2D", "2 days"), ("3D", "3 days"), ("7D", "7 days"), ("ME", "31 days")])
def test_rows_coarser_than_daily_are_refused_with_the_spacing_named(freq, says):
    stamps = pd.date_range("2023-01-31", periods=12, freq=freq)
    assert says in refusal("date,BTC\n" + "".join(f"{s:%Y-%m-%d},{n + 1}\n" for n, s in enumerate(stamps)))


# Long files and files of one asset


def test_a_long_file_with_volumes():
    text = "date,asset,close,volume\n" + "".join(
        f"{d:%Y-%m-%d},{a},{p * (1 + n)},{v}\n"
        for n, d in enumerate(DAYS)
        for a, p, v in (("ETH", 2000, 10), ("BTC", 40000, 2))
    )
    prices = read(text)
    assert prices.assets == ["BTC", "ETH"]
    assert prices.closes["BTC"].tolist() == [40000.0, 80000.0, 120000.0]
    assert prices.volumes["BTC"].tolist() == [80000.0, 160000.0, 240000.0]  # units x close
    assert prices.volumes["ETH"].tolist() == [20000.0, 40000.0, 60000.0]
    assert prices.findings == ()


def test_volumes_too_large_for_units_are_dollars():
    """2e10 a day at 60,000 dollars would be more units than there are; 2e4 may be units, contracts or thousands."""
    text = "date,close,volume\n" + "".join(f"2024-01-{d:02},60000,{{0}}\n" for d in range(1, 6))
    large = read(text.format("2e10"), "BTC.csv")
    assert large.volumes["BTC"].tolist() == [2e10] * 5
    assert finding(large, "volume", "BTC").action == "taken as dollars"
    assert finding(read(text.format("2e4"), "BTC.csv"), "volume", "BTC").action == "not used"


@pytest.mark.parametrize(
    ("name", "asset"), [("WXYZq", True), ("WXYZqu", False), ("WXYZQURSTUVW", True), ("WXYZQURSTUVWX", False)]
)
def test_an_unknown_column_is_an_asset_where_it_is_short_or_in_capitals(name, asset):
    assert looks_like_asset(name) is asset


def test_without_a_column_that_is_called_a_date_the_first_one_holds_the_days():
    prices = read("zzz,BTC,ETH\n2024-01-01,5,2\n2024-01-02,6,3\n2024-01-03,7,4\n")
    assert list(prices.closes) == ["BTC", "ETH"]
    assert [str(day.date()) for day in prices.closes.index] == ["2024-01-01", "2024-01-02", "2024-01-03"]


def test_a_long_file_with_volumes_in_dollars():
    prices = read("date,symbol,close,volume_usd\n2024-01-01,BTC,50,1000\n2024-01-02,BTC,40,1000\n")
    assert prices.volumes["BTC"].tolist() == pytest.approx([1000.0, 1000.0], rel=1e-15)


def test_long_files_may_leave_days_out_and_repeat_them():
    prices = read(
        "date,asset,close\n2024-01-03,BTC,3\n2024-01-01,BTC,1\n2024-01-01,ETH,10\n2024-01-01,BTC,1.5\n2024-01-02,ETH,11\n"
    )
    assert prices.closes["BTC"].tolist()[::2] == [1.5, 3.0] and np.isnan(prices.closes["BTC"].iloc[1])
    assert prices.closes["ETH"].tolist()[:2] == [10.0, 11.0] and np.isnan(prices.closes["ETH"].iloc[2])
    assert finding(prices, "duplicate", "BTC").count == 1
    assert finding(prices, "unsorted", "BTC").count == 1


def test_a_file_of_one_asset_is_named_by_its_file_and_checked_with_its_range():
    rows = "".join(f"2024-01-{d:02d},1,1.0{d:02d},0.9,1.0,100,5\n" for d in range(1, 29))
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n" + rows
    prices = read(text, "USDC-USD (1).csv")
    assert prices.assets == ["USDC"]
    assert (prices.closes["USDC"] == 100).all()  # the adjusted close
    assert "USDC" in finding(prices, "name").detail
    assert "Adj Close" in next(f.detail for f in prices.findings if f.kind == "columns" and f.action == "kept")
    plain = read(text.replace("Adj Close", "Other").replace(",0.9,1.0,100,", ",0.9,1.0,7,", 0), "usdc.csv")
    assert (plain.closes["USDC"] == 1.0).all()
    assert plain.volumes["USDC"].isna().all()  # coins or dollars? It does not say
    assert finding(plain, "volume", "USDC").action == "not used"
    wick = text.replace("Adj Close", "Other").replace("2024-01-20,1,1.020,0.9,", "2024-01-20,1,1.020,0.001,")
    assert finding(read(wick, "usdc.csv"), "bad print").action == "low left empty"


@pytest.mark.parametrize("name", ["prices.csv", "daily.csv", "Export (3).csv", ".csv", "???.csv", "2024.csv"])
def test_a_file_of_one_asset_that_does_not_say_which_is_refused(name):
    message = refusal("date,close\n2024-01-01,5\n2024-01-02,6\n", name)
    assert "asset" in message and "BTC.csv" in message


def test_short_volumes_as_some_sites_write_them():
    prices = read('Date,Price,Vol.,Change %\n01/30/2024,10,"1.5K",1.2%\n01/31/2024,20,2M,-0.1%\n', "XRP.csv")
    assert prices.volumes["XRP"].tolist() == [15_000.0, 40_000_000.0]


# Names


@pytest.mark.parametrize(
    ("text", "asset"),
    [
        ("BTC", "BTC"), ("btc", "BTC"), (" Btc ", "BTC"), ("BTC/USD", "BTC"), ("BTC-USD", "BTC"), ("BTC_USDT", "BTC"),
        ("BTCUSDT", "BTC"), ("BTCUSD", "BTC"), ("BTC/USDT:USDT", "BTC"), ("ETHUSDC", "ETH"), ("XBT", "BTC"),
        ("BTC Close", "BTC"), ("btc_close", "BTC"), ("EURUSD=X", "EUR"), ("BRK-B", "BRK.B"), ("^GSPC", "GSPC"),
        ("USDT", "USDT"), ("USDC", "USDC"), ("TUSD", "TUSD"), ("USDC_USD", "USDC"), ("USDTUSD", "USDT"),
        ("PYUSD", "PYUSD"), ("FDUSD", "FDUSD"), ("CRVUSD", "CRVUSD"), ("BUSD", "BUSD"), ("1INCH", "1INCH"), ("T", "T"),
        ("LUNA2", "LUNA2"), ("SPY", "SPY"),
    ],
)  # fmt: skip
def test_names_become_assets_and_every_change_is_said(text, asset):
    name, why = asset_name(text)
    assert name == asset
    assert bool(why) == (text.strip() != asset)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "Unnamed: 0", "0", "17", "ETH/BTC", "BTC/EUR", "USD", "BTC_volume", "BTC high", "=cmd|' /C calc'!A0",
     "<script>", "A" * 30, "\u0411\u0422\u0426", "BTC\u200b", "../x", "a b c"],
)  # fmt: skip
def test_what_names_no_dollar_price_is_no_asset_and_the_reason_is_given(text):
    name, why = asset_name(text)
    assert name is None and why


def test_columns_that_are_no_assets_are_left_out_and_named():
    prices = read(",date,BTC,ETH/BTC,BTC_volume,total assets now\n0,2024-01-01,5,0.1,9,x\n1,2024-01-02,6,0.1,9,y\n")
    assert prices.assets == ["BTC"]
    refused = [f.detail for f in prices.findings if f.kind == "refused"]
    assert len(refused) == 4 and any("ETH/BTC" in r for r in refused)


def test_two_columns_of_one_asset_keep_the_one_with_its_own_name():
    prices = read("date,USDC_USD,USDC,BTC,BTC\n2024-01-01,0.9,1,5,7\n2024-01-02,0.9,1,6,8\n")
    assert prices.assets == ["USDC", "BTC"]
    assert prices.closes.iloc[0].tolist() == [1.0, 5.0]
    assert {f.asset for f in prices.findings if f.kind == "duplicate column"} == {"USDC", "BTC"}
    long = read(
        "date,asset,close\n2024-01-01,USDC_USD,0.9\n2024-01-01,USDC,1\n2024-01-02,USDC_USD,0.9\n2024-01-02,USDC,1\n"
    )
    assert long.closes["USDC"].tolist() == [1.0, 1.0]


def test_pairs_that_are_not_in_dollars_are_left_out_of_a_long_file():
    prices = read("date,pair,close\n2024-01-01,BTC/USDT,5\n2024-01-01,ETH/BTC,0.05\n2024-01-02,BTC/USDT,6\n")
    assert prices.assets == ["BTC"] and finding(prices, "refused").count == 1


# Cells


def test_cells_that_are_no_numbers_are_left_empty_counted_and_shown():
    prices = read(WIDE.replace("43000", "n.v.").replace("44000", "5%") + "2024-01-04,45000,\n2024-01-05,N/A,-\n")
    assert prices.closes["BTC"].isna().tolist() == [False, True, True, False]
    refused = finding(prices, "refused", "BTC")
    assert (refused.count, refused.action) == (2, "left empty") and "n.v." in refused.detail
    assert not [f for f in prices.findings if f.asset == "ETH" and f.kind == "refused"]


@pytest.mark.parametrize(
    "cell", ["5%", "€5", "5 EUR", "1e400", "inf", "1.2.3", "12,34,5", "0x10", "५", "1_0_0x", "--5", "9" * 60]
)
def test_cells_that_only_look_like_prices(cell):
    prices = read(f'date,BTC,ETH\n2024-01-01,5,1\n2024-01-02,"{cell}",1\n2024-01-03,6,1\n')
    assert len(prices.closes["BTC"].dropna()) == 2


@pytest.mark.parametrize("cell", ["0", "-5", "(5)", "0.0"])
def test_prices_of_zero_or_less_are_dropped_and_reported(cell):
    prices = read(f"date,BTC,ETH\n2024-01-01,5,1\n2024-01-02,{cell},1\n2024-01-03,6,1\n")
    assert finding(prices, "zero", "BTC").count == 1
    assert np.isnan(prices.closes["BTC"].iloc[1])


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["1,234", "2,345"], "thousands or decimals"),
        (["1.234", "2.345"], "thousands or decimals"),
        (["1.5", "2,5"], "in two ways"),
    ],
)
def test_numbers_that_could_mean_two_things_are_refused(cells, says):
    text = "date;BTC\n" + "".join(f"2024-01-0{n + 1};{c}\n" for n, c in enumerate(cells))
    assert says in refusal(text)


def test_three_decimals_between_commas_are_decimals():
    assert read("date,BTC\n2024-01-01,61.234\n2024-01-02,61.235\n").closes["BTC"].tolist() == [61.234, 61.235]


def test_an_empty_column_is_refused_and_the_rest_is_read():
    prices = read("date,BTC,ETH\n2024-01-01,5,\n2024-01-02,6,\n")
    assert prices.assets == ["BTC"]
    assert "holds no price" in finding(prices, "refused", "ETH").detail


def test_rows_of_other_lengths_are_reported():
    prices = read(WIDE + "2024-01-04,1,2,3,4\n2024-01-05,45000\n")
    assert finding(prices, "refused").count == 1
    assert finding(prices, "short row").count == 1
    assert prices.closes["BTC"].iloc[-1] == 45000.0


# What is refused as a whole


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"  \n\n ", "is empty"),
        (b"\x00" * 50, "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"date,BTC\n", "no rows"),
        (b"BTC\n5\n6\n", "one column"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\n  <html>", "web page"),
        (b'{"BTC": [1, 2]}', "JSON"),
        (b"[[1,2],[3,4]]", "JSON"),
        (b"PK\x03\x04\x14\x00" + b"\x00" * 100, "zip archive or an Excel workbook"),
        (b"\x1f\x8b\x08" + b"x" * 100, "compressed"),
        (b"%PDF-1.7 ...", "PDF"),
        (bytes(range(256)) * 20, "not a text file"),
        (b"2024-01-01,5\n2024-01-02,6\n", "column names"),
        (b"date,asset,volume\n2024-01-01,BTC,5\n", "none with closes"),
        (b"date,BTC\n2024-01-01,x\n2024-01-02,y\n", "holds no price"),
        (b"date,BTC\n2024-01-01,0\n2024-01-02,-1\n", "no usable price"),
        (b"date,BTC/EUR\n2024-01-01,1\n2024-01-02,2\n", "no column of US dollar prices"),
        (b"date,pair,close\n2024-01-01,ETH/BTC,1\n2024-01-02,ETH/BTC,2\n", "names no asset"),
        (b"date,BTC\n2024-01-01,1,5\n2024-01-02,2,5\n", "semicolons"),
        (b'date,BTC\n"2024-01-01,1\n' + b"x" * 200_000, "cannot be split"),
    ],
)
def test_what_is_no_price_file_is_told_apart(content, says):
    assert says in refusal(content)


def test_files_that_are_too_large_too_wide_or_too_long():
    assert "larger than 2 MB" in refusal(b"x" * (UPLOAD_BYTES + 1))
    assert "500 columns" in refusal("date," + ",".join(f"A{n}" for n in range(600)) + "\n2024-01-01\n")
    assert "200,000 rows" in refusal("date,B\n" + "1,2\n" * 200_500)
    many = "date,asset,close\n" + "".join(f"2024-01-0{d},A{n},5\n" for n in range(600) for d in (1, 2))
    assert "500 assets" in refusal(many)
    wide = "date," + ",".join(f"A{n}" for n in range(490)) + "\n"
    prices = read(wide + "".join(f"2024-01-{d:02d}" + ",5" * 490 + "\n" for d in range(1, 29)))
    assert len(prices.assets) == 490


def test_hostile_names_reach_no_message_unescaped():
    with pytest.raises(InputError) as caught:
        read_prices(b"", "../../\x1b[31m\n<b>" + "x" * 500)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 260 and "/" not in message.split(":")[0]


def test_paths(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text(WIDE)
    expect_wide(read_prices_path(file))
    expect_wide(read_prices_path(str(file)))
    for path, says in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "cannot be read"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(InputError, match=says):
            read_prices_path(path)


def test_recorded_files_read_as_recorded():
    table = pd.read_csv(shared_path("market/daily_closes.csv"), index_col=0, parse_dates=True)
    prices = read_prices_path(shared_path("market/daily_closes.csv"))
    assert len(prices.assets) == table.shape[1] - 1  # USDC twice
    for asset in prices.assets:
        column = table["USDT_USD" if asset == "USDT" else asset].dropna()
        assert (prices.closes[asset].dropna().to_numpy() == column.to_numpy()).all()
    long = read_prices_path(shared_path("market/daily_candles.parquet"))
    both = [a for a in prices.assets if a in long.assets]
    assert len(both) >= 25
    for asset in both:
        left, right = long.closes[asset].dropna(), prices.closes[asset].dropna()
        np.testing.assert_allclose(left, right.reindex(left.index), rtol=1e-7)


def test_a_file_with_a_million_columns_is_refused_at_once_with_the_bounds_said():
    message = refusal(b"date" + b",x" * 990_000 + b"\n2024-01-01" + b",1" * 5, "wide.csv")
    assert "500 columns" in message and "200,000 rows" in message
