"""Which assets of a wallet to post, and how much of each, to cover a requirement at least cost: a linear programme.

Haircut treatment. x_ik >= 0 is what is posted of slice k of asset i (USD), at most the slice and the wallet:

    minimise   sum c_ik x_ik     subject to   sum (1 - h_ik) x_ik >= requirement,   0 <= x_ik <= slice

Slices of an asset cost more the later they come (haircuts rise with size), so the optimum fills them in order and no
integer is needed. Joint treatment. Posted assets move with the book; with scenario losses L_s and returns R_s:

    sum x_i  >=  alpha + sum z_s / ((1 - level) n),     z_s >= L_s - x . R_s - alpha,     z_s >= 0

which says equity at market value >= ES(L - x . R). Source: Rockafellar and Uryasev (2000), "Optimization of
conditional value-at-risk". Both are solved by HiGHS through scipy, imported when first needed. Of the cheapest ways
the one that posts least is taken: the programme is solved again for the least total at that cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.core.errors import InputError
from margin.haircut.tiers import Tier, tiered_haircut
from margin.risk.tail import expected_shortfall


@dataclass(frozen=True)
class Allocation:
    """posted: USD by asset; counted: USD that counts against the requirement; cost: USD a year (see `allocate`)."""

    posted: dict[str, float]
    requirement: float
    counted: float
    cost: float

    @property
    def total(self) -> float:
        """USD posted in all."""
        return sum(self.posted.values())


def allocate(
    wallet: Mapping[str, float],
    requirement: float,
    tiers: Mapping[str, Sequence[Tier]],
    yearly_cost: Mapping[str, float] | None = None,
    haircut_cost: float = 0.0,
) -> Allocation:
    """Cheapest posting of a wallet's assets that counts for `requirement` USD after haircuts.

    wallet       : USD available by asset
    tiers        : slices by asset in USD (`haircut_tiers.tier_table`, or a venue's); dollars: one slice at 0
    yearly_cost  : what posting costs, fraction of value a year (the yield forgone); 0 where not given
    haircut_cost : fraction a year on the value that is posted and does not count (capital locked up for nothing)
    With both zero it posts least. Raises InputError when the whole wallet does not reach the requirement.
    """
    wallet = _checked(wallet, requirement)
    pieces: list[tuple[str, float, float]] = []  # asset, width, haircut
    for asset, available in wallet.items():
        if asset not in tiers:
            raise InputError("tiers", asset, "has no haircut", "Give its slices, e.g. from tier_table.")
        for tier in tiers[asset]:
            end = available if tier.end is None else min(tier.end, available)
            if end > tier.start and tier.haircut < 1.0:
                pieces.append((asset, end - tier.start, tier.haircut))
    widths, cuts = np.array([p[1] for p in pieces]), np.array([p[2] for p in pieces])
    most = float(((1.0 - cuts) * widths).sum()) if pieces else 0.0
    if most < requirement * (1.0 - 1e-12):
        problem = f"the whole wallet counts for {most:,.0f} USD, {requirement - most:,.0f} too little"
        raise InputError("wallet", f"{sum(wallet.values()):,.0f} USD", problem, "Add assets or reduce the book.")
    if requirement == 0 or not pieces:
        return Allocation(dict.fromkeys(wallet, 0.0), requirement, 0.0, 0.0)
    yearly = np.array([(yearly_cost or {}).get(p[0], 0.0) for p in pieces])
    cost = yearly + haircut_cost * cuts
    bounds = [(0.0, float(w) / requirement) for w in widths]  # solved in units of the requirement
    solution = requirement * _cheapest(cost, -(1.0 - cuts)[None, :], np.array([-1.0]), bounds, len(pieces))
    posted = dict.fromkeys(wallet, 0.0)
    for (asset, _, _), amount in zip(pieces, solution, strict=True):
        posted[asset] += float(amount)
    counted = sum(amount * (1.0 - tiered_haircut(tiers[a], amount)) for a, amount in posted.items() if amount > 0)
    return Allocation(posted, requirement, counted, float(cost @ solution))


def allocate_joint(
    wallet: Mapping[str, float],
    losses: np.ndarray,
    returns: np.ndarray,
    assets: Sequence[str],
    level: float = 0.975,
    yearly_cost: Mapping[str, float] | None = None,
    equity: float = 0.0,
) -> Allocation:
    """Cheapest posting that covers ES(book loss - collateral gain); collateral counts at market value and moves.

    losses  : (n,) USD of the positions by scenario; returns (n, k) of `assets` in the same scenarios
    wallet  : USD available by asset; one that is not among `assets` (dollars) does not move
    equity  : USD the account has besides (unrealised profit)
    The result's requirement is that shortfall; counted = posted + equity. Raises InputError when nothing covers it.
    """
    wallet = _checked(wallet, 0.0)
    losses, returns = np.asarray(losses, dtype=float), np.asarray(returns, dtype=float)
    n, names = len(losses), list(wallet)
    if returns.shape != (n, len(assets)) or not n:
        raise InputError("returns", returns.shape, f"must be {n} scenarios x {len(assets)} assets")
    moves = np.zeros((n, len(names)))
    for i, name in enumerate(names):
        if name in assets:
            moves[:, i] = returns[:, list(assets).index(name)]
    k = len(names)
    yearly = np.array([(yearly_cost or {}).get(name, 0.0) for name in names])
    cost = np.concatenate((yearly, np.zeros(1 + n)))
    weight = 1.0 / ((1.0 - level) * n)
    covers = np.concatenate((-np.ones(k), [1.0], np.full(n, weight)))[None, :]
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    tails = hstack((csr_array(-moves), csr_array(-np.ones((n, 1))), -eye_array(n)))
    rows: Any = vstack((csr_array(covers), tails))
    scale = max(float(np.abs(losses).max()), sum(wallet.values()), 1.0)  # solved in units of the account's size
    bounds = [(0.0, v / scale) for v in wallet.values()] + [(None, None)] + [(0.0, None)] * n
    limits = np.concatenate(([equity], -losses)) / scale
    solution = _cheapest(cost, rows.tocsr(), limits, bounds, k)[:k] * scale
    posted = {name: float(x) for name, x in zip(names, solution, strict=True)}
    requirement = max(float(expected_shortfall(losses - moves @ solution, level)), 0.0)
    return Allocation(posted, requirement, sum(posted.values()) + equity, float(yearly @ solution))


def _cheapest(cost: np.ndarray, rows: Any, limits: np.ndarray, bounds: list[Any], posted: int) -> np.ndarray:
    """The solution of least cost, and of those the one whose first `posted` variables (all >= 0) sum to the least."""
    from scipy.sparse import csr_array, vstack

    total = np.concatenate((np.ones(posted), np.zeros(len(cost) - posted)))
    if cost.any():
        least = float(cost @ _solve(cost, rows, limits, bounds))
        size = float(np.abs(cost).max())
        rows = vstack((csr_array(rows), csr_array(cost[None, :] / size)))
        limits = np.append(limits, least / size)
    return _solve(total, rows, limits, bounds)


def _solve(cost: np.ndarray, rows: Any, limits: np.ndarray, bounds: list[Any]) -> np.ndarray:
    from scipy.optimize import linprog

    result = linprog(cost, A_ub=rows, b_ub=limits, bounds=bounds, method="highs")
    if result.status == 2:
        raise InputError("wallet", "all of it", "does not cover the requirement", "Add assets or reduce the book.")
    if result.status != 0 or result.x is None:
        raise InputError("wallet", result.message, "could not be allocated", "Check for amounts of very unlike size.")
    return result.x


def _checked(wallet: Mapping[str, float], requirement: float) -> dict[str, float]:
    if not 0 <= requirement < 1e15:
        raise InputError("requirement", requirement, "must be a number of dollars, at least 0")
    if not wallet:
        raise InputError("wallet", "nothing", "is empty", "Give at least one asset with its USD value.")
    for asset, value in wallet.items():
        if not 0 <= value < 1e15:
            raise InputError(f"wallet {asset}", value, "must be a number of dollars, at least 0")
    return {asset: float(value) for asset, value in wallet.items()}
