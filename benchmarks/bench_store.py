"""The price store, cleaning and price files: `python -m benchmarks.bench_store`."""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from data.cleaning.clean import clean_candles
from data.fetch.fetch import stored_prices
from data.files.read import prices_to_csv, prices_to_parquet, read_prices
from data.model import Interval, SeriesKey
from data.store.store import Store

ROUNDS, SERIES = 9, 30
SPANS: tuple[tuple[Interval, str, int], ...] = (("1d", "D", 1_500), ("1h", "h", 20_000))


def candles(rows: int, freq: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, rows)))
    volume = rng.uniform(1, 9, rows)
    index = pd.date_range("2021-01-01", periods=rows, freq=freq)
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": volume}
    return pd.DataFrame(prices, index=index)


def milliseconds(work: Callable[[], object]) -> float:
    """Median of several rounds, after one that warms up."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(store: Store, interval: Interval, freq: str, rows: int) -> None:
    """Print the figures of SERIES series in one store."""
    now = datetime.now(UTC)
    frames = {SeriesKey("okx", f"A{n}/USDT", interval): candles(rows, freq, n) for n in range(SERIES)}

    def append(last: int | None) -> None:
        for key, frame in frames.items():
            store.append(key, frame if last is None else frame.iloc[-last:], now, now)

    def report(what: str, work: Callable[[], object]) -> None:
        print(f"  {what:<27} {milliseconds(work):7.1f} ms")

    append(None)
    print(f"{SERIES} series of {rows:,} candles ({interval}):")
    report("append one candle to each", lambda: append(1))
    report("read all", lambda: [store.read(key) for key in frames])
    report("clean all", lambda: [clean_candles(frame, "A", interval, now) for frame in frames.values()])
    report("read, clean and combine", lambda: stored_prices(store, interval))
    if interval == "1d":
        prices = stored_prices(store, interval)
        text, parquet = prices_to_csv(prices).encode(), prices_to_parquet(prices)
        report("read them from CSV", lambda: read_prices(text, "p.csv"))
        report("read them from Parquet", lambda: read_prices(parquet, "p.parquet"))


def main() -> None:
    print("$ python -m benchmarks.bench_store")
    for interval, freq, rows in SPANS:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder) / "prices.db")
            measure(store, interval, freq, rows)
            store.close()


if __name__ == "__main__":
    main()
