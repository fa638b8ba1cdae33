"""All-pairs rolling and EWMA correlation beside pandas, in one run: `python -m benchmarks.bench_correlation`.

Add `--quick` to leave out the errors.
"""

import sys
import time
import timeit
from collections.abc import Callable

import numpy as np
import pandas as pd

from data.sample import load_sample
from margin.core.market import Market
from margin.correlation.paths import _all
from margin.rolling.ewma import ewma_correlation
from margin.rolling.pearson import rolling_correlation

WINDOW, ASSETS, HALFLIFE = 60, 30, 60.0


def returns(rows: int) -> np.ndarray:
    """Fat-tailed correlated returns; five assets are listed late, one has a gap."""
    rng = np.random.default_rng(0)
    values = rng.standard_t(4, size=(rows, ASSETS)) * 0.03 + rng.standard_normal((rows, 1)) * 0.02
    for asset in range(5):
        values[: rows // 10 * (asset + 1), asset] = np.nan
    values[rows // 2 : rows // 2 + 10, 7] = np.nan
    return values


def error(data: np.ndarray, got: np.ndarray, pairs: list[tuple[int, int]]) -> float:
    """Largest difference from extended precision over some windows of some pairs."""
    wide = data.astype(np.longdouble)
    worst = 0.0
    for p in range(0, len(pairs), 5):
        i, j = pairs[p]
        for t in range(WINDOW - 1, len(data), 7):
            x, y = wide[t - WINDOW + 1 : t + 1, i], wide[t - WINDOW + 1 : t + 1, j]
            if np.isfinite(x).all() and np.isfinite(y).all() and np.ptp(x) > 0 and np.ptp(y) > 0:
                x, y = x - x.mean(), y - y.mean()
                exact = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
                worst = max(worst, abs(float(got[p, t] - exact)))
    return worst


def beside(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 5) -> None:
    """Rounds of ours and then pandas, so that both meet the same noise: medians, and the median ratios.

    By the clock, where ours has two threads for long histories; and in CPU time of all threads, which other processes
    on the machine disturb less.
    """
    ours()
    mine, other = [], []
    for _ in range(rounds):
        mine.append(np.min([_timed(ours) for _ in range(3)], axis=0))
        other.append(_timed(theirs))
    (wall, cpu), (wall_there, cpu_there) = np.median(mine, axis=0), np.median(other, axis=0)
    by_clock, by_cpu = np.median(np.array(other) / np.array(mine), axis=0)
    print(
        f"{name}: ours {1e3 * wall:.2f} ms (CPU {1e3 * cpu:.2f}), pandas {1e3 * wall_there:.0f} ms "
        f"(CPU {1e3 * cpu_there:.0f}), ratio {by_clock:.1f} (CPU {by_cpu:.1f})"
    )


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    print("$ python -m benchmarks.bench_correlation")
    rolling_correlation(returns(200), WINDOW)  # compile
    ewma_correlation(returns(200), HALFLIFE)
    for rows in (2_500, 20_000):
        data = returns(rows)
        frame = pd.DataFrame(data)
        beside(
            f"rolling, {rows:,} x {ASSETS}, window {WINDOW}",
            lambda d=data: rolling_correlation(d, WINDOW),
            lambda f=frame: f.rolling(WINDOW).corr(),
        )
        beside(
            f"rolling, at least 40 of {WINDOW}, {rows:,} x {ASSETS}",
            lambda d=data: rolling_correlation(d, WINDOW, min_periods=40),
            lambda f=frame: f.rolling(WINDOW, min_periods=40).corr(),
            3,
        )
        beside(
            f"EWMA, {rows:,} x {ASSETS}, half-life {HALFLIFE:g}",
            lambda d=data: ewma_correlation(d, HALFLIFE),
            lambda f=frame: f.ewm(halflife=HALFLIFE).corr(),
            3,
        )
    market = Market(load_sample().closes)
    own = timeit.repeat(lambda: _all(market, market.assets, WINDOW, 1, None), number=1, repeat=5)
    print(
        f"every pair of the sample on its own calendar ({len(market.assets)} assets, {len(market.dates):,} dates): "
        f"{1e3 * np.median(own):.0f} ms"
    )
    if "--quick" not in sys.argv:
        errors()


def errors() -> None:
    base = returns(2_500)
    spiked = base.copy()
    spiked[1234, 8] = 1e6
    levels = 100 * np.exp(np.cumsum(np.nan_to_num(base), axis=0))
    for name, data in (
        ("returns", base),
        ("price levels", levels),
        ("returns + 1e6", base + 1e6),
        ("one bad tick", spiked),
    ):
        got = rolling_correlation(data, WINDOW)
        table = pd.DataFrame(data).rolling(WINDOW).corr().to_numpy().reshape(len(data), ASSETS, ASSETS)
        pandas_values = np.array([table[:, i, j] for i, j in got.pairs])
        pairs = list(got.pairs)
        ours_off, theirs_off = (error(data, values, pairs) for values in (got.values, pandas_values))
        print(f"{name}: largest error {ours_off:.1e}, pandas {theirs_off:.1e}")


if __name__ == "__main__":
    main()
