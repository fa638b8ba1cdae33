"""Every venue's rules on one book, its liquidation prices, and `states` a second: `python -m benchmarks.bench_venues`.

Times are of the processor. The scalar scan is the tests' oracle, one `requirement` a price.
"""

import platform
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from margin import Collateral, Portfolio, Position, models, venues
from margin.core.account import SubAccount
from margin.models.base import pinned
from margin.models.marks import Marks
from margin.venues import compiled, liquidation
from margin.venues.margin_models import FIGURES
from margin.venues.survey import survey
from tests.venues.oracles import scalar_prices

RUNS = 30
ROWS = 400_000
WHEN = pd.Timestamp("2026-01-31")
MARKS = Marks({"BTC": 80_000.0, "ETH": 2_500.0, "SOL": 110.0, "USDC": 1.0}, WHEN, {"BTC": 0.5})
CASH = (Collateral("USDC", 50_000.0), Collateral("BTC", 0.2))
THREE = Portfolio(
    (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -30.0), Position("SOL/USDT:USDT", 50.0)), CASH
)


def median_ms(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median processor time, so that other work of the machine does not count."""
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return float(np.median(times))


def ten() -> SubAccount:
    """Ten positions in three coins, reaching into several tiers."""
    rng = np.random.default_rng(1)
    sizes = {"BTC": 20.0, "ETH": 800.0, "SOL": 9_000.0}
    quotes = ["USDT"] * 3 + ["USDC"] * 3 + ["FDUSD"] * 3 + ["USDE"]
    held = []
    for asset, quote in zip(["BTC", "ETH", "SOL"] * 3 + ["BTC"], quotes, strict=True):
        size = float(rng.choice((-1.0, 1.0)) * sizes[asset] * rng.uniform(0.1, 2.0))
        held.append(Position(f"{asset}/{quote}:{quote}", size, MARKS.price(asset), 10.0))
    return SubAccount(name="ten", positions=tuple(held), collateral=(Collateral("USDC", 1e6),))


def states_a_second() -> None:
    """`states` of the account, in numpy and compiled, for cross accounts that add up."""
    sub, rng = ten(), np.random.default_rng(2)
    factors = np.exp(rng.normal(0, 0.1, (ROWS, 4)))
    factors[:, sub.assets.index("USDC")] = 1.0
    print(f"states, ten positions, three coins, {ROWS:,} price sets, millions a second (targets 2 numpy, 10 compiled):")
    for key in ("binance:cross", "hyperliquid:cross", "dydx:cross"):
        model = models.get(key)
        rulebook, fixed = venues.rulebook(key.split(":")[0]), pinned(sub, MARKS)
        made = compiled.plan(rulebook, fixed, MARKS, "cross", rulebook.settings(None))
        assert made is not None
        quick = median_ms(lambda made=made: compiled.states(made, factors), 5)  # type: ignore[misc]
        part = factors[: compiled.LEAST_ROWS - 1]
        plain = median_ms(lambda model=model, part=part: model.states(sub, MARKS, part), 5)  # type: ignore[misc]
        one = median_ms(lambda model=model: model.states(sub, MARKS, factors[:1]), 50)  # type: ignore[misc]
        slow = model.states(sub, MARKS, part)
        worst = max(
            float(np.max(np.abs(compiled.states(made, part)[i] - getattr(slow, f)) / (1 + np.abs(getattr(slow, f)))))
            for i, f in enumerate(FIGURES)
        )
        print(
            f"  {key}: numpy {len(part) / plain / 1e3:.1f}, compiled {ROWS / quick / 1e3:.1f}; one set {one:.3f} ms "
            f"(target 0.1); largest relative difference {worst:.1e}"
        )


def liquidation_prices() -> None:
    """Every liquidation price of three perpetuals at every venue that holds them, beside the scalar scan."""
    modes = [(a.rulebook, a.margin.mode) for a in survey(THREE, MARKS).asked if not a.left_out]
    quick = median_ms(lambda: [liquidation.prices(r, THREE, MARKS, m) for r, m in modes], 10)
    slow = median_ms(lambda: [scalar_prices(r, THREE, MARKS, m) for r, m in modes], 3)
    print(
        f"all liquidation prices of three perpetuals, {len(modes)} venue modes: median {quick:.1f} ms (target 60), "
        f"scalar scan {slow:.0f} ms: {slow / quick:.1f} times (target 4)"
    )


def main() -> None:
    print("$ python -m benchmarks.bench_venues")
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    options = Portfolio(
        tuple(
            Position(f"BTC/USD:BTC-260327-{strike}-{kind}", size)
            for strike, kind, size in ((75_000, "P", 1.0), (85_000, "C", -1.0), (95_000, "C", 2.0), (70_000, "P", -2.0))
        ),
        CASH,
    )
    for title, book in (("three perpetuals", THREE), ("four options", options)):
        found = survey(book, MARKS)
        took = median_ms(lambda book=book: survey(book, MARKS), 10)  # type: ignore[misc]
        print(f"{title}: {len(found.asked)} venue modes with all liquidation prices, median {took:.0f} ms")
    binance = venues.rulebook("binance")
    one = median_ms(lambda: binance.requirement(THREE, MARKS, "cross"))
    print(f"one margin (Binance, cross): median {one:.3f} ms")
    field = median_ms(lambda: liquidation.surface(binance, THREE, MARKS, "cross", "BTC", "ETH"), 10)
    print(f"one two-asset surface of 25 x 25 (Binance, cross): median {field:.0f} ms")
    liquidation_prices()
    states_a_second()


if __name__ == "__main__":
    main()
