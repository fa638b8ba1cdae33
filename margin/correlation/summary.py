"""One pair in a few figures: where its correlation is, how sure that is, where it has been, how long it keeps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.market import Market
from margin.correlation.paths import PairPath, rolling_pairs
from margin.correlation.persistence import Persistence, persistence_of

AHEAD = 30  # returns: the persistence looked at


@dataclass(frozen=True, eq=False, kw_only=True)
class PairSummary:
    """Figures of one pair; None where the history is too short for them (`reason`, `life.reason` say why).

    latest, low, high : the newest correlation and its 95% band, fat tails counted
    least, most       : over the whole history, with their dates
    life              : how far it moved within the next 30 returns
    """

    path: PairPath
    latest: float | None
    low: float | None
    high: float | None
    least: float | None
    least_on: np.datetime64 | None
    most: float | None
    most_on: np.datetime64 | None
    life: Persistence

    @property
    def reason(self) -> str:
        """Why there is no figure; empty where there is one."""
        return self.path.reason


def pair_summary(
    market: Market,
    pair: tuple[str, str],
    window: int = 60,
    horizon: int = 1,
    method: str = "rolling",
    as_of: Any = None,
) -> PairSummary:
    """`PairSummary` up to as-of; for ewma the window is the half-life. Raises InputError as `rolling_pairs` does."""
    (path,) = rolling_pairs(market, [pair], window, horizon, as_of, method, corr_halflife=float(window))
    (life,) = persistence_of(market, [pair], max(window, 10), AHEAD, as_of)
    known = np.flatnonzero(np.isfinite(path.values))
    if not len(known):
        return PairSummary(
            path=path, latest=None, low=None, high=None, least=None, least_on=None, most=None, most_on=None, life=life
        )
    low, high = path.band(fat_tails=True)
    least, most = known[np.argmin(path.values[known])], known[np.argmax(path.values[known])]
    latest = path.latest
    return PairSummary(
        path=path,
        latest=latest,
        low=None if latest is None else float(low[-1]),
        high=None if latest is None else float(high[-1]),
        least=float(path.values[least]),
        least_on=path.dates[least],
        most=float(path.values[most]),
        most_on=path.dates[most],
        life=life,
    )
