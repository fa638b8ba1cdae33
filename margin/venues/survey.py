"""One book under every venue's rules, in every mode: what each asks, how far liquidation is, and who refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin import venues
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.models.marks import Marks
from margin.venues import accounts, liquidation
from margin.venues.base import Rulebook, VenueMargin
from margin.venues.liquidation import Edges

RETURN_DAYS = 30


@dataclass(frozen=True, eq=False)
class Asked:
    """One venue in one mode.

    edges : liquidation prices, by position when isolated, else by asset; nearest : (what, move as a fraction)
    return_on_margin : the last 30 days' gain of the book as it stands now, over the initial margin; None where a price
    of then is missing or nothing is asked
    """

    rulebook: Rulebook
    margin: VenueMargin
    edges: dict[str, Edges]
    nearest: tuple[str, float] | None
    return_on_margin: float | None


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
    portfolio: Portfolio,
    marks: Marks,
    settings: Mapping[str, Mapping[str, float]] | None = None,
    rulebooks: Sequence[Rulebook] | None = None,
    gain: float | None = None,
) -> Survey:
    """The book under each rulebook (all of them by default) in each of its modes.

    settings : a venue's sliders by its name; gain : USD, for the return on margin
    """
    found: list[Asked] = []
    refused: list[Refused] = []
    for rulebook in rulebooks if rulebooks is not None else [venues.rulebook(name) for name in venues.names()]:
        chosen = (settings or {}).get(rulebook.name)
        reasons: dict[str, tuple[str, ...]] = {}
        for mode in rulebook.modes:
            unsupported = rulebook.supports(portfolio, mode)
            if unsupported:
                reasons[mode] = tuple(f"{u.symbol}: {u.reason}" for u in unsupported)
                continue
            try:
                margin = rulebook.requirement(portfolio, marks, mode, chosen)
                edges = liquidation.prices(rulebook, portfolio, marks, mode, chosen)
            except InputError as error:
                reasons[mode] = (str(error),)
                continue
            earned = gain / margin.initial if gain is not None and margin.initial > 0 else None
            found.append(Asked(rulebook, margin, edges, liquidation.nearest(edges, marks), earned))
        if len(reasons) == len(rulebook.modes) and len(set(reasons.values())) == 1:
            refused.append(Refused(rulebook, None, next(iter(reasons.values()))))
        else:
            refused += [Refused(rulebook, mode, why) for mode, why in reasons.items()]
    return Survey(tuple(sorted(found, key=lambda a: a.margin.initial)), tuple(refused))


def recent_gain(portfolio: Portfolio, market: Market, marks: Marks, days: int = RETURN_DAYS) -> float | None:
    """USD the positions, as they stand, gained over the days before; None where a price of then is missing."""
    then = marks.as_of - pd.Timedelta(days=days)
    if then < pd.Timestamp(market.dates[0]):
        return None
    try:
        before = Marks.of_market(market, portfolio, then)
    except InputError:
        return None
    return sum(p.quantity * (marks.mark(p.instrument) - before.mark(p.instrument)) for p in portfolio.positions)


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
