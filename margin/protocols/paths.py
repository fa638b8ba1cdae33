"""Hourly paths of a wallet's coins from recorded days: windows as they happened, with bridges between the closes.

Each path is a run of consecutive recorded days drawn with replacement; all coins move together as they did. Between two
closes stands a Brownian bridge with the window's own volatility and the coins' correlation, so that a call within the
day is seen. Definitions: docs/protocols.md.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE
from margin.core.market import Market

HOURS = 24
PATHS = 4_000
LEAST = 60  # recorded days before windows are drawn from them
MOST_DAYS = 60


def recorded_paths(
    market: Market,
    assets: Sequence[str],
    days: int = 7,
    as_of: Any = None,
    paths: int = PATHS,
    seed: int = 1,
) -> np.ndarray:
    """(paths, days x 24, k) returns since the start, by hour, columns in the order of `assets`; dollars do not move.

    Every common daily return up to `as_of` may be drawn. The same seed gives the same paths.
    Raises InputError for fewer than 60 common days, or a horizon or count out of range.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InputError("days", days, f"must be 1 to {MOST_DAYS}")
    if not 1 <= paths <= 200_000:
        raise InputError("paths", paths, "must be 1 to 200,000")
    moving = [a for a in dict.fromkeys(assets) if a not in USD_LIKE or a in market]
    if not moving:
        return np.zeros((paths, days * HOURS, len(assets)))
    past = market.returns(moving, as_of, 1, None)
    rows = len(past.values)
    if rows < max(LEAST, days + 1):
        hint = "Bring a longer history on the Data page, or ask for fewer days."
        raise InputError("prices", f"{rows} days", f"of {', '.join(moving)} are too few to draw windows from", hint)
    logs = np.log1p(np.maximum(past.values, -0.999999))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, rows - days + 1, paths)
    picked = logs[starts[:, None] + np.arange(days)]  # (paths, days, k)
    hourly = _bridged(picked, np.corrcoef(logs.T).reshape(len(moving), len(moving)), rng)
    level = np.expm1(np.cumsum(hourly, axis=1))
    out = np.zeros((paths, days * HOURS, len(assets)))
    for i, asset in enumerate(assets):
        if asset in moving:
            out[:, :, i] = level[:, :, moving.index(asset)]
    return out


def _bridged(daily: np.ndarray, correlation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(paths, days x 24, k) hourly log returns that add up to the daily ones."""
    n, days, k = daily.shape
    scale = np.sqrt((daily**2).mean(axis=1, keepdims=True) / HOURS)  # the window's own volatility, an hour
    root = np.linalg.cholesky(np.nan_to_num(correlation) + 1e-9 * np.eye(k))
    noise = rng.standard_normal((n, days, HOURS, k)) @ root.T
    noise -= noise.mean(axis=2, keepdims=True)  # a bridge: the noise of a day adds up to nothing
    noise *= scale[:, :, None, :]
    noise += daily[:, :, None, :] / HOURS
    return noise.reshape(n, days * HOURS, k)
