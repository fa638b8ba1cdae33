"""Passes over a chunk of accounts: expected shortfall, requirement, shortfall, where each is closed.

A chunk is `indptr` (n + 1), `legs` (m,) column of each position's asset and `usd` (m,) its signed value; `equity` (n,).
"""

import numpy as np

from margin.audit.kernels import DUST, GROUPS, book_losses, tail_mean
from margin.audit.lines import closes_at, margin_of
from margin.rolling.pearson_kernels import compiled

POOLED, ALONE, TIERED = 0, 1, 2  # kinds of rule: ES of the book, sum of ES of its positions, a venue's tiers


@compiled
def es_of_books(
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    table: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    es: np.ndarray,
    worst: np.ndarray,
    tails: np.ndarray,
    skip_from: int,
) -> None:
    """es, worst (n,) USD and tails (n, whole + 1) of every account of fewer than `skip_from` legs.

    table (k, S) loss per dollar held long; alone (2, k): ES of a dollar long, of a dollar short. One leg needs no sort.
    """
    buffer = np.empty(table.shape[1])
    maxima, kept = np.empty(GROUPS), np.empty(whole + 1)
    where = np.empty(whole + 1, np.int64)
    over, spots = np.empty(2 * GROUPS + table.shape[1]), np.empty(2 * GROUPS + table.shape[1], np.int64)
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        if high - low >= skip_from:
            continue
        if high == low:
            es[a] = 0.0
            worst[a] = 0.0
            tails[a, 0] = -1
            continue
        if high - low == 1:
            u, leg = usd[low], legs[low]
            side = 0 if u >= 0 else 1
            es[a] = max(abs(u) * alone[side, leg], 0.0)
            worst[a] = abs(u) * alone[2 + side, leg]
            tails[a, 0] = -1
            continue
        book_losses(usd[low:high], legs[low:high], table, buffer)
        _finish(
            buffer,
            usd[low:high],
            legs[low:high],
            alone,
            whole,
            mass,
            maxima,
            kept,
            where,
            over,
            spots,
            es,
            worst,
            tails,
            a,
        )


@compiled
def _finish(
    buffer: np.ndarray,
    usd: np.ndarray,
    legs: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    maxima: np.ndarray,
    kept: np.ndarray,
    where: np.ndarray,
    over: np.ndarray,
    spots: np.ndarray,
    es: np.ndarray,
    worst: np.ndarray,
    tails: np.ndarray,
    a: int,
) -> None:
    mean = tail_mean(buffer, whole, mass, maxima, kept, where, over, spots)
    parts = 0.0
    for i in range(usd.shape[0]):
        side = 0 if usd[i] >= 0 else 1
        parts += max(abs(usd[i]) * alone[side, legs[i]], 0.0)
    es[a] = mean if mean > DUST * parts else 0.0
    worst[a] = kept[kept.shape[0] - 1]
    for j in range(where.shape[0]):
        tails[a, j] = where[j]


@compiled
def es_of_rows(
    rows: np.ndarray,
    accounts: np.ndarray,
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    es: np.ndarray,
    worst: np.ndarray,
    tails: np.ndarray,
) -> None:
    """The same for accounts whose losses stand ready in `rows` (t, S): those of many legs, multiplied out together."""
    maxima, kept = np.empty(GROUPS), np.empty(whole + 1)
    where = np.empty(whole + 1, np.int64)
    over, spots = np.empty(2 * GROUPS + rows.shape[1]), np.empty(2 * GROUPS + rows.shape[1], np.int64)
    for t in range(accounts.shape[0]):
        a = accounts[t]
        low, high = indptr[a], indptr[a + 1]
        _finish(
            rows[t],
            usd[low:high],
            legs[low:high],
            alone,
            whole,
            mass,
            maxima,
            kept,
            where,
            over,
            spots,
            es,
            worst,
            tails,
            a,
        )


@compiled
def maintenance_of(
    kind: int,
    usd: np.ndarray,
    legs: np.ndarray,
    factor: np.ndarray,
    es: float,
    alone: np.ndarray,
    share: float,
    lines: np.ndarray,
) -> float:
    """USD below which one account is closed, its positions multiplied by `factor` each; pooled ES is given."""
    if kind == POOLED:
        return share * es
    total = 0.0
    for i in range(usd.shape[0]):
        if kind == ALONE:
            u = usd[i] * factor[legs[i]]
            side = 0 if u >= 0 else 1
            total += share * max(abs(u) * alone[side, legs[i]], 0.0)
        else:
            total += margin_of(lines[legs[i]], usd[i], factor[legs[i]])
    return total


@compiled
def short_by_scenario(
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    equity: np.ndarray,
    worst: np.ndarray,
    table: np.ndarray,
    short: np.ndarray,
    largest: np.ndarray,
    second: np.ndarray,
) -> None:
    """Cents by which accounts end below zero, added to short (S,); largest, second (S,): each scenario's worst two."""
    buffer = np.empty(table.shape[1])
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        if high == low or worst[a] <= equity[a]:
            continue
        book_losses(usd[low:high], legs[low:high], table, buffer)
        for s in range(buffer.shape[0]):
            hole = buffer[s] - equity[a]
            if hole > 0.0:
                cents = np.int64(np.rint(hole * 100.0))
                short[s] += cents
                if cents > largest[s]:
                    second[s] = largest[s]
                    largest[s] = cents
                elif cents > second[s]:
                    second[s] = cents


@compiled
def closing_moves(
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    equity: np.ndarray,
    maintenance: np.ndarray,
    kind: int,
    share: float,
    alone: np.ndarray,
    lines: np.ndarray,
    out: np.ndarray,
    most: float,
) -> None:
    """out (n, 2): the move of all assets alike at which each account is closed, down (> -1) and up (< most); NaN: none.

    The ladder's requirement scales with the prices, so its root is closed form; tiers are straight lines between edges.
    """
    most_legs = 1
    for a in range(indptr.shape[0] - 1):
        most_legs = max(most_legs, indptr[a + 1] - indptr[a])
    tiers = np.empty(most_legs, np.int64)
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        out[a, 0] = np.nan
        out[a, 1] = np.nan
        if high == low:
            continue
        gap = equity[a] - maintenance[a]
        if gap < 0.0:
            out[a, 0] = 0.0
            out[a, 1] = 0.0
            continue
        net = 0.0
        for i in range(low, high):
            net += usd[i]
        if kind != TIERED:
            slope = net - maintenance[a]
            if slope != 0.0:
                root = -gap / slope
                if -1.0 < root <= 0.0:
                    out[a, 0] = root
                if 0.0 <= root < most:
                    out[a, 1] = root
            continue
        u, g = usd[low:high], legs[low:high]
        out[a, 0] = closes_at(lines, u, g, equity[a], False, 1e-12, tiers)
        up = closes_at(lines, u, g, equity[a], True, 1.0 + most, tiers)
        out[a, 1] = up
