"""The compiled loops behind margin/forecast/paths.py. Importing this module imports numba."""

import numpy as np

from margin.rolling.pearson_kernels import compiled


@compiled
def lowest_points(
    shocks: np.ndarray,
    starts: np.ndarray,
    block: int,
    sigma: float,
    drift: float,
    decay: float,
    growth: float,
    clocks: np.ndarray,
    marks: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill out[p, h] with the lowest point of path p up to step marks[h] (ascending), start included.

    shocks : (n,) standardised steps; starts (paths, blocks) first row of each block of `block` steps
    clocks : (paths, steps) standard exponential draws: the lowest point of a Brownian bridge from a to a' is
             (a + a' - root((a - a')^2 + 2 sigma^2 clock)) / 2. Of no columns: watched at the nodes only
    growth : USD by which the requirement rises per relative rise of the volatility along the path
    """
    bridged = clocks.shape[1] > 0
    steps = marks[-1]
    variance = sigma * sigma
    for p in range(starts.shape[0]):
        level = lowest = 0.0
        total = 0.0
        now = variance
        mark = 0
        for t in range(steps):
            within = t % block
            x = sigma * shocks[starts[p, t // block] + within] + drift
            total += x
            after = total
            if growth != 0.0 and variance > 0.0:
                now = decay * now + (1.0 - decay) * x * x
                after = total - growth * (np.sqrt(now / variance) - 1.0)
            if bridged:
                # Without a root where the bridge cannot reach below the lowest point so far.
                high, low = level - lowest, after - lowest
                if low < 0.0 or variance * clocks[p, t] > 2.0 * high * low:
                    move = level - after
                    dip = 0.5 * (level + after - np.sqrt(move * move + 2.0 * variance * clocks[p, t]))
                    lowest = min(lowest, dip)
            else:
                lowest = min(lowest, after)
            level = after
            while mark < len(marks) and t + 1 == marks[mark]:
                out[p, mark] = lowest
                mark += 1


@compiled
def smoothed(squares: np.ndarray, decay: float, out: np.ndarray) -> None:
    """Fill rows 1.. of out (n + 1, k), row 0 given: out[t + 1] = decay out[t] + (1 - decay) squares[t], by column."""
    for t in range(squares.shape[0]):
        for j in range(squares.shape[1]):
            out[t + 1, j] = decay * out[t, j] + (1.0 - decay) * squares[t, j]
