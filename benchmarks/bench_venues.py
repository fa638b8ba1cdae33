"""Every venue's rules on one book, with liquidation prices: `python -m benchmarks.bench_venues`."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from margin import Collateral, Portfolio, Position, venues
from margin.models.marks import Marks
from margin.venues import liquidation
from margin.venues.survey import survey

RUNS = 50
WHEN = pd.Timestamp("2026-01-31")
MARKS = Marks({"BTC": 80_000.0, "ETH": 2_500.0, "SOL": 110.0, "USDC": 1.0}, WHEN, {"BTC": 0.5})


def median_ms(work: Callable[[], object], runs: int = RUNS) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def main() -> None:
    print("$ python -m benchmarks.bench_venues")
    cash = (Collateral("USDC", 50_000.0), Collateral("BTC", 0.2))
    pair = Portfolio(
        (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0), Position("SOL/USDT:USDT", 50.0)), cash
    )
    options = Portfolio(
        tuple(
            Position(f"BTC/USD:BTC-260327-{strike}-{kind}", size)
            for strike, kind, size in ((75_000, "P", 1.0), (85_000, "C", -1.0), (95_000, "C", 2.0), (70_000, "P", -2.0))
        ),
        cash,
    )
    for title, book in (("three perpetuals", pair), ("four options", options)):
        found = survey(book, MARKS)
        took = median_ms(lambda book=book: survey(book, MARKS))  # type: ignore[misc]
        print(f"{title}: {len(found.asked)} venue modes with all liquidation prices, median {took:.0f} ms")
    binance = venues.rulebook("binance")
    one = median_ms(lambda: binance.requirement(pair, MARKS, "cross"))
    print(f"one margin (Binance, cross): median {one:.3f} ms")
    field = median_ms(lambda: liquidation.surface(binance, pair, MARKS, "cross", "BTC", "ETH"), 10)
    print(f"one two-asset surface of 25 x 25 (Binance, cross): median {field:.0f} ms")


if __name__ == "__main__":
    main()
