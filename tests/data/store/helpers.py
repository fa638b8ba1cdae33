"""Candles to store, and programs that use the store in another process."""

import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from data.model import SeriesKey
from tests.support import ROOT

BTC = SeriesKey("kraken", "BTC/USD", "1d")
ETH = SeriesKey("okx", "ETH/USDT", "1d")
HOURLY = SeriesKey("kraken", "BTC/USD", "1h")
MONDAY, TUESDAY = datetime(2024, 6, 3, 12, tzinfo=UTC), datetime(2024, 6, 4, 12, tzinfo=UTC)


def candles(days: int, start: str = "2023-01-01", freq: str = "D", seed: int = 0) -> pd.DataFrame:
    """A random walk with all five columns."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
    index = pd.date_range(start, periods=days, freq=freq)
    return pd.DataFrame(
        {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": rng.uniform(1, 9, days)},
        index=index,
    )


def same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Same times and, bit for bit, same values."""
    return list(left.index) == list(right.index) and left.to_numpy().tobytes() == right.to_numpy().tobytes()


PREAMBLE = """
import os, signal, sys, time
from pathlib import Path
from data.store.store import Store
from tests.data.store.helpers import *
path = Path(sys.argv[1])
"""


def program(code: str, path: Path, *arguments: object, **options: object) -> subprocess.Popen:
    """Start `code` in another Python with the store's path as its first argument."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PREAMBLE + textwrap.dedent(code), str(path), *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def finish(process: subprocess.Popen) -> str:
    """Its output, once it has ended without an error."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out
