"""From the whole book back to single accounts: one as a portfolio for other pages, many as a market of two coins."""

from dataclasses import dataclass

import numpy as np

from margin.audit.chunk import Accounts
from margin.audit.parts import Source, read_part
from margin.audit.plan import Plan
from margin.audit.tables import build
from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import Account, Collateral, Portfolio, Position


def position_of(plan: Plan, held: Accounts, label: str) -> int:
    """Row of the account of that name. Raises InputError for one that is not there."""
    found = np.flatnonzero(np.asarray(held.labels).astype(str) == label)
    if not len(found):
        hint = did_you_mean(label, [str(name) for name in held.labels[:1000]])
        raise InputError("account", label, "is not in this book", hint)
    return int(found[0])


def one_account(held: Accounts, i: int) -> Accounts:
    """The account alone."""
    inside = slice(held.indptr[i], held.indptr[i + 1])
    return Accounts(
        labels=held.labels[i : i + 1],
        indptr=np.array([0, inside.stop - inside.start]),
        legs=held.legs[inside],
        usd=held.usd[inside],
        equity=held.equity[i : i + 1],
    )


def find_account(plan: Plan, source: Source, label: str) -> Accounts:
    """The account of that name in a book on disk, part by part. Raises InputError for one that is not there."""
    for part in source.parts:
        positions, money = read_part(part, source.adapter)
        held = build(plan, positions, money, source.adapter).accounts
        found = np.flatnonzero(np.asarray(held.labels).astype(str) == label)
        if len(found):
            return one_account(held, int(found[0]))
    raise InputError("account", label, "is not in this book")


def portfolio_of(plan: Plan, held: Accounts, i: int) -> Portfolio:
    """The account as a portfolio: perpetuals at the audit's prices, its equity in dollars.

    `compare` on it with the audit's settings gives the audit's figures. An account below zero owes its equity.
    """
    alone = one_account(held, i)
    positions = tuple(
        Position(f"{plan.assets[leg]}/USDT:USDT", usd / plan.prices[leg])
        for leg, usd in zip(alone.legs.tolist(), alone.usd.tolist(), strict=True)
    )
    name = f"Account {alone.labels[0]}"[:60]
    cash = (Collateral("USD", float(alone.equity[0])),) if alone.equity[0] else ()
    return Portfolio(accounts=(Account(name=name, positions=positions, collateral=cash),), name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoCoins:
    """Accounts that hold either of two coins. usd (n, 2) signed; equity (n,) their share of it by gross in the two.

    assets : the two; volatilities a day and correlation, of the audit's scenarios; left_out: accounts without either
    """

    assets: tuple[str, str]
    usd: np.ndarray
    equity: np.ndarray
    volatilities: tuple[float, float]
    correlation: float
    left_out: int


def two_coins(plan: Plan, held: Accounts, most: int = 100_000) -> TwoCoins:
    """The two coins of most open interest, and the accounts that hold them, for a market of two coins.

    Accounts below zero or without either coin are left out and counted; beyond `most` every n-th account is taken.
    Raises InputError where fewer than two coins or ten accounts are held.
    """
    interest = np.bincount(held.legs, np.abs(held.usd), len(plan.assets))
    order = np.argsort(-interest, kind="stable")[:2]
    if len(order) < 2 or not interest[order[1]] > 0:
        raise InputError("book", "fewer than two coins", "are held, and a market of accounts has two")
    n = len(held)
    owner = np.repeat(np.arange(n), np.diff(held.indptr))
    usd = np.column_stack([np.bincount(owner, np.where(held.legs == a, held.usd, 0.0), n) for a in order])
    gross = np.bincount(owner, np.abs(held.usd), n)
    share = np.divide(np.abs(usd).sum(axis=1), gross, out=np.zeros(n), where=gross > 0)
    equity = held.equity * share
    use = np.flatnonzero((share > 0) & (equity > 0))
    if len(use) < 10:
        raise InputError("book", len(use), "accounts hold either of its two largest coins: too few")
    left_out = n - len(use)
    use = use[:: -(-len(use) // most)]
    moves = plan.losses[order]
    vols = moves.std(axis=1)
    return TwoCoins(
        assets=(plan.assets[order[0]], plan.assets[order[1]]),
        usd=usd[use],
        equity=equity[use],
        volatilities=(float(vols[0]), float(vols[1])),
        correlation=float(np.clip(np.corrcoef(moves)[0, 1], -1.0, 1.0)),
        left_out=left_out,
    )
