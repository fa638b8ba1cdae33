"""The gap of every account (equity less maintenance): how it moves, odds of a call, what is held together.

The gap is linear in the prices to first order: exposure of asset i = USD held less what the maintenance moves with it.
Odds are those of a random walk without drift, reflected: P(gap reached 0 within t days) = 2 Phi(-gap / (sigma root t)).
Definitions: docs/audit.md.
"""

import math

import numpy as np

from margin.audit.kernels import add_cents
from margin.audit.lines import move_of
from margin.audit.passes import ALONE, POOLED
from margin.rolling.pearson_kernels import compiled

DAYS = (1.0, 3.0, 7.0)


@compiled
def gap_risk(
    indptr: np.ndarray,
    legs: np.ndarray,
    usd: np.ndarray,
    gap: np.ndarray,
    es: np.ndarray,
    tails: np.ndarray,
    table: np.ndarray,
    alone: np.ndarray,
    whole: int,
    mass: float,
    kind: int,
    share: float,
    lines: np.ndarray,
    covariance: np.ndarray,
    days: np.ndarray,
    sigma: np.ndarray,
    odds: np.ndarray,
    overlap: np.ndarray,
) -> None:
    """sigma (n,) USD a day of the gap and odds (n, d) of a call within `days`; cents held together added to overlap.

    covariance (k, k) of a day's returns; overlap (k, k): sum over accounts of the smaller of the two sizes
    The pooled requirement moves with each price by that position's part of it (Euler), read off its worst scenarios.
    """
    exposure = np.empty(covariance.shape[0])
    for a in range(indptr.shape[0] - 1):
        low, high = indptr[a], indptr[a + 1]
        for i in range(low, high):
            size, leg = abs(usd[i]), legs[i]
            side = 0 if usd[i] >= 0 else 1
            moves = 0.0
            if kind == POOLED:
                if high - low == 1 or tails[a, 1] < 0:
                    moves = share * es[a] if high - low == 1 else 0.0
                elif es[a] > 0.0:
                    loss = 0.0
                    for j in range(tails.shape[1]):
                        loss += usd[i] * table[leg, tails[a, j]] * ((mass - whole) if j == 0 else 1.0)
                    moves = share * loss / mass
            elif kind == ALONE:
                moves = share * max(size * alone[side, leg], 0.0)
            else:
                moves = move_of(lines[leg], usd[i])
            exposure[i - low] = usd[i] - moves
            for other in range(low, i):
                smaller = min(size, abs(usd[other]))
                add_cents(overlap[leg], legs[other], smaller)
                add_cents(overlap[legs[other]], leg, smaller)
            add_cents(overlap[leg], leg, size)
        variance = 0.0
        for i in range(high - low):
            row = covariance[legs[low + i]]
            for j in range(high - low):
                variance += exposure[i] * row[legs[low + j]] * exposure[j]
        sigma[a] = math.sqrt(max(variance, 0.0))
        for d in range(days.shape[0]):
            spread = sigma[a] * math.sqrt(2.0 * days[d])
            if high == low:
                odds[a, d] = 0.0
            elif gap[a] <= 0.0:
                odds[a, d] = 1.0
            elif spread > 0.0:
                odds[a, d] = math.erfc(gap[a] / spread)
            else:
                odds[a, d] = 0.0
