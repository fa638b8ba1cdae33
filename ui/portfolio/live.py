"""The live line: last prices and the margin at them, renewed every few seconds beside the tables, never through them.

It is a fragment of its own: its reruns touch neither the book nor the page. Asking the exchanges happens in the price
service's thread, which waits longer after every failure; the line only shows what is known.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from data.exchange.registry import facts_of
from data.exchange.tickers import LastPrice, held_as_contracts
from data.model import PriceSet
from data.universe import is_offline
from margin.core.errors import InputError
from margin.ladder.as_held import as_held
from margin.ladder.compare import Comparison
from ui.blocks.formats import change, percent, price
from ui.blocks.text import dollars, plain
from ui.portfolio.live_marks import by_venue, pool_prices, prices_at
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
    last = prices.service().last_prices(now.portfolio.assets, held_as_contracts(now.portfolio))
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


def line(now: Answer, comparison: Comparison, active: ActivePrices, last: Mapping[str, LastPrice]) -> str:
    """'Live: BTC $61,234 ▲ 0.4% · ... · margin $5,261 → $5,301, saved 71% · mark of OKX, 12:03:05 UTC'."""
    closes = {p.underlying: p for p in comparison.positions}
    seen = by_venue(now.portfolio, last)
    parts = []
    for asset, prices_of in list(seen.items())[:SHOWN]:
        close = active.market.price(asset) if asset in closes else None
        shown = []
        for one in prices_of:
            moved = "" if not close else f" {_arrow(one.price / close - 1)}"
            whose = f" at {facts_of(one.exchange).name}" if len(prices_of) > 1 else ""
            shown.append(f"**{price(one.price)}**{moved}{whose}")
        parts.append(f"{plain(asset)} {', '.join(shown)}")
    at_live = at_last_prices(now, comparison, active, last)
    margin = ""
    if at_live is not None:
        margin = f" · margin {change(comparison.portfolio, at_live.portfolio)}, saved {percent(at_live.saved_pct)}"
        before, after = comparison.as_held, at_live.as_held
        if before and after and len(after.accounts) > 1 and before.initial is not None and after.initial is not None:
            margin = (
                f" · as held {change(before.initial, after.initial)}, one pool {change(before.pooled, after.pooled)}"
            )
    newest = max(one.at for prices_of in seen.values() for one in prices_of)
    return f"Live: {' · '.join(parts)}{margin} · {sources(seen)}, {newest:%H:%M:%S} UTC"


def sources(seen: Mapping[str, tuple[LastPrice, ...]]) -> str:
    """What each price is, and whose: 'BTC, ETH: mark of OKX; SOL: last trade of Kraken'; all alike: 'mark of OKX'."""
    groups: dict[str, list[str]] = {}
    for asset, prices_of in seen.items():
        kinds: dict[str, list[str]] = {}
        for one in prices_of:
            kinds.setdefault(one.kind, []).append(facts_of(one.exchange).name)
        groups.setdefault(", ".join(f"{kind} of {' and '.join(names)}" for kind, names in kinds.items()), []).append(
            asset
        )
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
    """The comparison with the last prices as one more, unfinished close; None when an asset of the book has none.

    Each account stands at its own venue's marks; in one pool a coin has one price (`pool_prices`).
    """
    if any(asset not in last for asset in now.portfolio.assets):
        return None
    day = max(one.at for one in last.values()).astimezone(UTC).replace(tzinfo=None)
    day = datetime(day.year, day.month, day.day)
    try:
        pooled = pool_prices(now.portfolio, last)
        found: Comparison = compute.compared(now.portfolio, comparison.settings, with_last(active, pooled, day))
        own_prices = [prices_at(account, last) for account in now.portfolio.accounts]
        if found.as_held is None or all(its == pooled for its in own_prices):
            return found
        own = [with_last(active, its, day).market for its in own_prices]
        return replace(found, as_held=as_held(now.portfolio, own, comparison.settings, found.as_held.pooled))
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
