"""What the accounts ask as they are held: each by its own venue's rules, summed, beside one pooled account.

    as held = sum over accounts of the initial margin of its sub-accounts (no venue: our portfolio method)
    pooled  = the safeguarded method on all positions and collateral
    saved   = as held - pooled; below zero where the accounts as held ask less

An account whose rules do not cover it is named with the reason; then the sum is not computed, never a part of it.
A position that an account's rules can do without is left out and named, as in every study; then nothing is said to be
saved, for the pooled account holds that position too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from margin import models
from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.core.words import by_reason
from margin.models.base import without_refused
from margin.models.marks import Marks


@dataclass(frozen=True, kw_only=True)
class AccountHeld:
    """One account under its own model, USD, its sub-accounts summed; None where `error` says why not.

    health : the lowest of its sub-accounts' equity / maintenance; that one is liquidated first
    left_out : symbols of positions that its rules do not reproduce; why_left_out: a sentence for each reason
    """

    name: str
    venue: str
    mode: str | None
    model: str | None = None
    sub_accounts: int | None = None
    equity: float | None = None
    initial: float | None = None
    maintenance: float | None = None
    free: float | None = None
    health: float | None = None
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    why_left_out: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class AsHeld:
    """USD. initial, saved : None where an account was not computed (its `error` says why); saved too where a position
    was left out.
    """

    initial: float | None
    pooled: float
    accounts: tuple[AccountHeld, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Symbols of positions that no account's rules reproduce here."""
        return tuple(symbol for row in self.accounts for symbol in row.left_out)

    @property
    def saved(self) -> float | None:
        """USD that one pooled account needs less than the accounts as held; None where the two hold unlike books."""
        return None if self.initial is None or self.left_out else self.initial - self.pooled


def as_held(portfolio: Portfolio, market: Market | Sequence[Market], settings: Settings, pooled: float) -> AsHeld:
    """Every account at the closes of as-of.

    market : one for all of them, or each account's own, in their order
    pooled : USD the one pooled account asks (the safeguarded method)
    """
    markets = [market] * len(portfolio.accounts) if isinstance(market, Market) else market
    rows = tuple(_account(a, its, settings) for a, its in zip(portfolio.accounts, markets, strict=True))
    asked = [row.initial for row in rows]
    total = None if any(initial is None for initial in asked) else sum(i for i in asked if i is not None)
    return AsHeld(initial=total, pooled=pooled, accounts=rows)


def _account(account: Account, market: Market, settings: Settings) -> AccountHeld:
    named: dict[str, Any] = {"name": account.name, "venue": account.venue, "mode": account.mode}
    try:
        model = models.for_account(account, market=market, settings=settings)
        named["model"] = model.key
        whole, refused = account, model.refuses(account)
        if refused and all(line.alone for line in refused):
            account, refused = without_refused(model, account)
        if refused and (not account.margined or not all(line.alone for line in refused)):
            return AccountHeld(**named, error="; ".join(by_reason((r.symbol, r.reason) for r in refused)))
        out = {line.symbol for line in refused}
        named["left_out"] = tuple(p.symbol for p in whole.margined if p.symbol in out)
        named["why_left_out"] = tuple(f"Without {why}." for why in by_reason((r.symbol, r.reason) for r in refused))
        marks = Marks.of_market(market, Portfolio(accounts=(account,)), settings.as_of)
        states = [model.state(sub, marks) for sub in account.sub_accounts(model, marks)]
    except InputError as error:
        return AccountHeld(**named, error=str(error))
    known = [state.health for state in states if state.health is not None]
    return AccountHeld(
        **named,
        sub_accounts=len(states),
        equity=sum(state.equity for state in states),
        initial=sum(state.initial for state in states),
        maintenance=sum(state.maintenance for state in states),
        free=sum(state.free for state in states),
        health=min(known) if known else None,
        notes=tuple(dict.fromkeys(note for state in states for note in state.notes)),
    )
