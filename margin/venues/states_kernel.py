"""The compiled loop behind margin/venues/compiled.py. Importing this module imports numba."""

import numpy as np

from margin.rolling.pearson_kernels import compiled


@compiled
def summed(
    factors: np.ndarray, equity: np.ndarray, opening: np.ndarray, column: np.ndarray, value: np.ndarray,
    fee: np.ndarray, fee_share: np.ndarray, to_open: float, low: np.ndarray, high: np.ndarray, caps: np.ndarray,
    rates: np.ndarray, deductions: np.ndarray, initial_rates: np.ndarray, printed: np.ndarray, closed: bool,
    out: np.ndarray,
) -> None:  # fmt: skip
    """Fill out (4, n): equity, equity for opening, initial and maintenance margin of each row of factors (n, k).

    equity, opening : (k + 1,) USD, the constant last; the rest of position i: its factor's column, USD value at 1,
    fee = fee[i] + fee_share[i] x value, and of the tiers (caps in USD) those it can reach: low[i] to high[i]
    """
    n, k = factors.shape
    for row in range(n):
        have, ready = equity[k], opening[k]
        for j in range(k):
            have += equity[j] * factors[row, j]
            ready += opening[j] * factors[row, j]
        initial, kept = 0.0, 0.0
        for i in range(len(column)):
            now = value[i] * factors[row, column[i]]
            t = low[i]
            while t < high[i] and (now > caps[t] or (now == caps[t] and not closed)):
                t += 1
            need = rates[t] * now - deductions[t]
            if printed[i] and need < 0.0:
                need = 0.0
            cost = fee[i] + fee_share[i] * now
            kept += need + cost
            initial += now * initial_rates[t] + to_open * cost
        out[0, row] = have
        out[1, row] = ready
        out[2, row] = initial
        out[3, row] = kept
