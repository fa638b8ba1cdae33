"""Recorded funding for the Backtest, Stress and Hedge pages, asked of exchanges that publish its history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd

from data.exchange.funding import recorded_funding
from margin.core.portfolio import Portfolio
from ui.state import longwork
from ui.state.prices import ActivePrices

YEARS = 2

Records = tuple[dict[str, pd.Series], tuple[str, ...]]


def recorded(portfolio: Portfolio, active: ActivePrices, others: tuple[str, ...] = ()) -> Records:
    """(payments by asset of the book's perpetuals, why the others have none); the newest two years of the prices.

    others : assets to ask for besides, hedges for one
    """
    held = {p.underlying for p in portfolio.positions if p.instrument.kind == "perpetual"}
    assets = tuple(sorted({*held, *others}))
    last = pd.Timestamp(active.market.dates[-1]) + pd.Timedelta(days=1)
    until = last.to_pydatetime().replace(tzinfo=UTC)
    return longwork.done(
        ("funding", assets, str(until)),
        "Asking for recorded funding",
        lambda progress: _ask(assets, until, progress),
    )


def along(assets: tuple[str, ...], first: pd.Timestamp, days: int) -> Records:
    """(payments by asset over `days` days from `first`, why the others have none): a stretch of the past alone."""
    since = first.to_pydatetime().replace(tzinfo=UTC)
    until = since + timedelta(days=days + 1)
    return longwork.done(
        ("funding along", assets, str(since), days),
        "Asking for recorded funding",
        lambda progress: _words(recorded_funding(assets, since, until, progress=progress), "nothing is paid there"),
    )


def _words(answer: tuple[dict[str, pd.Series], dict[str, str]], instead: str) -> Records:
    found, why = answer
    return found, tuple(f"No recorded funding of {asset}, {instead}: {said}" for asset, said in why.items())


def _ask(assets: tuple[str, ...], until: datetime, progress: Callable[[float], None]) -> Records:
    since = until - timedelta(days=365 * YEARS)
    return _words(recorded_funding(assets, since, until, progress=progress), "the rate above is used")
