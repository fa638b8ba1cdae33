"""Where a venue would liquidate: prices of one underlying alone, of all together by their betas, and of two at once.

Everything rests on one number, the gap between equity and maintenance margin at moved prices, solved with the tier,
scenario or haircut slice that applies at those prices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.base import Mode, Rulebook

# Where the gap is looked at before a crossing is closed in on: moves away from the mark, down and up.
_DOWN = -np.array([1e-3, 3e-3, 0.01, 0.02, 0.04, 0.07, *np.arange(0.1, 0.96, 0.05), 0.98, 0.99, 0.999, 0.99999])
_UP = np.array(
    [1e-3, 3e-3, 0.01, 0.02, 0.04, 0.07, *np.arange(0.1, 1.0, 0.1), 1.0, 1.5, 2.0, 3.0, 5.0, 9.0, 19.0, 99.0]
)
LEAST = 1e-9  # of today's price: nothing falls to 0


@dataclass(frozen=True)
class Edges:
    """Nearest liquidation on either side; None where none comes before 0 or a hundredfold price.

    down, up : USD prices, or moves (fractions) where several prices move together
    """

    down: float | None
    up: float | None


@dataclass(frozen=True)
class Surface:
    """Two underlyings moving at once.

    moves : (n,) fractions, the same for both; gap : (n, n) USD left before liquidation, rows the first's moves
    edge : (m, 2) moves of (first, second) at which liquidation begins, exact in the second
    """

    first: str
    second: str
    moves: np.ndarray
    gap: np.ndarray
    edge: np.ndarray


def gap_at(
    rulebook: Rulebook, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
) -> Callable[[Mapping[str, float]], float]:
    """USD from liquidation as a function of price factors, e.g. {"BTC": 0.9}; entries are written down first."""
    fixed = accounts.pinned(portfolio, marks)

    def gap(factors: Mapping[str, float]) -> float:
        return rulebook.gap(fixed, marks.moved(factors), mode, settings)

    return gap


def prices(
    rulebook: Rulebook, portfolio: Portfolio, marks: Marks, mode: Mode, settings: Mapping[str, float] | None = None
) -> dict[str, Edges]:
    """USD prices at which liquidation starts as one underlying moves and the others stay at their marks.

    Isolated: by position, each with its own margin. Otherwise by asset, for everything in the account that moves.
    """
    out: dict[str, Edges] = {}
    if mode == "isolated":
        fixed = accounts.pinned(portfolio, marks)
        for silo in rulebook.silos(fixed, marks, settings):
            position = silo.positions[0]
            asset = position.underlying

            def own(move: float, silo: Portfolio = silo, asset: str = asset) -> float:
                moved = marks.moved({asset: max(1.0 + move, LEAST)})
                return rulebook.silo_gap(silo, moved, settings)

            out[position.symbol] = _priced(_edges(own), marks.price(asset))
        return out
    gap = gap_at(rulebook, portfolio, marks, mode, settings)
    for asset in moving(portfolio):
        found = _edges(lambda move, asset=asset: gap({asset: max(1.0 + move, LEAST)}))  # type: ignore[misc]
        out[asset] = _priced(found, marks.price(asset))
    return out


def together(
    rulebook: Rulebook, portfolio: Portfolio, marks: Marks, mode: Mode, betas: Mapping[str, float],
    settings: Mapping[str, float] | None = None,
) -> Edges:  # fmt: skip
    """Moves of the market (fractions) at which a cross account is liquidated, each asset moving beta times as far."""
    if mode == "isolated":
        raise InputError("mode", mode, "isolated positions are liquidated one by one, not together", "Use cross.")
    gap = gap_at(rulebook, portfolio, marks, mode, settings)
    assets = moving(portfolio)
    missing = [asset for asset in assets if asset not in betas]
    if missing:
        raise InputError("betas", missing[0], "has no beta", "Give one per asset that moves.")
    return _edges(lambda move: gap({asset: max(1.0 + betas[asset] * move, LEAST) for asset in assets}))


def surface(
    rulebook: Rulebook, portfolio: Portfolio, marks: Marks, mode: Mode, first: str, second: str,
    settings: Mapping[str, float] | None = None, reach: float = 0.6, steps: int = 25,
) -> Surface:  # fmt: skip
    """The gap over moves of two underlyings, and where it crosses 0 as the second moves at each move of the first."""
    if mode == "isolated":
        raise InputError("mode", mode, "isolated positions are liquidated one by one, not together", "Use cross.")
    if first == second:
        raise InputError("second", second, "must be another asset than the first")
    gap = gap_at(rulebook, portfolio, marks, mode, settings)
    moves = np.linspace(-reach, reach, steps)
    cells = np.array([[gap({first: 1.0 + a, second: 1.0 + b}) for b in moves] for a in moves])
    edge = []
    for a, row in zip(moves.tolist(), cells, strict=True):
        for i in np.flatnonzero((row[:-1] < 0) != (row[1:] < 0)).tolist():

            def along(b: float, a: float = a) -> float:
                return gap({first: 1.0 + a, second: 1.0 + b})

            edge.append((a, float(brentq(along, moves[i], moves[i + 1], xtol=1e-15, rtol=8.9e-16))))
    return Surface(first, second, moves, cells, np.array(edge).reshape(-1, 2))


def moving(portfolio: Portfolio) -> list[str]:
    """Assets of positions and balances whose price moves, dollars left out; positions first."""
    names = [*portfolio.underlyings, *portfolio.collateral_assets]
    return [asset for asset in dict.fromkeys(names) if not accounts.is_dollar(asset)]


def nearest(edges: Mapping[str, Edges], marks: Marks) -> tuple[str, float] | None:
    """(what, move as a fraction) of the smallest move that liquidates; None where none does."""
    found = []
    for name, edge in edges.items():
        spot = marks.price(name if "/" not in name else name.split("/")[0])
        found += [(name, price / spot - 1.0) for price in (edge.down, edge.up) if price is not None]
    return min(found, key=lambda pair: abs(pair[1])) if found else None


def _priced(edges: Edges, spot: float) -> Edges:
    down, up = (None if move is None else spot * (1.0 + move) for move in (edges.down, edges.up))
    return Edges(down, up)


def _edges(gap: Callable[[float], float]) -> Edges:
    """Nearest moves down and up at which the gap falls below 0; both 0 where it already is."""
    if gap(0.0) < 0:
        return Edges(0.0, 0.0)
    return Edges(_first(gap, _DOWN), _first(gap, _UP))


def _first(gap: Callable[[float], float], moves: np.ndarray) -> float | None:
    before = 0.0
    for move in moves.tolist():
        if gap(move) < 0:
            return float(brentq(gap, before, move, xtol=1e-15, rtol=8.9e-16))
        before = move
    return None
