"""The compiled loop behind margin/rolling/ewma.py. Importing this module imports numba.

Time tiles outside, pairs inside: one step of an average waits for the step before it, so that a pair alone leaves the
machine idle; sixteen pairs side by side fill it. A tile stays in the first cache.
"""

import numpy as np

from margin.rolling.pearson_kernels import compiled_lanes

LANES, TILE = 16, 64
STRIDE = 3 * LANES  # of a row of the tile: both values, then the correlation
Y, RHO = LANES, 2 * LANES
YY, XY, COUNT = LANES, 2 * LANES, 3 * LANES


@compiled_lanes
def correlate_ewma(
    columns: np.ndarray, pairs: np.ndarray, decay: float, least: int, begin: int, end: int, out: np.ndarray
) -> None:
    """Fill out[p, t] in place for p from begin to end - 1, NaN where there is no figure.

    columns : (k, n) with NaN where missing
    """
    n = columns.shape[1]
    tile, sums = np.empty(TILE * STRIDE), np.empty(4 * LANES)  # one array each: the compiler sees that none overlap
    for start in range(begin, end, LANES):
        used = min(LANES, end - start)
        sums[:] = 0.0
        for first in range(0, n, TILE):
            rows = min(TILE, n - first)
            for lane in range(LANES):
                p = start + min(lane, used - 1)
                x, y = columns[pairs[p, 0]], columns[pairs[p, 1]]
                for t in range(rows):
                    tile[t * STRIDE + lane] = x[first + t]
                    tile[t * STRIDE + Y + lane] = y[first + t]
            for t in range(rows):
                row = t * STRIDE
                for lane in range(LANES):
                    u, v = tile[row + lane], tile[row + Y + lane]
                    held = (u - u) + (v - v) == 0.0  # neither is NaN or infinite
                    kept = decay if held else 1.0
                    u = u if held else 0.0
                    v = v if held else 0.0
                    sx = kept * sums[lane] + u * u
                    sy = kept * sums[YY + lane] + v * v
                    sxy = kept * sums[XY + lane] + u * v
                    seen = sums[COUNT + lane] + (1.0 if held else 0.0)
                    sums[lane] = sx
                    sums[YY + lane] = sy
                    sums[XY + lane] = sxy
                    sums[COUNT + lane] = seen
                    rho = min(max(sxy / (np.sqrt(sx) * np.sqrt(sy)), -1.0), 1.0)
                    good = held & (seen >= least) & (sx > 0.0) & (sy > 0.0)
                    tile[row + RHO + lane] = rho if good else np.nan
            for lane in range(used):
                line = out[start + lane]
                for t in range(rows):
                    line[first + t] = tile[t * STRIDE + RHO + lane]
