"""Which sub-accounts a forecast is about, and which margin model judges each."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from margin import models
from margin.core.account import SubAccount, account_names
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.position import Collateral, Position
from margin.core.settings import Settings
from margin.core.words import by_reason, usd
from margin.ladder.isolated_accounts import shares
from margin.models.base import MarginModel, Unsupported, without_refused
from margin.models.marks import Marks

ASSUMED = 1.5  # of the portfolio margin: the money behind a book that posts none
APART = ("isolated", "netted")  # methods of ours under which a book is several accounts


def judged(
    book: Portfolio | SubAccount,
    market: Market,
    settings: Settings,
    model: str | MarginModel | None,
    marks: Marks,
    capital: float | None,
) -> tuple[list[tuple[MarginModel, SubAccount]], list[str], float | None]:
    """What is liquidated separately, each with the model that judges it; notes; the capital assumed.

    Owned spot is collateral; an account without positions is left out, nothing can call it.
    """
    if isinstance(book, SubAccount):
        if model is None:
            raise InputError("model", None, "is missing: a sub-account does not say which", "Give model=KEY.")
        own = models.get(model, market=market, settings=settings) if isinstance(model, str) else model
        held, refused = without_refused(own, book)
        notes = _notes(refused)
        if not held.positions:
            own.check(book)  # nothing is left: why
        return [(own, part) for part in parts(own, held, marks)] if held.positions else [], notes, None
    found: list[tuple[MarginModel, SubAccount]] = []
    notes = list(book.notes)
    assumed = None
    several = len(book.accounts) > 1
    for name, account in zip(account_names(book.accounts), book.accounts, strict=True):
        if not account.margined:
            continue
        account = replace(account, name=name) if several else account
        own = models.asked_or_own(account, market, settings, model)
        account = account if model is None else models.in_mode(account, own)
        if capital is not None:
            if several:
                raise InputError("capital", capital, "stands for the collateral of one account", "Leave it out.")
            account = replace(account, collateral=(Collateral("USD", capital),))
        account, refused = without_refused(own, account)
        notes += _notes(refused)
        for sub in account.sub_accounts(own, marks):
            if not sub.positions:
                continue
            held = sub
            if not held.collateral and not held.isolated and capital is None:
                money = assumed_money(held, market, settings, marks)
                assumed = (assumed or 0.0) + money
                held = replace(held, collateral=(Collateral("USD", money),))
                notes.append(f"no collateral is given: {usd(money)} is assumed, 1.5 x the portfolio margin")
            apart = parts(own, held, marks)
            if several and (held.isolated or len(apart) > 1):
                apart = [replace(part, name=f"{name}: {part.name}") for part in apart]
            found += [(own, part) for part in apart]
    if not found:  # nothing is left: why
        for account in book.accounts:
            own = models.asked_or_own(account, market, settings, model)
            own.check(account if model is None else models.in_mode(account, own))
    return found, notes, assumed


def parts(model: MarginModel, sub: SubAccount, marks: Marks) -> list[SubAccount]:
    """The pool itself; under our isolated method an account per position, under the netted one per underlying.

    The collateral is shared out in proportion to what each needs alone.
    """
    if model.key not in APART or sub.isolated or len(sub.positions) < 2:
        return [sub]
    groups: dict[str, list[Position]] = {}
    for i, p in enumerate(sub.positions):
        groups.setdefault(p.underlying if model.key == "netted" else f"{i}", []).append(p)
    if len(groups) < 2:
        return [sub]
    alone = [replace(sub, positions=tuple(held), collateral=()) for held in groups.values()]
    part = shares(np.array([model.state(one, marks).initial for one in alone]))
    out = []
    for one, share in zip(alone, part, strict=True):
        posted = tuple(Collateral(c.asset, c.quantity * float(share)) for c in sub.collateral)
        name = one.positions[0].symbol if model.key == "isolated" else one.positions[0].underlying
        out.append(replace(one, collateral=posted, name=name))
    return out


def _notes(left_out: Iterable[Unsupported]) -> list[str]:
    return [f"without {said}" for said in by_reason((x.symbol, x.reason) for x in left_out)]


def assumed_money(sub: SubAccount, market: Market, settings: Settings, marks: Marks) -> float:
    """USD that are taken to stand behind a sub-account that posts none: 1.5 x its portfolio margin."""
    return ASSUMED * models.get("portfolio", market=market, settings=settings).state(sub, marks).initial
