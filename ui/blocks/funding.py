"""Recorded funding for the Backtest and the Hedge page, asked of exchanges that publish its history."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pandas as pd

from data.errors import FetchError
from data.exchange.funding import fetch_funding_history
from data.exchange.registry import FUNDING
from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from ui.state import longwork
from ui.state.prices import ActivePrices

YEARS = 2

Daily = tuple[tuple[str, tuple[float, ...]], ...]  # by asset, a rate for each of the market's days
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


def a_day(payments: Mapping[str, pd.Series], market: Market, rate: float) -> Daily:
    """What a long pays on each of the market's days, as a fraction, by asset: the day's payments added.

    rate : on days without a record
    """
    days = pd.DatetimeIndex(market.dates).normalize()
    out = []
    for asset, series in sorted(payments.items()):
        daily = series.groupby(pd.DatetimeIndex(series.index).normalize()).sum()
        out.append((asset, tuple(daily.reindex(days).fillna(rate).tolist())))
    return tuple(out)


def _ask(assets: tuple[str, ...], until: datetime, progress: Callable[[float], None]) -> Records:
    found: dict[str, pd.Series] = {}
    why: list[str] = []
    for done, asset in enumerate(assets):
        said = ""
        for source in FUNDING:
            try:
                found[asset] = fetch_funding_history(source, asset, until - timedelta(days=365 * YEARS), until)
                break
            except (FetchError, InputError) as error:
                said = said or str(error)
        else:
            why.append(f"No recorded funding of {asset}, the rate above is used: {said}")
        progress((done + 1) / len(assets))
    return found, tuple(why)
