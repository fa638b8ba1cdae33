"""Daily closes of USDC and USDT: one dollar with small noise that reverts, and the record's moves in named events."""

from datetime import date

import numpy as np
import pandas as pd

from tools.sample.facts import STABLECOINS, Facts, row_of

HALF_LIFE = 0.7  # days until half of a deviation from one dollar is gone (assumed)
NOISE = 2.0e-4  # standard deviation of the close around one dollar (assumed)


def simulate_stablecoins(facts: Facts, rng: np.random.Generator) -> np.ndarray:
    """(n_days, 2) closes of USDC and USDT in USD.

    A mean-reverting Gaussian path, conditioned on each event's close: the drawn close before the event times one plus
    the recorded move. A depeg so builds up and fades at the path's own pace.
    """
    n = len(facts.days)
    phi = 0.5 ** (1 / HALF_LIFE)
    columns = []
    for asset in STABLECOINS:
        shocks = rng.standard_normal(n) * NOISE * np.sqrt(1 - phi * phi)
        path = np.empty(n)
        path[0] = shocks[0] / np.sqrt(1 - phi * phi)
        for t in range(1, n):
            path[t] = phi * path[t - 1] + shocks[t]
        columns.append(np.exp(condition(path, event_levels(facts.days, facts.moves[asset], path), phi)))
    return np.stack(columns, axis=1)


def event_levels(days: pd.DatetimeIndex, moves: list[tuple[date, date, float]], path: np.ndarray) -> dict[int, float]:
    """{day: log close} that the path must take: its own before each event, and the recorded move later at its end."""
    levels = {}
    for start, end, move in moves:
        before = row_of(days, start) - 1
        levels[before] = float(path[before])
        levels[before + (end - start).days + 1] = float(path[before] + np.log1p(move))
    return levels


def condition(path: np.ndarray, levels: dict[int, float], phi: float) -> np.ndarray:
    """The path given its values on some days (kriging with the autocorrelation phi ** distance)."""
    rows = np.array(sorted(levels))
    gaps = np.array([levels[int(t)] for t in rows]) - path[rows]
    days = np.arange(len(path))
    inner = phi ** np.abs(rows[:, None] - rows[None, :])
    outer = phi ** np.abs(days[:, None] - rows[None, :])
    return path + outer @ np.linalg.solve(inner, gaps)
