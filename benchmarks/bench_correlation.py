"""All-pairs rolling correlation beside pandas, in one run: `python -m benchmarks.bench_correlation`."""

import timeit

import numpy as np
import pandas as pd

from margin.rolling import rolling_correlation

WINDOW, ASSETS = 60, 30


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


def main() -> None:
    print("$ python -m benchmarks.bench_correlation")
    rolling_correlation(returns(200), WINDOW)  # compile
    for rows in (2_500, 20_000):
        data = returns(rows)
        frame = pd.DataFrame(data)
        ours, theirs = [], []
        for _ in range(5):
            ours.append(min(timeit.repeat(lambda d=data: rolling_correlation(d, WINDOW), number=1, repeat=3)))
            theirs.append(timeit.timeit(lambda f=frame: f.rolling(WINDOW).corr(), number=1))
        ratio = np.median(np.array(theirs) / np.array(ours))
        print(
            f"{rows:,} x {ASSETS}, window {WINDOW}: ours {1e3 * np.median(ours):.2f} ms, "
            f"pandas {1e3 * np.median(theirs):.0f} ms, ratio {ratio:.1f}"
        )
    base = returns(2_500)
    spiked = base.copy()
    spiked[1234, 0] = 1e6
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
