"""What a reader of the figures should know: thin tails, old prices, assumptions that were made. One sentence each."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from margin.core.checks import parse_date
from margin.core.market import MAX_STALE_DAYS, Market
from margin.core.settings import Settings
from margin.ladder.basis import price_of
from margin.risk.estimators import closed_forms, estimator
from margin.risk.exposures import Book

FEW = 5  # tail scenarios below which single days decide


def book_notes(market: Market, book: Book, settings: Settings, count: int) -> Iterator[str]:
    """Notes on the valuation of `book` with `count` scenarios. Prices after as-of change none of them."""
    yield from _scenario_notes(settings, count)
    yield from _date_notes(market, book, settings)
    yield from market.findings_of(book.assets, book.as_of)
    if not estimator(settings.estimator).closed_form and (settings.correlation != "sample" or settings.what_if):
        yield (
            f"The {settings.correlation} correlation is used by the {' and '.join(closed_forms())} estimators only; "
            f"{settings.estimator} scenarios carry their own."
        )
    yield from _assumption_notes(book, settings)


def var_note(isolated: float, netted: float, portfolio: float) -> Iterator[str]:
    """VaR may ask more for the pool than for its parts; the reader is told when it does."""
    if netted > isolated * (1 + 1e-9) or portfolio > netted * (1 + 1e-9):
        yield "VaR asks more for the pool than for its parts here: it is not sub-additive. ES never does."


def _scenario_notes(settings: Settings, count: int) -> Iterator[str]:
    if count < settings.lookback and settings.estimator != "stressed":
        yield f"Only {count} returns of common history, fewer than the {settings.lookback} asked for."
    tail = count * (1 - settings.level)
    if estimator(settings.estimator).closed_form or tail >= FEW - 1e-9:
        return
    if tail < 1:
        yield f"With {count} scenarios the {settings.level:.1%} tail is less than one of them: the worst decides."
    else:
        yield f"The tail is the worst {tail:.1f} of {count} scenarios: single days decide."


def _date_notes(market: Market, book: Book, settings: Settings) -> Iterator[str]:
    last = pd.Timestamp(market.dates[-1])
    asked = parse_date(settings.as_of) if settings.as_of else last
    behind = (asked - book.as_of).days
    if behind <= MAX_STALE_DAYS:
        return
    upto = int(np.searchsorted(market.dates, asked.to_datetime64(), side="right"))
    closes = market.closes[:upto, market.columns(book.assets)]
    latest = [market.dates[np.flatnonzero(~np.isnan(column))[-1]] for column in closes.T]
    first = int(np.argmin(latest))
    over = pd.Timestamp(latest[first]) <= book.as_of
    why = f"{book.assets[first]} has no later close" if over else "no later date has them all"
    yield f"Valued at {book.as_of.date()}, {behind} days before {asked.date()}: {why}."


def _assumption_notes(book: Book, settings: Settings) -> Iterator[str]:
    shared: dict[tuple[str, int | None], set[str]] = {}
    for e in book.exposures:
        if not e.instrument.is_option:
            shared.setdefault((e.instrument.base, e.column), set()).add(price_of(e.instrument))
    based = [base for (base, _), prices in shared.items() if len(prices) > 1]
    if based:
        kept = "the basis line is kept for that" if settings.safeguards.basis else "basis risk is not in the figures"
        yield f"Instruments of {', '.join(dict.fromkeys(based))} share one price here: {kept}."
    given = dict(settings.implied_vol)
    assumed = {
        e.instrument.base: e.implied_vol
        for e in book.exposures
        if e.implied_vol is not None and e.position.implied_vol is None and e.instrument.base not in given
    }
    if assumed:
        shown = ", ".join(f"{base} {vol:.0%}" for base, vol in assumed.items())
        yield f"No implied volatility given: options are valued at the recent volatility of returns ({shown})."
