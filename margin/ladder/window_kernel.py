"""The compiled loop behind `worst_windows` (margin/ladder/many_safeguards.py). Importing this module imports numba."""

import numpy as np

from margin.rolling.pearson_kernels import compiled


@compiled
def deal(losses: np.ndarray, least: np.ndarray, length: int, mass: float, out: np.ndarray) -> None:
    """Fill out (r,): start of the worst window of each row of losses (r, n), as `worst_window`; -1 where the losses of
    at least `least` (r,) do not decide.
    """
    rows, n = losses.shape
    last = n - length
    for r in range(rows):
        row = losses[r]
        large = np.flatnonzero(row >= least[r])
        order = large[np.argsort(-row[large], kind="mergesort")]
        dealt, room = np.zeros(last + 1), np.full(last + 1, mass)
        decided = False
        for step in range(len(order)):
            i = order[step]
            loss = row[i]
            for w in range(max(0, i - length + 1), min(i, last) + 1):
                taken = min(room[w], 1.0)
                dealt[w] += taken * loss
                room[w] -= taken
            if step % 8 == 7:
                best, could = -np.inf, -np.inf
                for w in range(last + 1):
                    if room[w] <= 0:
                        best = max(best, dealt[w])
                    else:
                        could = max(could, dealt[w] + room[w] * loss)
                if best > could:
                    decided = True
                    break
        out[r] = -1
        if decided:
            best = -np.inf
            for w in range(last + 1):
                if room[w] <= 0 and dealt[w] >= best:
                    best = dealt[w]
                    out[r] = w
