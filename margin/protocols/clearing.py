"""Who is paid what when some cannot pay: clearing of a network of debts, with or without costs of default.

Eisenberg and Noe (2001), "Systemic risk in financial systems"; costs of default after Rogers and Veraart (2013),
"Failure and rescue in an interbank network". Definitions: docs/protocols.md.
"""

from dataclasses import dataclass

import numpy as np

from margin.core.errors import InputError

ROUNDS = 100_000  # Picard steps at most; a linear solve usually ends it after a few


@dataclass(frozen=True, kw_only=True, eq=False)
class Clearing:
    """The greatest clearing vector. Arrays (n,), USD.

    owed, paid     : by each node to its creditors of equal rank; external: what its senior or outside creditors get
    received       : from the other nodes
    net_worth      : assets less everything owed, below 0 where a node defaults; equity: the same, not below 0
    defaults       : whether a node cannot pay in full
    value_lost     : to costs of default, of all nodes together; 0 where alpha = beta = 1
    """

    owed: np.ndarray
    paid: np.ndarray
    external: np.ndarray
    received: np.ndarray
    net_worth: np.ndarray
    equity: np.ndarray
    defaults: np.ndarray
    value_lost: float

    @property
    def recovery(self) -> np.ndarray:
        """(n,) paid / owed; 1 where nothing is owed."""
        share: np.ndarray = np.divide(self.paid, self.owed, out=np.ones_like(self.paid), where=self.owed > 0)
        return share


def clear(
    debts: np.ndarray,
    outside: np.ndarray,
    external: np.ndarray | None = None,
    senior: bool = True,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Clearing:
    """The greatest vector of payments that clears the network.

    debts    : (n, n) USD, row i owes column j; outside (n,) USD of assets that are no claim on a node
    external : (n,) USD owed to creditors outside; paid first where `senior`, else in proportion with the others
    alpha, beta : share of outside assets, and of claims on other nodes, that a defaulting node still brings in
    Where claims run in a circle there can be several vectors; this is the greatest, reached from full payment down.
    Raises InputError for negative or non-finite amounts, shapes that do not fit, and shares outside 0 to 1.
    """
    debts, outside, owed_outside = _checked(debts, outside, external)
    for name, share in (("alpha", alpha), ("beta", beta)):
        if not 0.0 <= share <= 1.0:
            raise InputError(name, share, "must be from 0 to 1")
    inside = debts.sum(axis=1)
    owed = inside if senior else inside + owed_outside
    first = owed_outside if senior else np.zeros_like(owed_outside)
    share = np.divide(debts, owed[:, None], out=np.zeros_like(debts), where=owed[:, None] > 0)
    paid = _greatest(share, outside, first, owed, alpha, beta)
    received = share.T @ paid
    assets = outside + received
    short = assets < (owed + first) * (1.0 - 1e-12)
    left = np.where(short, alpha * outside + beta * received, assets)
    settled = np.minimum(first, left) if senior else paid - share.sum(axis=1) * paid
    net = assets - owed - first
    return Clearing(
        owed=owed,
        paid=paid,
        external=settled,
        received=received,
        net_worth=net,
        equity=np.where(short, 0.0, np.maximum(net, 0.0)),
        defaults=short,
        value_lost=float((assets - left).sum()),
    )


def _greatest(
    share: np.ndarray, outside: np.ndarray, first: np.ndarray, owed: np.ndarray, alpha: float, beta: float
) -> np.ndarray:
    """Payments by monotone steps down from full payment, closed by a linear solve once who defaults no longer changes.

    A solve with the same defaults and the same nodes at nothing, and nowhere above the steps, is the greatest vector:
    what lies between two vectors with one set of defaults has that set too, and its linear system has one solution.
    """
    paid = owed.copy()
    scale = max(1.0, float(owed.max(initial=0.0)))
    for step in range(ROUNDS):
        stepped, part = _step(share, outside, first, owed, alpha, beta, paid)
        if np.abs(stepped - paid).max(initial=0.0) <= 1e-15 * scale:
            return stepped
        paid = stepped
        if step % 4:
            continue
        solved = _solve(share, outside, first, owed, alpha, beta, paid, part)
        if solved is not None and (solved <= paid + 1e-12 * scale).all():
            again, same = _step(share, outside, first, owed, alpha, beta, solved)
            if (same == part).all() and np.abs(again - solved).max() <= 1e-12 * scale:
                return solved
    return paid


def _step(
    share: np.ndarray,
    outside: np.ndarray,
    first: np.ndarray,
    owed: np.ndarray,
    alpha: float,
    beta: float,
    paid: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(what each node can pay if it is paid `paid`; 2 pays in full, 1 in part, 0 nothing)."""
    received = share.T @ paid
    full = outside + received >= (owed + first) * (1.0 - 1e-12)
    rest = alpha * outside + beta * received - first
    can = np.where(full, owed, np.clip(rest, 0.0, owed))
    return can, np.where(full, 2, np.where(rest > 0, 1, 0))


def _solve(
    share: np.ndarray,
    outside: np.ndarray,
    first: np.ndarray,
    owed: np.ndarray,
    alpha: float,
    beta: float,
    paid: np.ndarray,
    part: np.ndarray,
) -> np.ndarray | None:
    """Payments if exactly the nodes of class 1 pay in part; None where their system has no single solution."""
    some = np.flatnonzero(part == 1)
    out = np.where(part == 2, owed, 0.0)
    if not len(some):
        return out
    right = alpha * outside[some] + beta * (share.T @ out)[some] - first[some]
    try:
        out[some] = np.linalg.solve(np.eye(len(some)) - beta * share[np.ix_(some, some)].T, right)
    except np.linalg.LinAlgError:
        return None
    return out if np.isfinite(out).all() else None


def _checked(
    debts: np.ndarray, outside: np.ndarray, external: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    debts, outside = np.asarray(debts, dtype=float), np.asarray(outside, dtype=float)
    n = len(outside)
    if debts.shape != (n, n):
        raise InputError("debts", debts.shape, f"must be {n} x {n}, one row and column per node")
    owed_outside = np.zeros(n) if external is None else np.asarray(external, dtype=float)
    if owed_outside.shape != (n,):
        raise InputError("external", owed_outside.shape, f"must have {n} amounts, one per node")
    for name, values in (("debts", debts), ("outside", outside), ("external", owed_outside)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise InputError(name, "a negative or missing amount", "must be finite USD, 0 or more")
    if np.diagonal(debts).any():
        raise InputError("debts", "its diagonal", "a node owes itself", "Leave the diagonal at 0.")
    return debts, outside, owed_outside
