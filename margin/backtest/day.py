"""A day of a walk through history: what a method asks on it, and what the methods of that day share."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False, kw_only=True)
class Day:
    """What one method asks on one day, USD; see MethodRecord. parts: by position (isolated) or underlying (netted)."""

    required: float
    parts: np.ndarray
    labels: list[int]
    var: float | None = None
    es: float | None = None
    tail: np.ndarray | None = None
    scenarios: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """What a day's methods share. row: of the close; known, daily: how many returns had ended by then.

    values : (p,) USD of each position, weights: (k,) of each asset
    history : (known,) USD loss of the book under every return so far
    """

    row: int
    known: int
    daily: int
    values: np.ndarray
    weights: np.ndarray
    history: np.ndarray
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)
