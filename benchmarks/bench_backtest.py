"""Walk-forward backtest: 5 methods x 1,500 days x 20 positions, beside `compare` called day by day.

python -m benchmarks.bench_backtest
"""

import time

import numpy as np
import pandas as pd

from margin import Market, Portfolio, Position, Settings, compare
from margin.backtest.walk_forward import backtest

DAYS, POSITIONS, LOOP_DAYS = 1500, 20, 60


def world() -> tuple[Market, Portfolio]:
    """2,100 days of 20 assets that move together, and a book long one half and short the other."""
    rng = np.random.default_rng(7)
    common = rng.standard_t(4, size=(2100, 1)) * 0.02
    moves = common + rng.standard_t(4, size=(2100, POSITIONS)) * 0.02
    names = [f"A{i}" for i in range(POSITIONS)]
    closes = pd.DataFrame(100 * np.exp(np.cumsum(moves, axis=0)), pd.date_range("2019-01-01", periods=2100), names)
    book = Portfolio(tuple(Position(f"{name}/USD", 100.0 * (-1) ** i, paid=False) for i, name in enumerate(names)))
    return Market(closes, closes * 0 + 1e8), book


def main() -> None:
    market, book = world()
    backtest(book, market, days=30)  # warm
    print("$ python -m benchmarks.bench_backtest")
    times = []
    for _ in range(3):
        started = time.perf_counter()
        found = backtest(book, market, days=DAYS)
        times.append(time.perf_counter() - started)
    ours = float(np.median(times))
    started = time.perf_counter()
    for date in found.dates[:: len(found.dates) // LOOP_DAYS][:LOOP_DAYS]:
        for estimator in ("historical", "filtered"):
            compare(book, market, settings=Settings(as_of=str(date)[:10], estimator=estimator))
    loop = (time.perf_counter() - started) / LOOP_DAYS * len(found.dates)
    print(
        f"{len(found.records)} methods x {len(found.dates):,} days x {POSITIONS} positions: median {ours:.2f} s of 3 "
        f"(target 1.3 s); compare day by day {loop:.1f} s ({LOOP_DAYS} days measured), ratio {loop / ours:.1f}"
    )


if __name__ == "__main__":
    main()
