"""Every account under every shock. What cannot close it is passed over; what may is reckoned out.

For most accounts and shocks a bound of the margin that is linear in the prices is enough: one row of profits and one of
bounds per account, over all shocks at once. Shocks of a single asset are looked at only by accounts that hold it.
"""

import numpy as np

from margin.audit.kernels import DUST, GROUPS, add_cents, book_losses, tail_mean
from margin.audit.lines import ceiling_of
from margin.audit.passes import POOLED, TIERED, maintenance_of
from margin.rolling.pearson_kernels import compiled

SURE = 1.0 + 1e-9  # a bound holds although its parts are rounded


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
    over, spots = np.empty(2 * GROUPS + table.shape[1]), np.empty(2 * GROUPS + table.shape[1], np.int64)
    k = moves.shape[1]
    factor, ceiling = np.empty(k), np.empty(k)
    most = 1.0
    for j in range(moves.shape[0]):
        for i in range(k):
            most = max(most, 1.0 + moves[j, i])
    alike, order, starts = _by_asset(moves)
    rows = np.ascontiguousarray(moves[alike].T)  # (k, shocks that move several assets)
    pnl, bound = np.empty(len(alike)), np.empty(len(alike))
    everything = np.arange(moves.shape[0])
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        count = high - low
        if count == 0:
            floor[a] = equity[a]
            continue
        u, g = usd[low:high], legs[low:high]
        moved = np.empty(count)
        for i in range(count):
            factor[g[i]] = 1.0
        still = maintenance_of(kind, u, g, factor, es[a], alone, share, lines)
        # Which shocks may close it: all where it is closed as it stands, else those that touch it and in which its
        # equity is not above the bound.
        always = equity[a] < still or equity[a] < 0.0
        least, tried = _candidates(
            kind, u, g, equity[a], always, most, alone, share, lines, moves, alike, rows, order, starts, pnl, bound,
            ceiling, everything,
        )  # fmt: skip
        for n in range(tried):
            j = everything[n]
            profit, gross = 0.0, 0.0
            touched = False
            for i in range(count):
                m = moves[j, g[i]]
                touched = touched or m != 0.0
                profit += u[i] * m
                moved[i] = u[i] * (1.0 + m)
                gross += abs(moved[i])
            left = equity[a] + profit
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
                        left,
                        moved,
                        u,
                        g,
                        es[a],
                        tails[a],
                        table,
                        alone,
                        whole,
                        mass,
                        share,
                        buffer,
                        maxima,
                        kept,
                        where,
                        over,
                        spots,
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
def _candidates(
    kind: int,
    usd: np.ndarray,
    legs: np.ndarray,
    equity: float,
    always: bool,
    most: float,
    alone: np.ndarray,
    share: float,
    lines: np.ndarray,
    moves: np.ndarray,
    alike: np.ndarray,
    rows: np.ndarray,
    order: np.ndarray,
    starts: np.ndarray,
    pnl: np.ndarray,
    bound: np.ndarray,
    ceiling: np.ndarray,
    found: np.ndarray,
) -> tuple[float, int]:
    """(least equity over the shocks, number of shocks that may close one account); `found` lists those.

    always : every shock is listed. pnl, bound (shocks of several assets) and ceiling (legs) are room to work in.
    """
    count, fixed, total = usd.shape[0], 0.0, 0.0
    for i in range(count):
        if kind == TIERED:
            constant, ceiling[i] = ceiling_of(lines[legs[i]], usd[i], most)
            fixed += constant
        else:
            ceiling[i] = share * max(abs(usd[i]) * alone[0 if usd[i] >= 0 else 1, legs[i]], 0.0)
        total += ceiling[i]
    total += fixed
    for j in range(alike.shape[0]):
        pnl[j] = 0.0
        bound[j] = fixed
    for i in range(count):
        row, u, top = rows[legs[i]], usd[i], ceiling[i]
        for j in range(alike.shape[0]):
            pnl[j] += u * row[j]
            bound[j] += top * (1.0 + row[j])
    least, tried = equity, 0
    for j in range(alike.shape[0]):
        left = equity + pnl[j]
        least = min(least, left)
        if always or left < bound[j] * SURE:
            found[tried] = alike[j]
            tried += 1
    for i in range(count):
        for n in range(starts[legs[i]], starts[legs[i] + 1]):
            m = moves[order[n], legs[i]]
            left = equity + usd[i] * m
            least = min(least, left)
            if not always and left < (total + ceiling[i] * m) * SURE:
                found[tried] = order[n]
                tried += 1
    if always:
        for n in range(order.shape[0]):
            found[tried] = order[n]
            tried += 1
    return least, tried


@compiled
def _by_asset(moves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(shocks that move several assets, or none; those of one asset, asset by asset; (k + 1) where each begins)."""
    shocks, k = moves.shape
    only = np.full(shocks, -1)
    for j in range(shocks):
        moving = 0
        for i in range(k):
            if moves[j, i] != 0.0:
                moving += 1
                only[j] = i
        if moving != 1:
            only[j] = -1
    starts = np.zeros(k + 1, np.int64)
    order = np.empty(shocks, np.int64)
    n = 0
    for i in range(k):
        starts[i] = n
        for j in range(shocks):
            if only[j] == i:
                order[n] = j
                n += 1
    starts[k] = n
    return np.flatnonzero(only < 0), order[:n], starts


@compiled
def _pooled(
    left: float,
    moved: np.ndarray,
    usd: np.ndarray,
    legs: np.ndarray,
    es: float,
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
    over: np.ndarray,
    spots: np.ndarray,
) -> float:
    """share x ES of the moved book, or a bound on the same side of `left` where that is enough."""
    upper, low = 0.0, 0.0
    before, after = 0.0, 0.0
    for i in range(moved.shape[0]):
        side = 0 if moved[i] >= 0 else 1
        upper += max(abs(moved[i]) * alone[side, legs[i]], 0.0)
        before += abs(usd[i])
        after += abs(moved[i])
    if left >= share * upper:
        return share * upper
    if left < 0.0:
        return 0.0
    common = after / before if before > 0.0 else 1.0
    near = common * es
    for i in range(moved.shape[0]):  # ES is subadditive: what moves with all, and what is left of each
        rest = moved[i] - common * usd[i]
        near += max(abs(rest) * alone[0 if rest >= 0 else 1, legs[i]], 0.0)
    if left >= share * near * SURE:
        return share * near
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
    mean = tail_mean(buffer, whole, mass, maxima, kept, where, over, spots)
    return share * (mean if mean > DUST * upper else 0.0)
