"""Recorded funding for Backtest, Stress, Liquidation and Hedge, asked of exchanges that publish its history."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from data.exchange.funding import recorded_funding
from margin.core.portfolio import Portfolio
from margin.models.funding import Funding
from margin.stress.held import StressBook
from margin.stress.paths import PricePath, dates_of
from ui.blocks.text import plain
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


def of_path(held: StressBook, path: PricePath) -> Funding:
    """What was recorded on the path's days; an asset without a record pays nothing, and why is said on the page."""
    assets = {p.underlying for h in held.held for p in h.sub.positions if p.instrument.kind == "perpetual"}
    dates = dates_of(path)
    found, why = along(tuple(sorted(assets)), dates[0], (dates[-1] - dates[0]).days)
    for line in why:
        st.caption(plain(line))
    return Funding(found)


def _words(answer: tuple[dict[str, pd.Series], dict[str, str]], instead: str) -> Records:
    found, why = answer
    return found, tuple(f"No recorded funding of {asset}, {instead}: {said}" for asset, said in why.items())


def _ask(assets: tuple[str, ...], until: datetime, progress: Callable[[float], None]) -> Records:
    since = until - timedelta(days=365 * YEARS)
    return _words(recorded_funding(assets, since, until, progress=progress), "the rate above is used")
