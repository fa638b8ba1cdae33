"""The loops of margin/forecast/kernels.py step by step over arrays: the same numbers, without loading a compiler.

For short walks only (daily prices, a week): there they are as fast, and a first page does not wait for numba.
"""

import numpy as np

SHORT = 32  # steps of a walk up to which it goes by array
FEW = 4_096  # numbers up to which a variance is smoothed in plain Python


def lowest_points(
    shocks: np.ndarray,
    starts: np.ndarray,
    block: int,
    sigma: float,
    drift: float,
    decay: float,
    growth: float,
    clocks: np.ndarray,
    marks: np.ndarray,
    out: np.ndarray,
) -> None:
    """As the compiled one, number for number: fill out[p, h] with the lowest point of path p up to step marks[h]."""
    paths, variance = len(starts), sigma * sigma
    level, lowest, total = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    now = np.full(paths, variance)
    wanted = {int(step): place for place, step in enumerate(marks)}
    for t in range(int(marks[-1])):
        x = sigma * shocks[starts[:, t // block] + t % block] + drift
        total = total + x
        after = total
        if growth != 0.0 and variance > 0.0:
            now = decay * now + (1.0 - decay) * x * x
            after = total - growth * (np.sqrt(now / variance) - 1.0)
        reached = after
        if clocks.shape[1] > 0:
            move = level - after
            reached = 0.5 * (level + after - np.sqrt(move * move + 2.0 * variance * clocks[:, t]))
        lowest = np.minimum(lowest, reached)
        level = after
        if t + 1 in wanted:
            out[:, wanted[t + 1]] = lowest


def smoothed(squares: np.ndarray, decay: float, out: np.ndarray) -> None:
    """As the compiled one: fill rows 1.. of out (n + 1, k), row 0 given."""
    for j in range(squares.shape[1]):
        value, column = float(out[0, j]), [float(out[0, j])]
        for square in squares[:, j].tolist():
            value = decay * value + (1.0 - decay) * square
            column.append(value)
        out[:, j] = column
