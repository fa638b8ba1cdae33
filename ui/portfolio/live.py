"""The live line: last prices and the margin at them, renewed every few seconds beside the tables, never through them.

It is a fragment of its own: its reruns touch neither the book nor the page. Asking the exchanges happens in the price
service's thread, which waits longer after every failure; the line only shows what is known.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from data.exchange.registry import facts_of
from data.exchange.tickers import LastPrice
from data.model import PriceSet
from data.universe import is_offline
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.ladder.compare import Comparison
from ui.blocks.formats import change, percent, price
from ui.blocks.text import dollars, plain
from ui.state import book, compute, prices
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.session import default_book, opened_by_link, tell

EVERY = 5  # seconds
SHOWN = 4  # assets named in the line
_WANTED = "fetch_wanted"


def live_line() -> None:
    """Mount the fragment; nothing at all when the network may not be used."""
    if not is_offline():
        _fragment()


@st.fragment(run_every=EVERY)
def _fragment() -> None:
    if _newer_prices():
        st.rerun(scope="app")
    active = prices.active()
    now = compute.answer(book.current(), active)
    if active.origin == "sample" and prices.usable(now.portfolio.assets) and now.portfolio.assets:
        st.button(
            "Exchange prices have arrived: use them",
            icon=":material/sensors:",
            key="use_fetched",
            on_click=prices.choose,
            args=("fetched",),
        )
        return
    if active.origin != "fetched" or now.comparison is None or book.current().settings.as_of is not None:
        return
    last = prices.service().last_prices(now.portfolio.assets, contracts(now.portfolio))
    if last:
        st.caption(dollars(line(now, now.comparison, active, last)))
    elif prices.service().live.reachable is False:
        st.caption("No exchange answers for live prices just now; figures are at the last close.")


def _newer_prices() -> bool:
    """Take fetched prices by itself where that disturbs nobody: an untouched book, or a row waiting for them."""
    wanted = st.session_state.get(_WANTED, [])
    service = prices.service()
    if wanted and service.state != "running":
        st.session_state.pop(_WANTED)
        there = prices.fetched()
        for asset in wanted:
            if there is None or asset not in there.market:
                reason = service.failures.get(asset) or service.message or "no source has it"
                tell(f"{asset} could not be fetched: {reason}")
        if prices.usable(asset for asset in book.current().portfolio.assets if asset not in service.failures):
            prices.choose("fetched")
        return True
    untouched = not book.history().past and not prices.chosen() and prices.active().origin == "sample"
    if untouched and prices.usable((*prices.ESSENTIAL, *book.current().portfolio.assets)):
        prices.take_fetched()
        if not opened_by_link():
            book.start(default_book(prices.active()))  # sized and dated by the new prices
        return True
    return False


def contracts(portfolio: Portfolio) -> dict[str, list[str]]:
    """What is held as a contract, and the venues it is held at: there its mark price counts, not the last trade."""
    held: dict[str, list[str]] = {}
    for account in portfolio.accounts:
        for p in account.positions:
            if not p.owned and p.instrument.kind != "loan":
                venues = held.setdefault(p.underlying, [])
                venues += [account.venue] if account.venue and account.venue not in venues else []
    return held


def line(now: Answer, comparison: Comparison, active: ActivePrices, last: Mapping[str, LastPrice]) -> str:
    """'Live: BTC $61,234 ▲ 0.4% · ... · margin $5,261 → $5,301, saved 71% · mark of OKX, 12:03:05 UTC'."""
    closes = {p.underlying: p for p in comparison.positions}
    parts = []
    for asset, seen in list(last.items())[:SHOWN]:
        close = active.market.price(asset) if asset in closes else None
        moved = "" if not close else f" {_arrow(seen.price / close - 1)}"
        parts.append(f"{plain(asset)} **{price(seen.price)}**{moved}")
    at_live = at_last_prices(now, comparison, active, last)
    margin = ""
    if at_live is not None:
        margin = f" · margin {change(comparison.portfolio, at_live.portfolio)}, saved {percent(at_live.saved_pct)}"
    newest = max(seen.at for seen in last.values())
    return f"Live: {' · '.join(parts)}{margin} · {sources(last)}, {newest:%H:%M:%S} UTC"


def sources(last: Mapping[str, LastPrice]) -> str:
    """What each price is, and whose: 'BTC, ETH: mark of OKX; SOL: last trade of Kraken'; all alike: 'mark of OKX'."""
    groups: dict[str, list[str]] = {}
    for asset, seen in last.items():
        groups.setdefault(f"{seen.kind} of {facts_of(seen.exchange).name}", []).append(asset)
    if len(groups) == 1:
        return next(iter(groups))
    listed = []
    for what, assets in groups.items():
        more = f" and {len(assets) - SHOWN} more" if len(assets) > SHOWN else ""
        listed.append(f"{', '.join(plain(a) for a in assets[:SHOWN])}{more}: {what}")
    return "; ".join(listed)


def _arrow(move: float) -> str:
    sign = "▲" if move > 0 else "▼" if move < 0 else "="
    return f"{sign} {abs(100 * move):.2f}%"


def at_last_prices(
    now: Answer, comparison: Comparison, active: ActivePrices, last: Mapping[str, LastPrice]
) -> Comparison | None:
    """The comparison with the last prices as one more, unfinished close; None when an asset of the book has none."""
    if any(asset not in last for asset in now.portfolio.assets):
        return None
    rounded = tuple(sorted((asset, price.price) for asset, price in last.items()))
    day = max(price.at for price in last.values()).astimezone(UTC).replace(tzinfo=None)
    try:
        market = with_last(active, rounded, datetime(day.year, day.month, day.day))
        found: Comparison = compute.compared(now.portfolio, comparison.settings, market)
        return found
    except InputError:
        return None


@partial(compute.remembered, size=8)
def with_last(active: ActivePrices, last: tuple[tuple[str, float], ...], day: datetime) -> ActivePrices:
    """The active prices with one more row: the last price of each asset given, no close for the others."""
    closes, volumes = active.priceset.closes, active.priceset.volumes
    stamp = pd.Timestamp(max(day, closes.index[-1] + timedelta(days=1)))
    known = dict(last)
    row = pd.DataFrame([[known.get(asset, np.nan) for asset in closes.columns]], [stamp], closes.columns)
    blank = pd.DataFrame(np.nan, [stamp], volumes.columns)
    priceset = PriceSet(
        closes=pd.concat([closes, row]),
        volumes=pd.concat([volumes, blank]),
        provenance=active.priceset.provenance,
        version=f"{active.priceset.version}+{stamp:%Y%m%d}:{hash(last)}",
    )
    return prices.activate(priceset, active.origin)
