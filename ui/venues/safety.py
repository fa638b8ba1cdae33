"""The Venues page's ranking: the money each venue and mode needs for the same odds of a liquidation."""

from collections.abc import Mapping

import streamlit as st

from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.forecast.capital import DAYS, Capital, same_safety
from margin.forecast.results import ODDS
from margin.venues.margin_models import VenueModel
from margin.venues.survey import Asked, Survey
from ui.blocks.exporting import chart
from ui.blocks.formats import money
from ui.blocks.text import dollars, plain
from ui.charts import forecast as charts_forecast

COLUMN = f"For {ODDS:.0%} odds in {DAYS:g} days"
Needed = Mapping[tuple[str, str], Capital]


def capital(
    found: Survey,
    chosen: Mapping[str, Mapping[str, float]],
    portfolio: Portfolio,
    market: Market,
    settings: Settings,
) -> Needed:
    """{(venue, mode): capital} under the rulebooks and sliders the page uses; empty for books with options (slow)."""
    if any(p.instrument.is_option for p in portfolio.positions) or not found.asked:
        return {}
    rules = [VenueModel(a.rulebook, a.margin.mode, chosen.get(a.rulebook.name)) for a in found.asked]
    sources = tuple(f"{a.rulebook.name}:{a.margin.mode}:{a.rulebook.as_of}:{a.margin.initial}" for a in found.asked)
    key = ("venues, same safety", portfolio, settings, str(chosen), sources)
    rows = market.remember(key, lambda: same_safety(portfolio, market, settings, rules=rules))
    return {(a.rulebook.name, a.margin.mode): row for a, row in zip(found.asked, rows, strict=True)}


def of(needed: Needed, asked: Asked) -> float | None:
    """USD of one venue and mode; None where it is not computed, or only for a part of the book."""
    row = needed.get((asked.rulebook.name, asked.margin.mode))
    return None if row is None or row.left_out else row.usd


def answer(asked: list[Asked], needed: Needed) -> None:
    """'Binance USD-M (cross) needs least for the same safety: $5,053 ...' and every venue's best mode beside it."""
    known = [(a, usd) for a in asked if (usd := of(needed, a)) is not None]
    if not known:
        why = next((row.error for row in needed.values() if row.error), "")
        why = f": {plain(why)}" if why else " here for books with options; Forecast has it"
        st.header("Ranked by what each venue asks.", anchor=False)
        st.caption(f"Capital for the same safety is not computed{why}.")
        return
    known.sort(key=lambda pair: pair[1])
    best = list({a.rulebook.name: (a, usd) for a, usd in reversed(known)}.values())[::-1]
    best.sort(key=lambda pair: pair[1])
    (first, least), (last, most) = best[0], best[-1]
    words = (
        f"{plain(first.margin.venue)} ({first.margin.mode}) needs least for the same safety: {money(least)} for "
        f"{ODDS:.0%} odds of a liquidation within {DAYS:g} days"
    )
    if len(best) > 1:
        words += f"; {plain(last.margin.venue)} needs at least {money(most)}"
    st.header(dollars(f"{words}."), anchor=False)
    rows = [(f"{a.margin.venue}, {a.margin.mode}", usd) for a, usd in best]
    said = "; ".join(f"{name} {money(usd)}" for name, usd in rows)
    chart(charts_forecast.capital(rows, None), "venues_safety", f"Capital for the same safety, best mode. {said}.")
