"""Reverse stress test: the smallest plausible move that uses up the account, or that liquidates it.

Smallest by Mahalanobis distance, no price falling by more than 100%: a least-distance problem, solved exactly (Lawson
and Hanson 1974, "Solving least squares problems", chapter 23, LDP by non-negative least squares). Where equity or
maintenance bend (options, tiers, haircuts) the same step is repeated from where the last one led (Hasofer and Lind
1974, Rackwitz and Fiessler 1978: the design point of first-order reliability). Definitions: docs/stress.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import nnls
from scipy.special import ndtr

from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.core.words import usd
from margin.risk.covariance import covariance
from margin.risk.history import history
from margin.stress.held import Held, StressBook
from margin.stress.shocks import Stressed, shock

__all__ = ["ReverseStress", "nearest_move", "plausible", "reverse_stress"]

MOST_STEPS = 200
STARTS = (0.0, -0.3, 0.3, -0.9, 1.0)  # where the search begins on books that bend, all prices alike
DIRECTIONS, PARTS = 200, (0.3, 0.6, 0.8, 0.9, 0.97)  # nearer moves that are tried when such a search has ended
ROUNDS = 4
STEP = 1e-5
Until = Literal["exhausted", "liquidated"]


@dataclass(frozen=True, kw_only=True)
class ReverseStress:
    """moves: fraction by asset. distance: Mahalanobis, in standard deviations of the daily returns' joint distribution.

    account : the sub-account that is used up (or liquidated) first
    one_in  : a normal day would be at least that far on this side once in so many days; None where it never would
    worst_seen : distance of the worst day it would have had in the record, in the same unit (its loss / the
              standard deviation of its equity)
    exact   : whether it is proven to be the nearest: the account is linear in its prices
    tried   : else how many nearer moves were tried, spread over all directions, none of which does it
    """

    stressed: Stressed
    account: str
    until: Until
    distance: float
    one_in: float | None
    worst_seen: float
    exact: bool = True
    tried: int = 0

    @property
    def moves(self) -> dict[str, float]:
        """The moves found, as fractions by asset."""
        return dict(self.stressed.moves)


class NoSuchMove(InputError):
    """Nothing that prices can do uses the account up: good news, not a fault of what was asked."""


def reverse_stress(book: StressBook, until: Until = "exhausted", limit: float = 0.0) -> ReverseStress:
    """The nearest move after which a sub-account has `limit` USD of equity ("exhausted"), or is liquidated.

    Covariance: that of the last `lookback` daily returns of all assets that move, collateral included. For a linear
    account r = -(E - limit) S w / (w' S w), distance (E - limit) / root(w' S w), as long as no price falls below 0.
    Raises InputError where the account is already there, or no such move exists.
    """
    if until not in ("exhausted", "liquidated"):
        raise InputError("until", until, "is not one of the choices", "exhausted or liquidated.")
    found: list[ReverseStress] = []
    problems: list[InputError] = []
    margined = [h for h in book.held if h.sub.positions]
    if not margined and until == "liquidated":
        raise InputError("positions", "only owned spot", "cannot be liquidated", "Add a position on margin.")
    for held in margined or book.held:
        try:
            found.append(_of(book, held, until, limit))
        except InputError as error:
            problems.append(error)
    for problem in problems:
        if problem.field in ("limit", "account") and not isinstance(problem, NoSuchMove):
            raise problem  # it is there already: no farther one is the nearest
    if not found:
        raise problems[0]
    return min(found, key=lambda r: r.distance)


def nearest_move(cov: np.ndarray, gradient: np.ndarray, loss: float) -> np.ndarray | None:
    """r (k,) of least r' S^-1 r with gradient . r <= -loss and r >= -1; None where there is none.

    cov : (k, k) positive semi-definite; directions without variance do not move. loss : USD above 0
    """
    values, vectors = np.linalg.eigh(cov)
    keep = values > 1e-14 * max(float(values[-1]), 1e-300)
    root = vectors[:, keep] * np.sqrt(values[keep])  # r = root z, distance |z|
    slope = -(gradient @ root)
    size = float(np.linalg.norm(slope))
    if size <= 1e-12 * float(np.abs(gradient).sum()) * float(np.sqrt(values[-1])):
        return None
    rows = np.vstack((slope / size, root))  # rows . z >= bounds
    bounds = np.concatenate(([loss / size], -np.ones(len(cov))))
    scale = max(float(loss / size), 1.0)
    system = np.vstack((rows.T, bounds / scale))
    target = np.zeros(len(system))
    target[-1] = 1.0
    weights, rest = nnls(system, target, maxiter=50 * system.shape[1])
    if rest < 1e-9:
        return None
    active = weights > 0
    z = np.linalg.lstsq(rows[active], bounds[active], rcond=None)[0]  # exact on the bounds that hold
    return np.asarray(np.maximum(root @ z, -1.0))


def _of(book: StressBook, held: Held, until: Until, limit: float) -> ReverseStress:
    names, columns = _live(book, held)
    past = history(book.market, names, book.settings)
    cov = np.atleast_2d(covariance(past.daily[-book.settings.lookback :]))
    inverse = np.linalg.pinv(cov, rcond=1e-12, hermitian=True)

    def room(r: np.ndarray) -> np.ndarray:
        """(n,) USD left at moves (n, k)."""
        factors = np.ones((len(r), len(book.assets)))
        factors[:, columns] = 1.0 + r
        states = held.states(factors)
        return np.asarray(states.gap if until == "liquidated" else states.equity - limit)

    now = float(room(np.zeros((1, len(names))))[0])
    if now <= 0:
        if until == "liquidated":
            raise InputError("account", held.name, "is liquidated already, before anything moves", "Post more money.")
        problem = f"has equity of {usd(held.equity)}, and so nothing left to lose down to {usd(limit)}"
        raise InputError("account", held.name, problem, "Post more money.")
    tolerance = 1e-7 * max(abs(now), held.scale, 1.0)
    best: tuple[float, np.ndarray] | None = None
    linear = False
    for start in STARTS:
        r, linear = _search(room, cov, np.full(len(names), start), tolerance)
        if r is not None:
            distance = float(np.sqrt(max(r @ inverse @ r, 0.0)))
            if best is None or distance < best[0]:
                best = distance, r
        if linear:
            break
    tried = 0
    if best is not None and not linear:
        best, tried = _no_nearer(room, cov, inverse, best, tolerance)
    if best is None:
        what = f"uses up its {usd(held.equity)}" if until == "exhausted" else "liquidates it"
        problem = f"no move of its prices {what}" if linear else f"no move of its prices was found that {what}"
        raise NoSuchMove("account", held.name, problem, "It holds more than it can lose.")
    distance, r = best
    moves = dict(zip(names, (float(x) for x in r), strict=True))
    still = {a: 0.0 for a in book.moving if a not in moves}
    gradient = _gradient(room, np.zeros(len(names)))
    losses = -(past.daily @ gradient)
    chance = float(ndtr(-distance))
    return ReverseStress(
        stressed=shock(book, {**moves, **still}, 0.0, "Reverse stress"),
        account=held.name,
        until=until,
        distance=distance,
        one_in=1.0 / chance if chance > 0 else None,
        worst_seen=float(losses.max()) / float(np.sqrt(gradient @ cov @ gradient)),
        exact=linear,
        tried=tried,
    )


def _no_nearer(
    room: Callable[[np.ndarray], np.ndarray],
    cov: np.ndarray,
    inverse: np.ndarray,
    best: tuple[float, np.ndarray],
    tolerance: float,
) -> tuple[tuple[float, np.ndarray], int]:
    """(the best, or a nearer one, how many nearer moves were tried in vain): every direction of the ellipsoid.

    From a nearer move that does it too, the search begins again; what it ends at, or else that move itself, is taken.
    """
    values, vectors = np.linalg.eigh(cov)
    keep = values > 1e-14 * values[-1]
    root = vectors[:, keep] * np.sqrt(values[keep])
    drawn = np.random.default_rng(0).standard_normal((DIRECTIONS, int(keep.sum())))
    axes = np.linalg.pinv(root).T  # one asset alone, up and down
    ways = np.vstack((drawn, -drawn, axes, -axes))
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-300)
    tried = 0
    for _ in range(ROUNDS):
        distance = best[0]
        moves = (distance * np.array(PARTS)[:, None, None] * (ways @ root.T)).reshape(-1, len(cov))
        moves = moves[(moves >= -1.0).all(axis=1)]
        found = moves[room(moves) <= -tolerance] if len(moves) else moves
        tried = len(moves)
        if not len(found):
            break
        far = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", found, inverse, found), 0.0))
        nearest = found[int(far.argmin())]
        r, _ = _search(room, cov, nearest, tolerance)
        ends = [(float(far.min()), nearest)]
        if r is not None:
            ends.append((float(np.sqrt(max(r @ inverse @ r, 0.0))), r))
        best = min(ends, key=lambda end: end[0])
    return best, tried


def _live(book: StressBook, held: Held) -> tuple[list[str], list[int]]:
    """Assets of the sub-account whose recorded returns are not all the same, and their places in the book."""
    named = [book.assets[c] for c in held.columns if c >= 0 and book.assets[c] in book.market]
    names = []
    for asset in named:
        recent = history(book.market, [asset], book.settings).daily[-book.settings.lookback :]
        if (recent != recent[0]).any():
            names.append(asset)
    if not names:
        raise InputError("positions", ", ".join(named) or "dollars", "nothing in the book moves")
    return names, [book.assets.index(a) for a in names]


def _search(
    room: Callable[[np.ndarray], np.ndarray], cov: np.ndarray, start: np.ndarray, tolerance: float
) -> tuple[np.ndarray | None, bool]:
    """(design point, whether the room is linear): repeated steps to the nearest point of the plane that touches."""
    r = start
    linear = False
    for i in range(MOST_STEPS):
        gradient = _gradient(room, r)
        at = float(room(r[None])[0])
        step = nearest_move(cov, gradient, at - float(gradient @ r))
        if step is None:
            return None, i == 0 and _is_linear(room, cov, gradient, r, at, tolerance)
        left = abs(float(room(step[None])[0]))
        if i == 0 and left <= tolerance:
            linear = _is_linear(room, cov, gradient, r, at, tolerance)
            if linear:
                return step, True
        if np.abs(step - r).max() < 1e-9 and left <= tolerance:
            return step, False
        r = step if np.abs(step - r).max() < 0.5 else (r + step) / 2.0
    return (r, False) if abs(float(room(r[None])[0])) <= tolerance else (None, False)


def _is_linear(
    room: Callable[[np.ndarray], np.ndarray],
    cov: np.ndarray,
    gradient: np.ndarray,
    at: np.ndarray,
    value: float,
    tolerance: float,
) -> bool:
    """Whether the plane at `at` is the room itself, tried where it would bend: far up and far down."""
    k = len(at)
    tried = np.vstack((np.eye(k), -0.9 * np.eye(k), np.full((1, k), -0.9), np.full((1, k), 2.0)))
    plane = value + (tried - at) @ gradient
    return bool((np.abs(room(tried) - plane) <= max(tolerance, 1e-7 * float(np.abs(plane).max()))).all())


def _gradient(room: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """(k,) USD per unit of return, by central differences of all assets at once."""
    k = len(at)
    up, down = at + STEP * np.eye(k), np.maximum(at - STEP * np.eye(k), -1.0)
    width = np.diag(up - down)
    values = room(np.vstack((up, down)))
    return np.asarray((values[:k] - values[k:]) / width)


def plausible(found: ReverseStress) -> str:
    """How far that is, in words."""
    stables = [a for a, move in found.moves.items() if a in USD_STABLECOINS and abs(move) >= 0.0005]
    extra = f" ({', '.join(stables)} included)" if stables else ""
    if found.distance > 8 or found.one_in is None:
        return f"{found.distance:.1f} standard deviations{extra}: normal returns never get there, real ones rarely do"
    return f"{found.distance:.1f} standard deviations{extra}: one normal day in {found.one_in:,.0f}"
