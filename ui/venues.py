"""The Venues page: the visitor's book under each venue's own rules, line by line."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from margin import venues
from margin.errors import InputError
from margin.portfolio import Portfolio
from margin.venues import Marks, Rulebook, VenueMargin
from margin.venues.perpetuals import FIRST_LEVERAGE, PerpetualVenue, as_perpetuals
from ui import book, charts_venues, compute, prices
from ui.compute import Answer
from ui.exporting import chart, csv_button
from ui.formats import money, percent
from ui.notices import nothing_computed
from ui.text import dollars, plain
from ui.views import refused

ON_PERPETUALS = "Hold my spot positions as perpetuals of the same coin"


@dataclass(frozen=True, eq=False)
class Asked:
    """One venue in one mode, with the prices at which it would liquidate."""

    rulebook: Rulebook
    margin: VenueMargin
    liquidation: dict[str, float | None]


def page() -> None:
    """The whole page below its heading."""
    active = prices.active()
    now = compute.answer(book.current(), active)
    if now.comparison is None:
        nothing_computed(now)
        return
    portfolio = _as_asked(now)
    try:
        marks = Marks.of_market(active.market, portfolio, book.current().settings.as_of)
    except InputError as error:
        refused(error)
        return
    found, why_not = _ask_all(portfolio, marks)
    if not found:
        st.subheader("No venue reproduced here can hold this book.", anchor=False)
        _refusals(why_not)
        return
    _answer(now, found)
    ordered = [a.margin for a in found]
    words = "; ".join(f"{m.venue} {m.mode}: {money(m.initial)}, maintenance {money(m.maintenance)}" for m in ordered)
    st.caption(
        f"Binance USD-M, Hyperliquid and dYdX v4 so far. A position without a leverage of its own is opened at "
        f"{FIRST_LEVERAGE:g} times, or the most its venue allows; dYdX asks its market's own fraction."
    )
    chart(charts_venues.asked(ordered), "venues_chart", f"Margin by venue and mode. {words}.")
    table = _table(found)
    st.dataframe(table, hide_index=True, key="venues_table", alt="Every venue and mode")
    csv_button("This table", lambda: table, "venues")
    _refusals(why_not)
    _drill_down(found)


def _as_asked(now: Answer) -> Portfolio:
    """The book, with spot positions as perpetuals where the visitor wishes it: these venues hold perpetuals only."""
    spot = [p for p in now.portfolio.positions if p.instrument.kind == "spot"]
    if not spot or not st.toggle(ON_PERPETUALS, key="venues_perpetuals", persist_state="session"):
        return now.portfolio
    return as_perpetuals(now.portfolio)


def _settings(rulebook: Rulebook) -> dict[str, float]:
    """What the visitor's sliders of a venue stand at."""
    kept = {s.key: st.session_state.get(f"venue_{rulebook.name}_{s.key}", s.default) for s in rulebook.sliders}
    return {key: float(value) for key, value in kept.items()}


def _ask_all(portfolio: Portfolio, marks: Marks) -> tuple[list[Asked], dict[str, str]]:
    """(what each venue asks in each mode, least initial margin first; why the others cannot hold the book)."""
    found: list[Asked] = []
    why_not: dict[str, str] = {}
    for name in venues.names():
        rulebook = venues.rulebook(name)
        unsupported = rulebook.supports(portfolio)
        if unsupported:
            why_not[rulebook.title] = "; ".join(f"{u.symbol}: {u.reason}" for u in unsupported)
            continue
        for mode in rulebook.modes:
            margin = rulebook.requirement(portfolio, marks, mode, _settings(rulebook))
            at = rulebook.liquidation_prices(portfolio, marks, mode) if isinstance(rulebook, PerpetualVenue) else {}
            found.append(Asked(rulebook, margin, at))
    return sorted(found, key=lambda a: a.margin.initial), why_not


def _answer(now: Answer, found: list[Asked]) -> None:
    assert now.comparison is not None
    least, most = found[0].margin, found[-1].margin
    st.subheader(
        dollars(
            f"{plain(least.venue)} ({least.mode}) asks least to open this book: {money(least.initial)}; "
            f"{plain(most.venue)} ({most.mode}) asks {money(most.initial)}."
        ),
        anchor=False,
    )
    st.markdown(
        dollars(
            f"No venue here lets one coin offset another: our portfolio margin for the same book is "
            f"{money(now.comparison.portfolio)}, our isolated one {money(now.comparison.isolated)}."
        )
    )


def _table(found: list[Asked]) -> pd.DataFrame:
    rows = []
    for a in found:
        m = a.margin
        nearest = ", ".join(f"{s} {money(p, cents=True)}" for s, p in a.liquidation.items() if p is not None)
        rows.append(
            {
                "Venue": m.venue,
                "Mode": m.mode,
                "Initial": money(m.initial),
                "Maintenance": money(m.maintenance),
                "Collateral counts": money(m.collateral_value),
                "Free to open more": money(m.free),
                "Health": "–" if m.health is None else f"{m.health:.2f}",
                "Liquidated at": nearest or "never",
                "Rules of": a.rulebook.as_of,
            }
        )
    return pd.DataFrame(rows)


def _refusals(why_not: dict[str, str]) -> None:
    for title, reason in why_not.items():
        st.caption(f"{plain(title)} cannot hold it: {plain(reason)}.")


def _drill_down(found: list[Asked]) -> None:
    """Where one number comes from, line by line; the sliders the venue's rules really have."""
    st.markdown("**Where the number comes from**")
    names = [f"{a.margin.venue}, {a.margin.mode}" for a in found]
    picked = found[names.index(st.selectbox("Venue and mode", names, key="venue_picked"))]
    m, rulebook = picked.margin, picked.rulebook
    for slider in rulebook.sliders:
        st.slider(
            slider.title, slider.low, slider.high, slider.default, slider.step, help=slider.help,
            key=f"venue_{rulebook.name}_{slider.key}",
        )  # fmt: skip
    lines = pd.DataFrame(
        [
            {
                "Step": line.label,
                "Reckoning": line.formula,
                "USD": "–" if line.amount is None else money(line.amount, cents=True),
                "Source": line.source,
            }
            for line in m.lines
        ]
    )
    st.dataframe(lines, hide_index=True, key="venue_lines", alt=f"Every line of {m.venue}, {m.mode}")
    tiers = pd.DataFrame(
        [
            {
                "Position": row.symbol,
                "Notional": money(row.notional),
                "Tier": row.tier,
                "Initial rate": percent(None if row.initial_rate is None else 100 * row.initial_rate, 2),
                "Liquidated at": money(picked.liquidation.get(row.symbol), cents=True),
            }
            for row in m.positions
        ]
    )
    st.dataframe(tiers, hide_index=True, key="venue_positions", alt="Positions with their tiers")
    csv_button("These lines", lambda: lines, "venue_lines")
    for note in (*m.notes, *rulebook.missing):
        st.caption(dollars(plain(note)))
