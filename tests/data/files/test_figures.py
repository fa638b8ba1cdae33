"""Price files of many styles, and cells at their edges, as listed beside this file (tests/figures.py)."""

import numpy as np
import pandas as pd

from data.cleaning import checks
from data.files import cells
from data.files.read import read_prices
from margin.core.errors import InputError
from tests.figures import held

DATES = {
    "iso": ["2024-01-0{}"] * 9, "compact": ["2024010{}"] * 9, "day first": ["2{}.01.2024"] * 9, "month first": ["1/2{}/2024"] * 9,
    "either": ["0{}/02/2024"] * 9, "words": ["Jan {}, 2024"] * 9, "words first": ["{} January 2024"] * 9,
    "short year": ["2{}.01.24"] * 9, "time": ["2024-01-0{}T23:59:59Z"] * 9, "zone": ["2024-01-0{}T00:00:00+02:00"] * 9,
    "epoch": ["170406720{}"] * 9, "milliseconds": ["170406720{}000"] * 9, "pm": ["01/2{}/2024 11:30 PM"] * 9,
    "two ways": ["2{}.01.2024", "1/2{}/2024"], "late": ["2200-01-0{}"] * 3, "early": ["1969-12-0{}"] * 3,
}  # fmt: skip
NUMBERS = {
    "plain": "1000.5 1001 999.25", "thousands": "1,000.50 1,001.00 999.25", "comma": "1000,5 1001,25 999,0",
    "points": "1.000,5 1.001,25 999,0", "unsure": "1.000 1.001 1.002", "commas": "1,000 1,001 1,002", "dollars": "$1000.5 $1001 $999",
    "apostrophe": "1'000.5 1'001.0 999.5", "gap": "1000 nan 1002", "words": "1000 none 1002", "zero": "1000 0 1002",
    "negative": "1000 -5 1002", "bracket": "1000 (5) 1002", "percent": "1.5% 2% -3%", "two ways": "1.000,5 1,000.5 3",
    "tiny": "0.00000012 0.0000001 1e-7", "huge": "1e11 1e12 1e13", "split": "1000 1010 101 102 103", "print": "1000 1010 10 1005 1001",
}  # fmt: skip
HEADERS = [
    "date{0}close", "Date{0}Price", "timestamp{0}BTC", "time{0}BTC-USD", "date{0}BTCUSDT", "Date{0}Adj Close", "day{0}BTC/EUR", "date{0}volume",
    "date{0}ticker", "{0}BTC", "date{0}return",
]  # fmt: skip
WIDE = "date,open,high,low,close,volume\n{}"
ROWS = [
    "2024-01-01,10,12,9,11,1000\n2024-01-02,11,13,10,12,1K\n2024-01-03,12,14,11,13,2.5M\n",
    "2024-01-01,10,9,12,11,-5\n2024-01-02,11,13,10,12,\n2024-01-03,12,14,11,13,0\n",
    "2024-01-03,12,14,11,13,1\n2024-01-01,10,12,9,11,2\n2024-01-01,10,12,9,11.5,3\n",
]


def reading(text, name="BTC.csv"):
    try:
        found = read_prices(text.encode(), name)
    except InputError as error:
        return str(error)
    told = [f"{f.kind} {f.asset} {f.count} {f.done if hasattr(f, 'done') else ''} {f.detail}" for f in found.findings]
    return found.assets, found.closes, found.closes.index.to_numpy(), found.volumes, told


def lines(stamps, numbers, header="date{0}BTC", sign=","):
    numbers = (numbers * len(stamps))[: len(stamps)]
    rows = [f"{s.format(i + 1)}{sign}{n}" for i, (s, n) in enumerate(zip(stamps, numbers, strict=True))]
    return "\n".join([header.format(sign), *rows]) + "\n"


def column(kind, *words, **options):
    try:
        return kind(np.array(words, dtype=object), *options.values())
    except InputError as error:
        return str(error)


def candles(closes, freq="D", start="2024-01-01", volumes=None):
    index = pd.date_range(start, periods=len(closes), freq=freq)
    close = pd.Series(closes, index, dtype=float)
    return pd.DataFrame(
        {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": volumes or 1.0}
    )


def checked(check, frame, interval="1d"):
    out, found = check(frame, interval)
    return out, [(f.kind, len(f.times), f.done if hasattr(f, "done") else "", f.detail) for f in found]


STEADY = [100.0 + (i % 5) for i in range(60)]
CASES = {
    **{f"dates {k}": lambda v=v: reading(lines(v, ["1000.5"])) for k, v in DATES.items()},
    **{f"numbers {k}": lambda v=v: reading(lines(["2024-01-0{}"] * 3, v.split(), sign=";")) for k, v in NUMBERS.items()},
    **{f"numbers {k} between commas": lambda v=v: reading(lines(["2024-01-0{}"] * len(v.split()), [f'"{n}"' for n in v.split()]))
       for k, v in NUMBERS.items()},
    **{f"header {h}": lambda h=h: reading(lines(["2024-01-0{}"] * 5, ["10", "11", "12"], h)) for h in HEADERS},
    **{f"tabs {h}": lambda h=h: reading(lines(["2024-01-0{}"] * 5, ["10", "11"], h, "\t"), "prices.csv") for h in HEADERS},
    **{f"candles {i}": lambda r=r: reading(WIDE.format(r)) for i, r in enumerate(ROWS)},
    "preamble": lambda: reading("exported by hand\n\n" + lines(["2024-01-0{}"] * 4, ["5", "6"])),
    "one row": lambda: reading(lines(["2024-01-0{}"], ["5"])), "no row": lambda: reading("date,BTC\n"),
    "cells": lambda: column(cells.numbers, "1", "x", "-2.5", "1e3", "", "1K", ".", decimal="."),
    "scaled": lambda: column(cells.numbers, "1K", "2.5M", "3B", "4T", "5", decimal=".", scaled=True),
    "with a comma": lambda: column(cells.numbers, "1,5", "2.000,25", "3", decimal=","),
    "stamps": lambda: column(cells.dates, "2024-01-31", "20240229", "31.12.2023", "5 Mar 2024", "1704067200", "x", name="d"),
    "zones": lambda: column(cells.dates, "2024-01-31T01:02:03+14:00", "2024-01-31T01:02:03-05:30", "2024-01-31T01:02+15:00", name="d"),
    "twelve": lambda: column(cells.dates, "12/31/2024 12:00 AM", "12/30/2024 12:00 PM", "12/29/2024 01:00 PM", name="d"),
    "berlin": lambda: cells.dates(pd.date_range("2024-03-30 23:00", periods=3).to_numpy(), "d", "Europe/Berlin"),
    "bad print": lambda: checked(checks.bad_prints, candles([*STEADY, 5.0, *STEADY])),
    "suspect": lambda: checked(checks.bad_prints, candles([*STEADY, 60.0, *STEADY])),
    "hourly print": lambda: checked(checks.bad_prints, candles([*STEADY, 5.0, *STEADY], "h"), "1h"),
    "gaps": lambda: checked(checks.gaps, candles(STEADY).drop(pd.date_range("2024-01-10", periods=3))),
    "weekday gaps": lambda: checked(checks.gaps, candles(STEADY, "B").drop(pd.bdate_range("2024-01-10", periods=2))),
    "a holiday": lambda: checked(checks.gaps, candles(STEADY, "B").drop(pd.bdate_range("2024-01-10", periods=1))),
    "volumes": lambda: checked(checks.volumes, candles(STEADY, volumes=[0.0, -1.0, 5.0] * 20)),
}  # fmt: skip


def test_figures_are_as_listed():
    held(__file__, CASES)
