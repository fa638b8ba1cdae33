"""Passes over a chunk of accounts: expected shortfall, requirement, shocks, shortfall, where each is closed.

A chunk is `indptr` (n + 1), `legs` (m,) column of each position's asset and `usd` (m,) its signed value; `equity` (n,).
"""

import numpy as np

from margin.audit.kernels import DUST, GROUPS, add_cents, book_losses, tail_mean
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
        _finish(buffer, usd[low:high], legs[low:high], alone, whole, mass, maxima, kept, where, es, worst, tails, a)


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
    es: np.ndarray,
    worst: np.ndarray,
    tails: np.ndarray,
    a: int,
) -> None:
    found = tail_mean(buffer, whole, mass, maxima, kept, where)
    parts = 0.0
    for i in range(usd.shape[0]):
        side = 0 if usd[i] >= 0 else 1
        parts += max(abs(usd[i]) * alone[side, legs[i]], 0.0)
    es[a] = found if found > DUST * parts else 0.0
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
    for t in range(accounts.shape[0]):
        a = accounts[t]
        low, high = indptr[a], indptr[a + 1]
        _finish(rows[t], usd[low:high], legs[low:high], alone, whole, mass, maxima, kept, where, es, worst, tails, a)


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
def shock_books(
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    equity: np.ndarray,
    es: np.ndarray,
    tails: np.ndarray,
    table: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    kind: int,
    share: float,
    lines: np.ndarray,
    moves: np.ndarray,
    uniform: np.ndarray,
    gap: float,
    closed: np.ndarray,
    notional: np.ndarray,
    short: np.ndarray,
    forced: np.ndarray,
    marginal: np.ndarray,
    halved: np.ndarray,
    floor: np.ndarray,
    times: np.ndarray,
) -> None:
    """Every account under every shock; counts and cents are added to closed, notional, short (K,) and forced (K, k).

    marginal (K, k): cents of shortfall that would not be there without the positions in that asset; halved (K,): the
    most that halving one account's positions would take off; times (n,): shocks that close each account

    moves (K, k) fractions; uniform (K,): whether all assets move alike, where ES scales and needs no sort
    gap : further adverse move of every position between trigger and close, as a fraction of its value
    floor (n,) USD: the worst equity of each account over all shocks, at most its equity
    A requirement is re-measured at the moved prices. For pooled ES two bounds settle most accounts: the mean over the
    scenarios that were worst before the move is never above it, the sum of the positions alone never below.
    """
    buffer = np.empty(table.shape[1])
    maxima, kept = np.empty(GROUPS), np.empty(whole + 1)
    where = np.empty(whole + 1, np.int64)
    k = moves.shape[1]
    factor = np.empty(k)
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        count = high - low
        if count == 0:
            floor[a] = equity[a]
            continue
        u, g = usd[low:high], legs[low:high]
        moved = np.empty(count)
        least = equity[a]
        for i in range(count):
            factor[g[i]] = 1.0
        still = maintenance_of(kind, u, g, factor, es[a], alone, share, lines)
        for j in range(moves.shape[0]):
            pnl, gross = 0.0, 0.0
            touched = False
            for i in range(count):
                m = moves[j, g[i]]
                touched = touched or m != 0.0
                pnl += u[i] * m
                moved[i] = u[i] * (1.0 + m)
                gross += abs(moved[i])
            left = equity[a] + pnl
            if left < least:
                least = left
            if not touched:
                needed = still  # a shock to others' assets: as it was
            elif kind == POOLED:
                if uniform[j]:
                    needed = share * es[a] * (1.0 + moves[j, 0])
                elif count == 1:
                    side = 0 if moved[0] >= 0 else 1
                    needed = share * max(abs(moved[0]) * alone[side, g[0]], 0.0)
                else:
                    needed = _pooled(
                        left, moved, g, tails[a], table, alone, whole, mass, share, buffer, maxima, kept, where
                    )
            else:
                for i in range(count):
                    factor[g[i]] = 1.0 + moves[j, g[i]]
                needed = maintenance_of(kind, u, g, factor, 0.0, alone, share, lines)
            if left < needed or left < 0.0:
                closed[j] += 1
                add_cents(notional, j, gross)
                times[a] += 1
                after = left - gap * gross
                if after < 0.0:
                    add_cents(short, j, -after)
                    for i in range(count):
                        own = u[i] * moves[j, g[i]] - gap * abs(moved[i])
                        add_cents(marginal[j], g[i], -after - max(own - after, 0.0))
                    saved = np.int64(np.rint((-after - max(-0.5 * (equity[a] + after), 0.0)) * 100.0))
                    if saved > halved[j]:
                        halved[j] = saved
                for i in range(count):
                    forced[j, g[i]] -= np.int64(np.rint(moved[i] * 100.0))
        floor[a] = least


@compiled
def _pooled(
    left: float,
    moved: np.ndarray,
    legs: np.ndarray,
    tail: np.ndarray,
    table: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    share: float,
    buffer: np.ndarray,
    maxima: np.ndarray,
    kept: np.ndarray,
    where: np.ndarray,
) -> float:
    """share x ES of the moved book, or a bound on the same side of `left` where that is enough."""
    upper, low = 0.0, 0.0
    for i in range(moved.shape[0]):
        side = 0 if moved[i] >= 0 else 1
        upper += max(abs(moved[i]) * alone[side, legs[i]], 0.0)
    if left >= share * upper:
        return share * upper
    if left < 0.0:
        return 0.0
    if tail[0] >= 0:
        for j in range(tail.shape[0]):
            loss = 0.0
            for i in range(moved.shape[0]):
                loss += moved[i] * table[legs[i], tail[j]]
            low += loss * ((mass - whole) if j == 0 else 1.0)
        low /= mass
        if left < share * low * (1.0 - 1e-12):
            return share * low
    book_losses(moved, legs, table, buffer)
    found = tail_mean(buffer, whole, mass, maxima, kept, where)
    return share * (found if found > DUST * upper else 0.0)


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
