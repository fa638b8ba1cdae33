"""Loans without recourse: the claim is min(debt, what the collateral is worth), and nothing else of the borrower's.

Such a loan is cleared as a node of its own: it holds the collateral, owes the debt and belongs to the borrower, who can
lose no more than that. Collateral may be a claim on another node, worth what that node pays, so that one loss runs
through a chain of pledged claims. After Schuler, Nadler and Schaer (2023), Economics Letters 231.
Definitions: docs/protocols.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from margin.protocols.clearing import Clearing


@dataclass(frozen=True, kw_only=True, eq=False)
class Loan:
    """borrower, lender: numbers of nodes; usd owed; coins (k,) units of the network's assets, claims (n,) USD of face.

    A claim on node j is part of what j owes the borrower, pledged to this lender.
    """

    borrower: int
    lender: int
    usd: float
    coins: np.ndarray
    claims: np.ndarray


@dataclass(frozen=True, kw_only=True)
class LoanPaid:
    """One loan after clearing, USD: owed, paid, and what its collateral is worth."""

    borrower: str
    lender: str
    owed: float
    paid: float
    collateral: float


def apart(
    loans: Sequence[Loan], ids: Sequence[str], holdings: np.ndarray, debts: np.ndarray, shares: np.ndarray,
    **columns: np.ndarray,
) -> Mapping[str, Any]:  # fmt: skip
    """The network's fields with a node more for each loan: its collateral and debt are there, no longer the borrower's.

    columns : further arrays (n,) of the nodes; a loan has none of it
    """
    n, m = len(ids), len(loans)
    held = np.vstack([holdings, *(loan.coins for loan in loans)])
    owes, owned = np.zeros((n + m, n + m)), np.zeros((n + m, n + m))
    owes[:n, :n], owned[:n, :n] = debts, shares
    for i, loan in enumerate(loans, n):
        held[loan.borrower] -= loan.coins
        owes[loan.borrower, loan.lender] -= loan.usd
        owes[i, loan.lender] = loan.usd
        owes[:n, loan.borrower] -= loan.claims
        owes[:n, i] = loan.claims
        owned[loan.borrower, i] = 1.0
    names = tuple(f"{ids[loan.borrower]}'s loan {i} from {ids[loan.lender]}" for i, loan in enumerate(loans, 1))
    wide = {
        name: np.concatenate([values, np.full(m, np.nan if name == "equity" else 0.0)])
        for name, values in columns.items()
    }
    return {
        "ids": (*ids, *names), "kinds": ("",) * (n + m), "holdings": np.maximum(held, 0.0), "loans": (),
        "debts": np.maximum(owes, 0.0), "shares": owned, **wide,
    }  # fmt: skip


def together(loans: Sequence[Loan], found: Clearing) -> Clearing:
    """The clearing of the n nodes: what a loan owes and pays is its borrower's, who is not in default by it."""
    n = len(found.owed) - len(loans)
    kept = {name: getattr(found, name)[:n].copy() for name in ("owed", "paid", "received")}
    for i, loan in enumerate(loans, n):
        for name, values in kept.items():
            values[loan.borrower] += getattr(found, name)[i]
    rest = {name: getattr(found, name)[:n] for name in ("external", "net_worth", "equity", "defaults")}
    return Clearing(**kept, **rest, value_lost=found.value_lost)


def paid(loans: Sequence[Loan], ids: Sequence[str], outside: np.ndarray, found: Clearing) -> tuple[LoanPaid, ...]:
    """Each loan, from the clearing with a node for each (`apart`) and the worth of what stands outside."""
    n = len(found.owed) - len(loans)
    return tuple(
        LoanPaid(
            borrower=ids[loan.borrower], lender=ids[loan.lender], owed=loan.usd, paid=float(found.paid[i]),
            collateral=float(outside[i] + found.received[i]),
        )
        for i, loan in enumerate(loans, n)
    )  # fmt: skip
