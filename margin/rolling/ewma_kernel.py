"""The compiled loop behind margin/rolling/ewma.py. Importing this module imports numba."""

import numpy as np

from margin.rolling.pearson_kernels import compiled


@compiled
def correlate_ewma(columns: np.ndarray, pairs: np.ndarray, decay: float, least: int, out: np.ndarray) -> None:
    """Fill out[p, t] in place, NaN where there is no figure. columns : (k, n) with NaN where missing."""
    for p in range(pairs.shape[0]):
        x, y, line = columns[pairs[p, 0]], columns[pairs[p, 1]], out[p]
        xx = yy = xy = 0.0
        count = 0
        for t in range(len(line)):
            if not (np.isfinite(x[t]) and np.isfinite(y[t])):
                continue
            count += 1
            xx = decay * xx + x[t] * x[t]
            yy = decay * yy + y[t] * y[t]
            xy = decay * xy + x[t] * y[t]
            if count >= least and xx > 0.0 and yy > 0.0:
                rho = xy / np.sqrt(xx) / np.sqrt(yy)
                line[t] = 1.0 if rho > 1.0 else -1.0 if rho < -1.0 else rho
