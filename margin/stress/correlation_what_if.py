"""Margin of a book if correlations were what the visitor says: the matrix wished for, its repair, what it costs.

Our own model: no venue takes a correlation matrix from its customers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.ladder.compare import compare
from margin.risk.covariance import correlation_from_covariance
from margin.risk.elliptical import Elliptical, elliptical, portfolio_margin_under, what_if_correlation, with_pairs_set
from margin.risk.estimators import closed_forms, degrees_of_freedom, matrix_estimator
from margin.risk.history import history

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIf:
    """assets (k); now, wished, used (k, k): as measured, with the visitor's figures, and after repair.

    margin_now, margin : USD portfolio margin at the measured and at the used matrix; isolated : USD, the same for both
    repaired           : whether the wish had to be repaired; largest_change : of any correlation by the repair
    """

    assets: tuple[str, ...]
    now: np.ndarray
    wished: np.ndarray
    used: np.ndarray
    margin_now: float
    margin: float
    isolated: float

    @property
    def change(self) -> float:
        """USD that the wish adds to the margin."""
        return self.margin - self.margin_now

    @property
    def saved_pct(self) -> float | None:
        """What pooling still saves of the isolated margin, 0..100; None where that is 0."""
        return 100.0 * (self.isolated - self.margin) / self.isolated if self.isolated > 0 else None

    @property
    def largest_change(self) -> float:
        """How far the repaired matrix lies from the wished one, in its worst entry."""
        return float(np.abs(self.used - self.wished).max())

    @property
    def repaired(self) -> bool:
        """True where the wished matrix was none and had to be moved."""
        return self.largest_change > 1e-9


def what_if(portfolio: Portfolio, market: Market, settings: Settings, wishes: Mapping[Pair, float]) -> WhatIf:
    """The book's margin with some correlations set by hand.

    The settings' estimator where it takes a matrix, else the first that does. The matrix is that of the
    last `lookback` daily returns; assets that do not move are left out of it.
    Raises InputError for a book without prices or a wish outside -1..1.
    """
    model = settings.with_(estimator=matrix_estimator(settings.estimator))
    before = compare(portfolio, market, settings=model.with_(correlation="sample"))
    asked = model.with_(correlation="what-if", what_if={pair: float(rho) for pair, rho in wishes.items()})
    after = compare(portfolio, market, settings=asked)
    closed = elliptical(history(market, portfolio.assets, asked), asked.with_(correlation="sample"))
    names, now = _moving(before.book.assets, closed)
    return WhatIf(
        assets=names,
        now=now,
        wished=with_pairs_set(now, names, asked)[0],
        used=what_if_correlation(now, names, asked)[0],
        margin_now=before.portfolio,
        margin=after.portfolio,
        isolated=before.isolated,
    )


@dataclass(frozen=True, eq=False)
class MarginCurve:
    """correlations (n,) ascending over those that are possible with all others as they are; margins (n,) USD."""

    correlations: np.ndarray
    margins: np.ndarray


def margin_by_correlation(
    portfolio: Portfolio, market: Market, settings: Settings, pair: Pair, wishes: Mapping[Pair, float], points: int = 61
) -> MarginCurve:
    """Portfolio margin as one pair's correlation moves and the other wishes stay: what `what_if` gives at each.

    A linear book by the closed form; one with options revalued in full at every point, as `what_if` does.

    Raises InputError where the pair is not of the book.
    """
    closed = elliptical(history(market, portfolio.assets, settings), settings.with_(correlation="sample"))
    before = compare(portfolio, market, settings=settings.with_(estimator=closed_forms()[0], correlation="sample"))
    names, now = _moving(before.book.assets, closed)
    for asset in pair:
        if asset not in names:
            raise InputError("pair", asset, "is not an asset of the book that moves", f"One of {', '.join(names)}.")
    i, j = (names.index(asset) for asset in pair)
    others = settings.with_(what_if=_others(wishes, pair))
    base, _ = with_pairs_set(now, names, others)
    base[i, j] = base[j, i] = sum(possible_range(base, i, j)) / 2.0
    if np.linalg.eigvalsh(base)[0] < -1e-8:  # the other wishes alone are impossible
        base, _ = what_if_correlation(now, names, others)
    grid = np.linspace(*possible_range(base, i, j), points)
    if before.book.has_options:
        return MarginCurve(grid, _in_full(portfolio, market, settings, names, base, (i, j), grid))
    columns = [before.book.assets.index(name) for name in names]
    dollars = before.book.linear_weights().sum(axis=0)[columns]
    daily = np.sqrt(np.diag(closed.covariance)[columns] / settings.horizon)
    dof = degrees_of_freedom(settings)
    margins = []
    for rho in grid:
        base[i, j] = base[j, i] = rho
        margins.append(
            portfolio_margin_under(base, dollars, daily, settings.level, settings.measure, settings.horizon, dof)
        )
    return MarginCurve(grid, np.array(margins))


def _in_full(
    portfolio: Portfolio,
    market: Market,
    settings: Settings,
    names: tuple[str, ...],
    base: np.ndarray,
    pair: tuple[int, int],
    grid: np.ndarray,
) -> np.ndarray:
    """(n,) USD portfolio margin of a book with options at each correlation of the pair, the others as in `base`."""
    matrix, out = base.copy(), []
    for rho in grid:
        matrix[pair], matrix[pair[::-1]] = rho, rho
        out.append(margin_in_full(portfolio, market, settings, names, matrix))
    return np.array(out)


def margin_in_full(
    portfolio: Portfolio, market: Market, settings: Settings, names: tuple[str, ...], matrix: np.ndarray
) -> float:
    """USD portfolio margin, every option revalued, with the correlations of `names` (k,) as in `matrix` (k, k)."""
    model = settings.with_(estimator=matrix_estimator(settings.estimator))
    wishes = {
        (names[a], names[b]): float(np.clip(matrix[a, b], -1.0, 1.0)) for a, b in combinations(range(len(names)), 2)
    }
    asked = model.with_(correlation="what-if", what_if=wishes)
    return float(compare(portfolio, market, settings=asked).portfolio)


def possible_range(matrix: np.ndarray, i: int, j: int) -> tuple[float, float]:
    """(lowest, highest) value of one correlation with which the matrix stays positive semi-definite.

    matrix : (k, k) correlation, positive semi-definite. With C the others' matrix and x, y their correlations with i
    and j: x' C^-1 y -+ root((1 - x' C^-1 x) (1 - y' C^-1 y)), by the Schur complement.
    Source: Olkin (1981), "Range restrictions for product-moment correlation matrices".
    """
    others = [n for n in range(len(matrix)) if n not in (i, j)]
    if not others:
        return -1.0, 1.0
    inverse = np.linalg.pinv(matrix[np.ix_(others, others)], rcond=1e-10, hermitian=True)
    x, y = matrix[i, others], matrix[j, others]
    middle = float(x @ inverse @ y)
    room = float(np.sqrt(max(1.0 - x @ inverse @ x, 0.0) * max(1.0 - y @ inverse @ y, 0.0)))
    return max(middle - room, -1.0), min(middle + room, 1.0)


def _moving(assets: tuple[str, ...], closed: Elliptical) -> tuple[tuple[str, ...], np.ndarray]:
    live = np.flatnonzero(np.diag(closed.covariance) > 0)
    if not len(live):
        raise InputError("positions", ", ".join(assets), "nothing in the book moves", "Add an asset with a price.")
    return tuple(assets[i] for i in live), correlation_from_covariance(closed.covariance[np.ix_(live, live)])


def _others(wishes: Mapping[Pair, float], pair: Pair) -> dict[Pair, float]:
    return {other: rho for other, rho in wishes.items() if set(other) != set(pair)}
