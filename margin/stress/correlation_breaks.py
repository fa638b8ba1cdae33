"""Margin if correlations break: to the worst seen by pair, to the worst day seen, to one, to zero, against the book.

The margin here is the closed form `k root(w' S w)` with today's volatilities and another correlation matrix: our own
model, no venue takes a user's matrix. A book with options is revalued in full instead, as `what_if` does.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.risk.covariance import correlation_from_covariance, covariance, nearest_correlation
from margin.risk.elliptical import portfolio_margin_under
from margin.risk.estimators import degrees_of_freedom
from margin.risk.exposures import value_book
from margin.risk.history import history
from margin.rolling.pearson import rolling_correlation
from margin.stress.correlation_what_if import margin_in_full

WINDOW = 60
NAMES = {
    "now": "As it is",
    "pairs": "Every pair at its worst so far",
    "day": "The worst matrix of one day so far",
    "one": "All correlations 1",
    "zero": "All correlations 0",
    "against": "Every pair against the book",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Break:
    """One way correlations could break. matrix (k, k) as used, margin in USD.

    distance : Frobenius distance from the matrix wished for to the nearest correlation matrix, which is used; 0 when
               the wished one is possible
    date     : day on which that matrix was seen, for 'day' only
    """

    key: str
    name: str
    matrix: np.ndarray
    margin: float
    distance: float = 0.0
    date: np.datetime64 | None = None


@dataclass(frozen=True, eq=False)
class Breaks:
    """assets (k), dollars (k,) net USD delta, volatilities (k,) per day; lines in the order of NAMES."""

    assets: tuple[str, ...]
    dollars: np.ndarray
    volatilities: np.ndarray
    lines: tuple[Break, ...]

    def margin(self, key: str) -> float:
        """The margin of one line of the table."""
        return next(line.margin for line in self.lines if line.key == key)


def correlation_breaks(portfolio: Portfolio, market: Market, settings: Settings | None = None) -> Breaks:
    """The book's margin as it is and under every break, from history up to settings.as_of.

    Volatilities and the present matrix: the last `lookback` daily returns. Worst seen: 60-return windows on the dates
    all assets of the book share. Degrees of freedom are those of the settings' estimator; normal where it has none.
    Raises InputError for a book of dollars only or with less than 60 common returns.
    """
    chosen = settings or Settings()
    portfolio = portfolio.settled
    if not portfolio.assets:
        raise InputError("positions", "only dollars", "nothing in the portfolio moves", "Add an asset with a price.")
    past = history(market, portfolio.assets, chosen)
    book = value_book(portfolio.positions, past.assets, past.horizon.prices, past.daily_vol, past.horizon.as_of, chosen)
    recent = past.daily[-chosen.lookback :]
    moving = np.flatnonzero((recent != recent[0]).any(axis=0))  # what never moves has no correlation, and no risk
    if len(past.daily) < WINDOW or not len(moving):
        raise InputError("prices", f"{len(past.daily)} returns", "too little common history", f"{WINDOW} are needed.")
    dollars = book.linear_weights().sum(axis=0)[moving]
    cov = covariance(recent[:, moving])
    now, vols = correlation_from_covariance(cov), np.sqrt(np.diag(cov))
    signs = np.where(dollars < 0, -1.0, 1.0)
    pairs, day, date = _worst_seen(past.daily[:, moving], past.daily_dates, dollars * vols, signs, now)
    wished = {
        "now": now,
        "pairs": pairs,
        "day": day,
        "one": np.ones_like(now),
        "zero": np.eye(len(now)),
        "against": np.outer(signs, signs),
    }
    dof = degrees_of_freedom(chosen)
    lines = []
    for key, name in NAMES.items():
        matrix, distance = _possible(wished[key])
        if book.has_options:
            margin = margin_in_full(portfolio, market, chosen, tuple(past.assets[i] for i in moving), matrix)
        else:
            margin = portfolio_margin_under(matrix, dollars, vols, chosen.level, chosen.measure, chosen.horizon, dof)
        lines.append(
            Break(
                key=key, name=name, matrix=matrix, margin=margin, distance=distance, date=date if key == "day" else None
            )
        )
    return Breaks(tuple(past.assets[i] for i in moving), dollars, vols, tuple(lines))


def _worst_seen(
    returns: np.ndarray, dates: np.ndarray, exposure: np.ndarray, signs: np.ndarray, now: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.datetime64 | None]:
    """(each pair at its worst so far, the one day's matrix that is worst for this book, that day).

    A pair held on the same side is worst at its highest correlation, on opposite sides at its lowest.
    """
    k = len(now)
    if k == 1:
        return now, now, None
    seen = rolling_correlation(returns, WINDOW)
    first, second = (np.array(side) for side in zip(*seen.pairs, strict=True))
    known = seen.values[:, np.isfinite(seen.values).all(axis=0)]
    if not known.shape[1]:
        return now, now, None
    same = signs[first] == signs[second]
    worst = np.where(same, known.max(axis=1), known.min(axis=1))
    pairs = now.copy()
    harm = np.where(same, np.maximum(worst, now[first, second]), np.minimum(worst, now[first, second]))
    pairs[first, second] = pairs[second, first] = harm
    at = int(np.argmax((exposure[first] * exposure[second]) @ known))
    day = np.eye(k)
    day[first, second] = day[second, first] = known[:, at]
    return pairs, day, dates[np.isfinite(seen.values).all(axis=0)][at]


def _possible(wished: np.ndarray) -> tuple[np.ndarray, float]:
    """`wished` itself when it is a correlation matrix up to rounding, else the nearest one and the distance to it."""
    if np.linalg.eigvalsh(wished)[0] >= -1e-8:
        return wished, 0.0
    return nearest_correlation(wished)
