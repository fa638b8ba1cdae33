"""One comparison, 30 positions x 500 scenarios: `python -m benchmarks.bench_compare`."""

import random
import time

import numpy as np

from data.sample import load_sample
from margin import Market, Portfolio, Position, compare

RUNS = 200


def main() -> None:
    print("$ python -m benchmarks.bench_compare")
    prices = load_sample()
    assets = [a for a in prices.assets if a not in ("SPY", "QQQ", "GLD", "USDC", "USDT", "PAXG", "ATOM")][:13]
    rng = random.Random(1)
    symbols = [f"{a}/USD" for a in assets] + [f"{a}/USDT:USDT" for a in assets] + [f"{a}" for a in assets[:4]]
    book = Portfolio(tuple(_position(s, rng.uniform(-100, 100)) for s in symbols[:30]))
    for name, fresh in (("an edit (same assets)", False), ("first time (nothing kept)", True)):
        times, cpu = [], []
        market = Market(prices.closes, prices.volumes)
        for _ in range(RUNS):
            if fresh:
                market = Market(prices.closes, prices.volumes)
            edited = book.scaled(rng.uniform(0.5, 1.5))
            start, began = time.perf_counter(), time.process_time()
            result = compare(edited, market)
            times.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.process_time() - began))
        print(
            f"compare, {len(book.positions)} positions x {result.scenarios} scenarios, {name}: "
            f"median {np.median(times):.2f} ms, p95 {np.percentile(times, 95):.2f} ms, "
            f"CPU median {np.median(cpu):.2f} ms, least {min(cpu):.2f} ms"
        )


def _position(symbol: str, quantity: float) -> Position:
    """Spot on borrowed money, so that all thirty are margined; owned coins would be collateral with a haircut each."""
    spot = "/" in symbol and ":" not in symbol
    return Position(symbol, quantity, paid=False) if spot else Position(symbol, quantity)


if __name__ == "__main__":
    main()
