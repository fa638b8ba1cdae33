"""Which move of one underlying, or of all together, liquidates; and paths of prices to follow an account along."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from margin.stress.shocks import StressBook, everything, shock


@dataclass(frozen=True)
class FatalMove:
    """Smallest fall and rise of one underlying (or of all) that liquidates; None where none within 100% / 300% does."""

    name: str
    fall: float | None
    rise: float | None
    spot: float | None = None  # USD now; None for all together

    @property
    def price_below(self) -> float | None:
        """USD at which a fall liquidates."""
        return None if self.spot is None or self.fall is None else self.spot * (1.0 + self.fall)

    @property
    def price_above(self) -> float | None:
        """USD at which a rise liquidates."""
        return None if self.spot is None or self.rise is None else self.spot * (1.0 + self.rise)


def fatal_moves(book: StressBook, position: int | None = None) -> list[FatalMove]:
    """Per underlying alone and for all together: the move that liquidates the pool (or, with `position`, that silo).

    Measured against today's requirement; exact to 1e-9 of the price. Options are revalued in full.
    """
    names = list(book.comparison.book.assets)
    cases = [(name, {name: 1.0}) for name in names] + [("all together", everything(book, 1.0))]

    def dead(case: dict[str, float], move: float) -> bool:
        found = shock(book, {a: move * side for a, side in case.items()})
        return found.cross_liquidated if position is None else found.liquidated_alone[position]

    spots = {e.instrument.base: e.spot for e in book.comparison.book.exposures}
    return [FatalMove(name, _first(case, dead, -1.0), _first(case, dead, 3.0), spots.get(name)) for name, case in cases]


def _first(case: dict[str, float], dead: Callable[[dict[str, float], float], bool], furthest: float) -> float | None:
    """The first move from 0 towards `furthest` that kills: a walk of 1% steps, then bisection."""
    grid = np.linspace(0.0, furthest, 101 if furthest < 0 else 301)
    if dead(case, 0.0):
        return 0.0
    for before, after in pairwise(grid):
        if dead(case, float(after)):
            low, high = float(before), float(after)
            for _ in range(40):
                middle = (low + high) / 2.0
                low, high = (low, middle) if dead(case, middle) else (middle, high)
            return high
    return None


def path_of(closes: np.ndarray) -> np.ndarray:
    """(n, k) closes as returns since the first."""
    found: np.ndarray = np.asarray(closes, dtype=float) / np.asarray(closes, dtype=float)[0] - 1.0
    return found


def simulated_path(book: StressBook, days: int, shocks: Sequence[float], seed: int = 1) -> np.ndarray:
    """(days + 1, k) a path of normal days with the book's covariance, after a first day on which all move by `shocks`.

    shocks : one return per asset, or one for all; the same seed gives the same path
    """
    c = book.comparison
    drawn = c.drawn.returns
    k = len(c.book.assets)
    first = np.broadcast_to(np.asarray(shocks, dtype=float), (k,))
    cov = np.atleast_2d(np.cov(drawn.T)) / c.settings.horizon
    values, vectors = np.linalg.eigh(cov)
    draws = np.random.default_rng(seed).standard_normal((days - 1, k)) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    steps = np.maximum(np.vstack((np.zeros(k), first, draws)), -1.0)
    return np.cumprod(1.0 + steps, axis=0) - 1.0
