"""Reverse stress test: the smallest plausible move that uses up the account."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.ladder.compare import Comparison
from margin.risk.covariance import covariance
from margin.risk.history import history
from margin.stress.shocks import StressBook, Stressed, counted_collateral, shock

MOST_STEPS = 200


@dataclass(frozen=True)
class ReverseStress:
    """moves: fraction by asset. distance: Mahalanobis, in standard deviations of the daily returns' joint distribution.

    one_in : a normal day would be at least that far on this side once in so many days; worst_seen: distance of the
    worst day the book would have had in the record, in the same unit (its loss / the book's standard deviation)
    """

    stressed: Stressed
    distance: float
    one_in: float
    worst_seen: float

    @property
    def moves(self) -> dict[str, float]:
        """The moves found, as fractions by asset."""
        return dict(self.stressed.moves)


def reverse_stress(book: StressBook, limit: float = 0.0) -> ReverseStress:
    """The move of least Mahalanobis distance after which equity is `limit` USD (0: exhausted).

    Covariance: that of the last `lookback` daily returns. For a linear book r = -(E - limit) S w / (w' S w), distance
    (E - limit) / root(w' S w), w the dollars of positions and counted collateral; no price falls by more than 100%.
    With options the same step is repeated from where the last one led (Hasofer and Lind 1974, Rackwitz and Fiessler
    1978: the design point of first-order reliability). Raises InputError where no such move exists.
    """
    c = book.comparison
    past = history(c.measured.market, list(c.book.assets), c.settings)
    recent = past.daily[-c.settings.lookback :]
    live = [i for i in range(len(c.book.assets)) if (recent[:, i] != recent[0, i]).any()]
    names = [c.book.assets[i] for i in live]
    if not names:
        raise InputError("positions", ", ".join(c.book.assets), "nothing in the book moves")
    cov = covariance(recent[:, live])
    room = book.money - limit
    if room <= 0:
        raise InputError("limit", limit, f"is not below the equity of {book.money:,.0f} USD")
    r = np.zeros(len(names))
    for _ in range(MOST_STEPS):
        step = _design_point(book, names, cov, r, limit)
        if np.abs(step - r).max() < 1e-12:
            break
        r = step if np.abs(step - r).max() < 0.5 else (r + step) / 2.0
    found = shock(book, dict(zip(names, (float(x) for x in r), strict=True)), 0.0, "Reverse stress")
    if abs(found.equity - limit) > 1e-6 * max(book.money, c.account.gross, 1.0):
        problem = "no move of its prices by less than 100% uses it up"
        raise InputError("account", f"{book.money:,.0f} USD", problem, "It holds more than it can lose.")
    distance = float(np.sqrt(np.maximum(r @ np.linalg.pinv(cov, rcond=1e-12, hermitian=True) @ r, 0.0)))
    weights = _gradient(book, names, np.zeros(len(names)))
    deviation = float(np.sqrt(weights @ cov @ weights))
    losses = -(past.daily[:, live] @ weights)
    chance = float(ndtr(-distance))
    return ReverseStress(found, distance, 1.0 / chance if chance > 0 else np.inf, float(losses.max()) / deviation)


def _design_point(book: StressBook, names: list[str], cov: np.ndarray, at: np.ndarray, limit: float) -> np.ndarray:
    """Next step: the nearest point of the plane that touches equity(r) = limit at `at`, prices at 0 or above."""
    gradient = _gradient(book, names, at)
    equity = shock(book, dict(zip(names, (float(x) for x in at), strict=True))).equity
    target = limit - equity + float(gradient @ at)  # gradient . r must be this
    fixed = np.zeros(len(names), dtype=bool)  # prices that have fallen to nothing
    r = np.zeros(len(names))
    while not fixed.all():
        free = ~fixed
        to_fixed = cov[np.ix_(free, fixed)] @ np.linalg.pinv(cov[np.ix_(fixed, fixed)])
        mean = to_fixed @ r[fixed]  # where the others are expected, given those
        given = cov[np.ix_(free, free)] - to_fixed @ cov[np.ix_(fixed, free)]
        slope = float(gradient[free] @ given @ gradient[free])
        if slope <= 0:
            break
        rest = target - float(gradient[fixed] @ r[fixed]) - float(gradient[free] @ mean)
        r[free] = mean + given @ gradient[free] * rest / slope
        beyond = free & (r < -1.0)
        if not beyond.any():
            break
        r[beyond] = -1.0
        fixed |= beyond
    return np.maximum(r, -1.0)


def _gradient(book: StressBook, names: list[str], at: np.ndarray) -> np.ndarray:
    """(k,) USD that equity changes by per unit of return of each asset; exact where the book is linear."""
    c = book.comparison
    if not c.book.has_options:
        return _linear(c, names, book.assumed_money)
    step = 1e-5
    out = []
    for i in range(len(names)):
        up, down = at.copy(), at.copy()
        up[i], down[i] = at[i] + step, max(at[i] - step, -1.0)
        high, low = (shock(book, dict(zip(names, (float(x) for x in r), strict=True))).equity for r in (up, down))
        out.append((high - low) / (up[i] - down[i]))
    return np.array(out)


def _linear(c: Comparison, names: list[str], assumed_money: bool) -> np.ndarray:
    net = c.book.linear_weights().sum(axis=0)
    held = {} if assumed_money else counted_collateral(c)
    return np.array([net[c.book.assets.index(n)] + held.get(n, 0.0) for n in names])


def plausible(found: ReverseStress) -> str:
    """How far that is, in words."""
    stables = [a for a in found.moves if a in USD_STABLECOINS]
    extra = f" ({', '.join(stables)} included)" if stables else ""
    if found.distance > 8:
        return f"{found.distance:.1f} standard deviations{extra}: normal returns never get there, real ones rarely do"
    return f"{found.distance:.1f} standard deviations{extra}: one normal day in {found.one_in:,.0f}"
