"""Insurance funds: how large one must be, the order of loss allocation, and what two protocols save by sharing one.

Cover-1 and Cover-2: the fund bears the largest one or two losers of the worst scenario at once (CPMI-IOSCO, "Principles
for financial market infrastructures", 2012, principle 4). Definitions: docs/protocols.md.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FundSizes:
    """USD by rule, and `worst`: the largest loss of any scenario."""

    quantile: float
    cover_one: float
    cover_two: float
    worst: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Waterfall:
    """Who bears each scenario's loss, arrays (s,), USD; they add up to the loss.

    own, shared : paid by the protocol's own fund and by the mutual one; left: by deleveraging or the depositors
    """

    own: np.ndarray
    shared: np.ndarray
    left: np.ndarray


def fund_sizes(shortfalls: np.ndarray, level: float = 0.995) -> FundSizes:
    """shortfalls : (s, w) USD lost by each account under each scenario, 0 or more."""
    table = _losses(shortfalls, 2)
    if not 0.0 < level < 1.0:
        raise InputError("level", level, "must be between 0 and 1")
    totals = table.sum(axis=1)
    ranked = np.sort(table, axis=1)[:, ::-1]
    return FundSizes(
        quantile=float(np.quantile(totals, level, method="inverted_cdf")),
        cover_one=float(ranked[:, :1].sum(axis=1).max()),
        cover_two=float(ranked[:, :2].sum(axis=1).max()),
        worst=float(totals.max()),
    )


def waterfall(losses: np.ndarray, own_fund: float, shared_fund: float = 0.0) -> Waterfall:
    """losses : (s,) USD of one protocol by scenario: own fund first, then the mutual one, then whoever is left."""
    loss = _losses(losses, 1)
    for name, size in (("own_fund", own_fund), ("shared_fund", shared_fund)):
        if not (np.isfinite(size) and size >= 0):
            raise InputError(name, size, "must be 0 USD or more")
    own = np.minimum(loss, own_fund)
    shared = np.minimum(loss - own, shared_fund)
    return Waterfall(own=own, shared=shared, left=loss - own - shared)


@dataclass(frozen=True, kw_only=True)
class Mutual:
    """USD: separate (p,) funds at the level, one mutual fund at the same level, and what sharing saves.

    saved may be below 0: a quantile of a sum can be above the sum of quantiles where losses are rare and apart
    carried : (p,) average USD that the mutual fund pays for each protocol beyond its share of the contributions
    """

    separate: tuple[float, ...]
    mutual: float
    carried: tuple[float, ...]

    @property
    def saved(self) -> float:
        """USD that one mutual fund needs less than separate ones."""
        return sum(self.separate) - self.mutual


def mutual_fund(losses: np.ndarray, level: float = 0.995) -> Mutual:
    """losses : (s, p) USD of each protocol by scenario. Contributions to the mutual fund: in proportion to own ones."""
    table = _losses(losses, 2)
    separate = np.quantile(table, level, axis=0, method="inverted_cdf")
    totals = table.sum(axis=1)
    size = float(np.quantile(totals, level, method="inverted_cdf"))
    paid = np.minimum(totals, size)
    part = np.divide(table, totals[:, None], out=np.zeros_like(table), where=totals[:, None] > 0)
    used = (part * paid[:, None]).mean(axis=0)
    whole = float(separate.sum())
    fair = separate / whole * used.sum() if whole > 0 else np.zeros_like(separate)
    return Mutual(separate=tuple(separate.tolist()), mutual=size, carried=tuple((used - fair).tolist()))


def _losses(values: np.ndarray, dimensions: int) -> np.ndarray:
    table = np.asarray(values, dtype=float)
    if table.ndim != dimensions or not table.size:
        raise InputError("losses", table.shape, f"must be a table of {dimensions} dimension(s), not empty")
    if not np.isfinite(table).all() or (table < 0).any():
        raise InputError("losses", "a value", "must be finite USD, 0 or more")
    return table
