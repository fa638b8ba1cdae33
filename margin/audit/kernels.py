"""The compiled pass over accounts: expected shortfall, shocks, shortfall by scenario. One account after the other.

Losses of an account under S scenarios are its legs times rows of one table. Of S losses only the largest few are
wanted: the maxima of 32 strided groups give a threshold that as many losses reach as are wanted, and only groups that
reach it are looked at again.
"""

import numpy as np

from margin.rolling.pearson_kernels import compiled

GROUPS = 32  # strided maxima; more scenarios in the tail than this are found by plain selection
CENT = 100.0
DUST = 1e-12  # of the sum of its parts: a pooled figure below is rounding


@compiled
def book_losses(usd: np.ndarray, legs: np.ndarray, table: np.ndarray, buffer: np.ndarray) -> None:
    """buffer[s] = sum of usd x table[leg, s]: the losses of one account, in place."""
    n = buffer.shape[0]
    first = table[legs[0]]
    u = usd[0]
    for s in range(n):
        buffer[s] = u * first[s]
    i = 1
    while i + 1 < legs.shape[0]:
        a, b, ua, ub = table[legs[i]], table[legs[i + 1]], usd[i], usd[i + 1]
        for s in range(n):
            buffer[s] += ua * a[s] + ub * b[s]
        i += 2
    if i < legs.shape[0]:
        a, ua = table[legs[i]], usd[i]
        for s in range(n):
            buffer[s] += ua * a[s]


@compiled
def keep_largest(value: float, at: int, kept: np.ndarray, where: np.ndarray) -> None:
    """Put one value into the ascending list of the largest ones, if it belongs there."""
    i = 0
    last = kept.shape[0] - 1
    while i < last and kept[i + 1] < value:
        kept[i] = kept[i + 1]
        where[i] = where[i + 1]
        i += 1
    kept[i] = value
    where[i] = at


@compiled
def tail_mean(
    buffer: np.ndarray, whole: int, mass: float, maxima: np.ndarray, kept: np.ndarray, where: np.ndarray
) -> float:
    """ES of the losses in `buffer`: (`whole` largest + the split one) / mass. kept, where: the largest, ascending."""
    n = buffer.shape[0]
    for j in range(kept.shape[0]):
        kept[j] = -np.inf
        where[j] = -1
    if kept.shape[0] > GROUPS // 2 or n < 4 * GROUPS:
        for s in range(n):
            if buffer[s] > kept[0]:
                keep_largest(buffer[s], s, kept, where)
    else:
        for g in range(GROUPS):
            maxima[g] = buffer[g]
        rows = n // GROUPS
        for r in range(1, rows):
            base = r * GROUPS
            for g in range(GROUPS):
                v = buffer[base + g]
                m = maxima[g]
                maxima[g] = v if v > m else m
        for s in range(rows * GROUPS, n):
            g = s - rows * GROUPS
            if buffer[s] > maxima[g]:
                maxima[g] = buffer[s]
        for g in range(GROUPS):
            if maxima[g] > kept[0]:
                keep_largest(maxima[g], -1, kept, where)
        sure = kept[0]
        for j in range(kept.shape[0]):
            kept[j] = -np.inf
            where[j] = -1
        for g in range(GROUPS):
            if maxima[g] >= sure:
                for s in range(g, n, GROUPS):
                    if buffer[s] >= sure and buffer[s] > kept[0]:
                        keep_largest(buffer[s], s, kept, where)
    total = 0.0
    for j in range(1, kept.shape[0]):
        total += kept[j]
    mean: float = (total + (mass - whole) * kept[0]) / mass
    return mean


@compiled
def add_cents(total: np.ndarray, at: int, usd: float) -> None:
    """Money is added up in whole cents, so that any order gives the same sum."""
    total[at] += np.int64(np.rint(usd * CENT))
