"""Which move of one underlying, or of all together, liquidates: each sub-account under its own margin model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin.core.instruments import USD_STABLECOINS
from margin.stress.held import Held, StressBook
from margin.venues.liquidation import nearest_edges, strike_factors

__all__ = ["ALL", "FatalMove", "fatal_moves", "nearest_fatal"]

ALL = "all together"


@dataclass(frozen=True, kw_only=True)
class FatalMove:
    """Smallest fall and rise of one price (or of all alike) that liquidates a sub-account; None where none does.

    account : the sub-account's name; name: the asset, or "all together"; spot: USD now, None for all together
    alone   : whether it is a position in an isolated account of its own, not as the account holds it
    """

    account: str
    name: str
    fall: float | None
    rise: float | None
    spot: float | None
    alone: bool

    @property
    def price_below(self) -> float | None:
        """USD at which a fall liquidates."""
        return None if self.spot is None or self.fall is None else self.spot * (1.0 + self.fall)

    @property
    def price_above(self) -> float | None:
        """USD at which a rise liquidates."""
        return None if self.spot is None or self.rise is None else self.spot * (1.0 + self.rise)

    @property
    def nearest(self) -> float | None:
        """The smaller of the two moves, signed."""
        known = [move for move in (self.fall, self.rise) if move is not None]
        return min(known, key=abs) if known else None


def fatal_moves(book: StressBook, alone: bool = False) -> list[FatalMove]:
    """Of every sub-account with positions: each of its prices by itself (collateral coins too), then all alike.

    alone : each position in its own isolated account instead. Maintenance is re-measured at the moved prices, options
    are revalued in full; exact to rounding. Dollar stablecoins stay where they are. 0 and 0: liquidated already.
    """
    out: list[FatalMove] = []
    for held in book.alone if alone else book.held:
        if held.sub.positions:
            out += _of(book, held, alone)
    return out


def nearest_fatal(moves: Sequence[FatalMove], of_all: bool = False) -> FatalMove | None:
    """The smallest single-price move (or of all alike, `of_all`) that liquidates; None where none does."""
    known = [m for m in moves if m.nearest is not None and (m.name == ALL) == of_all]
    return min(known, key=lambda m: abs(m.nearest or 0.0), default=None)


def _of(book: StressBook, held: Held, alone: bool) -> list[FatalMove]:
    names = [book.assets[c] for c in held.columns if c >= 0 and book.assets[c] not in USD_STABLECOINS]
    places = [book.assets.index(a) for a in names]
    directions = np.vstack([np.eye(len(book.assets))[places], np.isin(book.assets, names).astype(float)])
    slack = 1e-12 * held.scale  # rounding: an account exactly at its maintenance is not liquidated

    def gaps(which: np.ndarray, factors: np.ndarray) -> np.ndarray:
        return held.states(1.0 + directions[which] * (factors - 1.0)[:, None]).gap + slack

    extra: list[Sequence[float]] = [strike_factors(held.sub, asset, held.marks) for asset in names]
    edges = nearest_edges(gaps, [*extra, sorted({f for part in extra for f in part})])
    return [
        FatalMove(
            account=held.name,
            name=name,
            fall=None if edge.down is None else min(edge.down - 1.0, 0.0),
            rise=None if edge.up is None else max(edge.up - 1.0, 0.0),
            spot=None if name == ALL else book.marks.price(name),
            alone=alone,
        )
        for name, edge in zip([*names, ALL], edges, strict=True)
    ]
