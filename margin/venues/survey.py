"""One book under every venue's rules, in every mode: what each asks, how far liquidation is, and who refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin import venues
from margin.core.account import SubAccount
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio, Position
from margin.core.words import by_reason
from margin.models.marks import Marks
from margin.venues import accounts, liquidation, wallets
from margin.venues.base import Mode, Rulebook, Unsupported, VenueMargin
from margin.venues.families.perpetuals import FIRST_LEVERAGE
from margin.venues.liquidation import Edges

RETURN_DAYS = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """One venue in one mode.

    edges : liquidation prices, by position when isolated, else by asset; nearest : (what, move as a fraction)
    return_on_margin : the last 30 days' gain of the book as it stands now, over the initial margin; None where a price
    of then is missing or nothing is asked
    left_out : positions that are not reproduced here, without which the rest was margined
    """

    rulebook: Rulebook
    margin: VenueMargin
    edges: dict[str, Edges]
    nearest: tuple[str, float] | None
    return_on_margin: float | None
    left_out: tuple[Unsupported, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A venue that cannot hold the book in any mode, or in one, and why, position by position."""

    rulebook: Rulebook
    mode: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Survey:
    """Asked: least initial margin first."""

    asked: tuple[Asked, ...]
    refused: tuple[Refused, ...]


def survey(
    portfolio: Portfolio | SubAccount,
    marks: Marks,
    settings: Mapping[str, Mapping[str, float]] | None = None,
    rulebooks: Sequence[Rulebook] | None = None,
    gain: float | None = None,
) -> Survey:
    """The book under each rulebook (all of them by default) in each of its modes.

    Every venue opens it at the same leverage: the position's own, else 10 times or the venue's highest if that is
    lower. settings : a venue's sliders by its name; gain : USD, for the return on margin
    """
    book = fair(accounts.as_sub(portfolio))
    found: list[Asked] = []
    refused: list[Refused] = []
    for rulebook in rulebooks if rulebooks is not None else [venues.rulebook(name) for name in venues.names()]:
        chosen = (settings or {}).get(rulebook.name)
        reasons: dict[str, tuple[str, ...]] = {}
        for mode in rulebook.modes:
            answer = _asked(rulebook, mode, book, marks, chosen, gain)
            if isinstance(answer, Asked):
                found.append(answer)
            else:
                reasons[mode] = answer
        if len(reasons) == len(rulebook.modes) and len(set(reasons.values())) == 1:
            refused.append(Refused(rulebook, None, next(iter(reasons.values()))))
        else:
            refused += [Refused(rulebook, mode, why) for mode, why in reasons.items()]
    return Survey(tuple(sorted(found, key=lambda a: a.margin.initial)), tuple(refused))


def fair(book: SubAccount) -> SubAccount:
    """The book with the same leverage for every position that names none."""
    return replace(
        book,
        positions=tuple(
            replace(p, leverage=FIRST_LEVERAGE)
            if p.leverage is None and p.instrument.kind in ("perpetual", "future")
            else p
            for p in book.positions
        ),
    )


def _asked(
    rulebook: Rulebook,
    mode: Mode,
    book: SubAccount,
    marks: Marks,
    chosen: Mapping[str, float] | None,
    gain: float | None,
) -> "Asked | tuple[str, ...]":
    """What the venue asks in this mode, or why it can't hold the book."""
    unsupported = wallets.refusals(rulebook, accounts.priced(book, marks), mode)
    out = {u.symbol for u in unsupported}
    rest = replace(book, positions=tuple(p for p in book.positions if p.symbol not in out))
    if unsupported and not (all(u.alone for u in unsupported) and accounts.margined(rest)):
        return by_reason((u.symbol, u.reason) for u in unsupported)
    try:
        margin = wallets.requirement(rulebook, rest, marks, mode, chosen)
        edges = liquidation.prices(rulebook, rest, marks, mode, chosen)
    except InputError as error:
        return (str(error),)
    if not rest.positions and rest.collateral and margin.collateral_value <= 0 < margin.account_value:
        return tuple(f"{c.asset}: it does not count as collateral here" for c in rest.collateral)
    owes = any(p.quantity < 0 for p in rest.positions) and not accounts.margined(rest)
    if owes and rulebook.purpose != "lending" and margin.initial <= 0 and margin.maintenance <= 0:
        names = dict.fromkeys(p.symbol for p in rest.positions if p.quantity < 0)
        return by_reason((name, "a debt alone is margined by lenders; here it only lowers equity") for name in names)
    if unsupported:
        said = tuple(f"Without {why}." for why in by_reason((u.symbol, u.reason) for u in unsupported))
        margin = replace(margin, notes=(*said, *margin.notes))
    whole = gain is not None and not unsupported  # a gain of all of the book is none of a part of it
    earned = gain / margin.initial if gain is not None and whole and margin.initial > 0 else None
    return Asked(
        rulebook=rulebook, margin=margin, edges=edges, nearest=liquidation.nearest(edges, marks),
        return_on_margin=earned, left_out=unsupported,
    )  # fmt: skip


def recent_gain(portfolio: Portfolio, market: Market, marks: Marks, days: int = RETURN_DAYS) -> float | None:
    """USD the positions, as they stand, gained over the days before; None where a price of then is missing."""
    then = marks.as_of - pd.Timedelta(days=days)
    if then < pd.Timestamp(market.dates[0]):
        return None
    try:
        before = Marks.of_market(market, portfolio, then)
    except InputError:
        return None
    return sum(_gained(p, before.mark(p.instrument), marks.mark(p.instrument)) for p in portfolio.positions)


def _gained(position: Position, before: float, now: float) -> float:
    """USD between two prices; of a coin-settled contract N (now - before) / entry, without an entry from `before`."""
    if not position.instrument.is_inverse:
        return position.quantity * (now - before)
    return position.quantity * (now - before) / (position.entry_price or before)


def betas(
    market: Market, assets: Sequence[str], reference: str, as_of: pd.Timestamp, lookback: int = 365
) -> dict[str, float]:
    """Each asset's daily move per move of the reference, by least squares over common days; the reference's own is 1.

    Raises InputError for too little common history.
    """
    out = {}
    for asset in assets:
        if asset == reference or accounts.is_dollar(asset):
            out[asset] = 1.0 if asset == reference else 0.0
            continue
        values = market.returns([asset, reference], as_of, lookback=lookback).values
        spread = np.var(values[:, 1])
        out[asset] = float(np.cov(values.T, bias=True)[0, 1] / spread) if spread > 0 else 0.0
    return out
