"""The compiled pass over accounts: expected shortfall, shocks, shortfall by scenario. One account after the other.

Losses of an account under S scenarios are its legs times rows of one table. Of S losses only the largest few are
wanted: the maxima of 32 strided groups give a threshold that as many losses reach as are wanted, and only groups that
reach it are looked at again.
"""

import numpy as np

from margin.rolling.pearson_kernels import compiled

GROUPS = 32  # strided maxima; more scenarios in the tail than half of this are found by plain selection
HALVINGS = 12  # of the range of the maxima, at most
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
    buffer: np.ndarray,
    whole: int,
    mass: float,
    maxima: np.ndarray,
    kept: np.ndarray,
    where: np.ndarray,
    over: np.ndarray,
    spots: np.ndarray,
) -> float:
    """ES of the losses in `buffer`: (`whole` largest + the split one) / mass. kept, where: the largest, ascending.

    maxima (GROUPS,), over and spots (2 GROUPS + n,) are room to work in. The few losses above a threshold are ranked
    by how many are larger, all at once; where two are equal, or too many stand above it, they are picked one by one.
    """
    n, last = buffer.shape[0], kept.shape[0] - 1
    count = 0
    if kept.shape[0] <= GROUPS // 2 and n >= 4 * GROUPS:
        count = _above(buffer, kept.shape[0], maxima, over, spots)
    if 0 < count <= GROUPS and _ranked(over, count, spots[GROUPS:]):
        for i in range(count):
            place = last - spots[GROUPS + i]
            if place >= 0:
                kept[place] = over[i]
                where[place] = spots[i]
    else:
        for j in range(last + 1):
            kept[j] = -np.inf
            where[j] = -1
        for s in range(n):
            if buffer[s] > kept[0]:
                keep_largest(buffer[s], s, kept, where)
    total = 0.0
    for j in range(1, last + 1):
        total += kept[j]
    mean: float = (total + (mass - whole) * kept[0]) / mass
    return mean


@compiled
def _above(buffer: np.ndarray, wanted: int, maxima: np.ndarray, over: np.ndarray, spots: np.ndarray) -> int:
    """How many losses reach a threshold that the `wanted` largest do for certain; over, spots: they, their scenarios.

    At least `wanted` of the groups' maxima reach it, found by halving. Written without branches that would be missed.
    """
    n = buffer.shape[0]
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
    sure, high = maxima[0], maxima[0]
    for g in range(1, GROUPS):
        sure = min(sure, maxima[g])
        high = max(high, maxima[g])
    for _ in range(HALVINGS):
        middle = 0.5 * (sure + high)
        reach = 0
        for g in range(GROUPS):
            reach += maxima[g] >= middle
        if reach >= wanted:
            sure = middle
            if reach <= wanted + 2:
                break
        else:
            high = middle
    groups = 0
    for g in range(GROUPS):
        spots[groups] = g
        groups += maxima[g] >= sure
    count = GROUPS  # the groups stand before
    for i in range(groups):
        for s in range(spots[i], n, GROUPS):
            v = buffer[s]
            over[count] = v
            spots[count] = s
            count += v >= sure
    count -= GROUPS
    if count <= GROUPS:
        for i in range(count):
            over[i] = over[GROUPS + i]
            spots[i] = spots[GROUPS + i]
        for i in range(count, GROUPS):
            over[i] = -np.inf
    return count


@compiled
def _ranked(values: np.ndarray, count: int, ranks: np.ndarray) -> bool:
    """ranks[i]: how many of the first `count` of GROUPS values are larger than the ith. False where two are equal."""
    for i in range(GROUPS):
        ranks[i] = 0
    for j in range(count):
        v = values[j]
        for i in range(GROUPS):
            ranks[i] += v > values[i]
    total = 0
    for i in range(count):
        total += ranks[i]
    return 2 * total == count * (count - 1)


@compiled
def add_cents(total: np.ndarray, at: int, usd: float) -> None:
    """Money is added up in whole cents, so that any order gives the same sum."""
    total[at] += np.int64(np.rint(usd * CENT))
