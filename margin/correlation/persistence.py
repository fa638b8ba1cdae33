"""Correlation persistence: how far a correlation that was measured moves in the next days, beyond measurement noise.

A correlation over the last `window` returns is what a hedge is sized on; the one over the `ahead` returns that follow
is what it gets. The two share no return, and neither do successive looks share what follows, so with a constant true
correlation the difference of Fisher's z is noise of known size. What is left above it is real movement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.checks import whole_number
from margin.core.errors import InputError
from margin.core.market import Market
from margin.correlation.bands import fisher_deviation, tail_inflation
from margin.rolling.pearson import rolling_correlation

LEAST_LOOKS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Persistence:
    """One pair's history of |correlation over the next `ahead` returns - correlation over the last `window`|.

    dates, before, after : (m,) when each look was taken, the correlation measured then and the one that followed
    median, p90, worst   : of |after - before|
    noise_median, noise_p90 : what a constant correlation would show, from sampling alone (the pair's fat tails counted)
    real_deviation : standard deviation of the true correlation's move: what is left of the variance of z after the
                     noise, at the average correlation; 0 when noise explains it all
    reason         : why the pair has no figures; '' when it has
    """

    pair: tuple[str, str]
    dates: np.ndarray
    before: np.ndarray
    after: np.ndarray
    median: float | None
    p90: float | None
    worst: float | None
    noise_median: float | None
    noise_p90: float | None
    real_deviation: float | None
    reason: str = ""

    @property
    def moves(self) -> np.ndarray:
        """(m,) |after - before|."""
        found: np.ndarray = np.abs(self.after - self.before)
        return found


def persistence_of(
    market: Market,
    pairs: Sequence[tuple[str, str]],
    window: int = 60,
    ahead: int = 30,
    as_of: Any = None,
) -> tuple[Persistence, ...]:
    """`Persistence` of each pair over the whole common history up to as-of.

    Looks are `ahead` returns apart, counted back from the last one whose future is known by as-of.
    Raises InputError for an unknown asset; a pair with fewer than 8 looks says so in `reason`.
    """
    window = whole_number(window, "window", 10, 2000)
    ahead = whole_number(ahead, "ahead", 10, 2000)
    return tuple(_one(market, pair, window, ahead, as_of) for pair in pairs)


def _one(market: Market, pair: tuple[str, str], window: int, ahead: int, as_of: Any) -> Persistence:
    try:
        found = market.returns(pair, as_of)
    except InputError as error:
        market.columns(pair)  # an unknown asset is the caller's mistake, too little history is the pair's
        return _none(pair, error.problem)
    past = rolling_correlation(found.values, window, [(0, 1)]).values[0]
    future = rolling_correlation(found.values, ahead, [(0, 1)]).values[0]
    rows = np.arange(len(past) - 1 - ahead, window - 2, -ahead)[::-1]
    before, after = past[rows], future[rows + ahead]
    fine = np.isfinite(before) & np.isfinite(after)
    rows, before, after = rows[fine], before[fine], after[fine]
    if len(rows) < LEAST_LOOKS:
        return _none(pair, f"only {len(rows)} looks of {window} + {ahead} returns, {LEAST_LOOKS} are needed")
    move = np.abs(after - before)
    tails = tail_inflation(found.values, window)
    noise = noise_in_z(window, ahead, tails)
    z_before, z_after = (np.arctanh(np.clip(r, -0.999999, 0.999999)) for r in (before, after))
    middle = float(np.mean((z_before + z_after) / 2.0))
    real = max(float(np.mean((z_after - z_before) ** 2)) - noise**2, 0.0)
    slope = 1.0 - np.tanh(middle) ** 2
    noise_moves = noise_distribution(middle, window, ahead, tails)
    return Persistence(
        pair=pair,
        dates=found.dates[rows],
        before=before,
        after=after,
        median=float(np.median(move)),
        p90=float(np.quantile(move, 0.9)),
        worst=float(move.max()),
        noise_median=float(np.median(noise_moves)),
        noise_p90=float(np.quantile(noise_moves, 0.9)),
        real_deviation=float(np.sqrt(real) * slope),
    )


def noise_in_z(window: int, ahead: int, inflation: float = 1.0) -> float:
    """Standard deviation of the difference of two independent z of one constant correlation."""
    return float(np.hypot(fisher_deviation(window, inflation), fisher_deviation(ahead, inflation)))


def noise_distribution(middle: float, window: int, ahead: int, inflation: float = 1.0) -> np.ndarray:
    """|rho after - rho before| for a constant atanh(rho) = middle, on an equal-probability grid of both estimates."""
    from scipy.special import ndtri

    grid = ndtri((np.arange(200) + 0.5) / 200)
    first = np.tanh(middle + grid * fisher_deviation(window, inflation))
    second = np.tanh(middle + grid * fisher_deviation(ahead, inflation))
    found: np.ndarray = np.abs(first[:, None] - second[None, :]).ravel()
    return found


def _none(pair: tuple[str, str], reason: str) -> Persistence:
    empty = np.empty(0)
    return Persistence(
        pair=pair,
        dates=np.empty(0, "datetime64[ns]"),
        before=empty,
        after=empty,
        median=None,
        p90=None,
        worst=None,
        noise_median=None,
        noise_p90=None,
        real_deviation=None,
        reason=reason,
    )
