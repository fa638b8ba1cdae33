"""A venue's rule as lines: what one position asks, by tier, at any price. The form of a batch and its compiled loops.

A position of u dollars (base |u|) whose price is multiplied by f has now = |u| f. Its tier is the last whose FLOOR its
size reaches; the size is `now`, or, where tiers count coins, the base. It asks

    rate x now + fixed x base + QUAD x now x base + CONST + MOVING x f

with `rate` and `fixed` of its side, and OPEN... of the same form at f = 1 to be opened. An account asks the sum.
"""

from collections.abc import Sequence

import numpy as np

from margin.rolling.pearson_kernels import compiled

FLOOR, RATE, FIXED, QUAD, CONST, MOVING, COINS, OPEN, OPEN_QUAD, OPEN_CONST = 0, 1, 3, 5, 6, 7, 8, 9, 11, 12
END, WIDTH = 13, 14  # END: USD up to which the last tier is known
FIRST_LEVERAGE = 10.0  # at which a position is opened whose account names none


def of_tiers(rows: Sequence[Sequence[float]]) -> np.ndarray:
    """(T, WIDTH) of tiers (maintenance rate, deduction USD, highest leverage) whose margin does not jump."""
    out = np.zeros((len(rows), WIDTH))
    for t, (rate, deduction, leverage, *_) in enumerate(rows):
        if t:
            before = rows[t - 1]
            out[t, FLOOR] = (deduction - before[1]) / (rate - before[0]) if rate > before[0] else out[t - 1, FLOOR]
        out[t, RATE : RATE + 2] = rate
        out[t, CONST] = -deduction
        out[t, END] = np.inf
        out[t, OPEN : OPEN + 2] = 1.0 / min(leverage, FIRST_LEVERAGE)
    return out


def stacked(tables: Sequence[np.ndarray]) -> np.ndarray:
    """(k, T, WIDTH) of all assets; tiers that an asset does not have begin at infinity."""
    most = max((len(rows) for rows in tables), default=1)
    out = np.zeros((len(tables), most, WIDTH))
    for i, rows in enumerate(tables):
        out[i, len(rows) :, FLOOR] = np.inf
        out[i, : len(rows)] = rows
        if len(rows):
            out[i, len(rows) :, COINS] = rows[0, COINS]
        out[i, :, END] = rows[-1, END] if len(rows) else np.inf
    return out


def margins_at_once(lines: np.ndarray, legs: np.ndarray, usd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(to open, to keep) of positions (m,) at the prices of now, USD."""
    size, at = np.abs(usd), np.arange(len(usd))
    tier = (lines[legs, :, FLOOR] <= size[:, None]).sum(axis=1) - 1
    mine, side = lines[legs, tier], np.where(usd >= 0, 0, 1)
    kept = size * (mine[at, RATE + side] + mine[at, FIXED + side] + mine[:, QUAD] * size)
    kept += mine[:, CONST] + mine[:, MOVING]
    opened = size * (mine[at, OPEN + side] + mine[:, OPEN_QUAD] * size) + mine[:, OPEN_CONST]
    return opened, np.maximum(kept, 0.0)


@compiled
def tier_of(lines: np.ndarray, base: float, factor: float) -> int:
    """Number of the tier that a position lies in."""
    size = base if lines[0, COINS] > 0.0 else base * factor
    t = 0
    while t + 1 < lines.shape[0] and lines[t + 1, FLOOR] <= size:
        t += 1
    return t


@compiled
def margin_of(lines: np.ndarray, usd: float, factor: float) -> float:
    """Maintenance of one position, USD."""
    base = abs(usd)
    now = base * factor
    t = tier_of(lines, base, factor)
    side = 0 if usd >= 0.0 else 1
    need: float = (
        lines[t, RATE + side] * now + lines[t, FIXED + side] * base + lines[t, QUAD] * now * base + lines[t, CONST]
    )
    need += lines[t, MOVING] * factor
    return max(need, 0.0)


@compiled
def ceiling_of(lines: np.ndarray, usd: float, most: float) -> tuple[float, float]:
    """(constant, slope) of a line in the price's factor f that maintenance never exceeds for 0 <= f <= most, USD."""
    base = abs(usd)
    side = 0 if usd >= 0.0 else 1
    constant, slope = 0.0, 0.0
    first, last = tier_of(lines, base, 0.0), tier_of(lines, base, most)
    for t in range(first, last + 1):
        constant = max(constant, lines[t, FIXED + side] * base + lines[t, CONST])
        slope = max(slope, lines[t, RATE + side] * base + lines[t, QUAD] * base * base + lines[t, MOVING])
    return constant, slope


@compiled
def move_of(lines: np.ndarray, usd: float) -> float:
    """USD by which its maintenance moves for a move of the price by 100%, within its tier."""
    base = abs(usd)
    t = tier_of(lines, base, 1.0)
    side = 0 if usd >= 0.0 else 1
    moves: float = lines[t, RATE + side] * base + lines[t, QUAD] * base * base + lines[t, MOVING]
    return moves


@compiled
def closes_at(
    lines: np.ndarray, usd: np.ndarray, legs: np.ndarray, equity: float, up: bool, far: float, tiers: np.ndarray
) -> float:
    """The first move of all prices alike, down or up to the factor `far`, at which equity is below the sum; NaN: none.

    Between two edges of tiers equity less margin is a straight line, so its root is exact; an edge at which the margin
    jumps may itself be the place. tiers: room for one number per position.
    """
    at = 1.0
    for i in range(usd.shape[0]):
        tiers[i] = tier_of(lines[legs[i]], abs(usd[i]), 1.0)
    while True:
        constant, slope = equity, 0.0
        edge, crossed = far, -1
        for i in range(usd.shape[0]):
            base, t, mine = abs(usd[i]), tiers[i], lines[legs[i]]
            side = 0 if usd[i] >= 0.0 else 1
            constant -= usd[i] + mine[t, FIXED + side] * base + mine[t, CONST]
            slope += usd[i] - mine[t, RATE + side] * base - mine[t, QUAD] * base * base - mine[t, MOVING]
            if mine[0, COINS] > 0.0 or base == 0.0:
                continue
            if up and t + 1 < mine.shape[0]:
                reach = mine[t + 1, FLOOR] / base
                if reach < edge:
                    edge, crossed = max(reach, at), i
            elif not up and t > 0:
                reach = mine[t, FLOOR] / base
                if reach > edge:
                    edge, crossed = min(reach, at), i
        if constant + slope * at < -1e-9 * abs(constant):
            return at - 1.0
        if constant + slope * edge < 0.0:
            return -constant / slope - 1.0
        if crossed < 0:
            return np.nan
        tiers[crossed] += 1 if up else -1
        at = edge
