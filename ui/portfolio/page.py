"""The Portfolio page: build a book, see what it needs under every margin method, and what cross-margining frees."""

from pathlib import Path

import streamlit as st

from margin.core.checks import date_text
from margin.core.settings import Settings
from margin.ladder.compare import Comparison
from ui import charts
from ui.blocks.exporting import chart
from ui.blocks.notices import fetch_offer, nothing_computed, notices
from ui.blocks.starts import preset_row
from ui.blocks.text import dollars
from ui.portfolio.accounts import account_lines, nearest_of_all
from ui.portfolio.explanations import explanations
from ui.portfolio.headline import dead, headline, ladder_cards, last_edit, nearest_card, sentence, standing_row
from ui.portfolio.live import live_line
from ui.portfolio.settings_panel import settings_panel, summary
from ui.portfolio.side_by_side import side_panel
from ui.portfolio.tables import collateral_table, extra_columns, position_table
from ui.portfolio.toolbar import toolbar
from ui.portfolio.volatility import mark_vols_button
from ui.shell.page import Seen
from ui.state import book, compute
from ui.state.book import Book
from ui.state.prices import ActivePrices
from ui.state.turns import after_the_figures

STYLE = Path(__file__).parent / "portfolio.css"
# A table of many columns takes the whole width, by style alone: its place in the page stays, and what is typed in it.
WIDE = "<style>.st-key-desk [data-testid=stColumn] { flex: 1 1 100%; width: 100%; }</style>"


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    st.html(STYLE)
    active = seen.active
    history = book.history()
    now = seen.now
    baseline = compute.answer(history.present.baseline, active)
    before = compute.answer(history.before, active)

    # Each part has a place of its own that is always there. What comes and goes stays inside it: if it moved the tables
    # below, the browser would draw them afresh under the visitor's hands.
    messages, answer = st.container(), st.container(key="answer")
    figures, edited, safety, live, accounts = (st.container() for _ in range(5))
    with st.container(key="desk"):
        left, right = st.columns([3, 2])
    if extra_columns(book.current()):
        st.html(WIDE)
    positions, collateral = left.container(border=True), left.container(border=True)
    waterfall, cards = right.container(border=True), st.container()
    settings_place, below = st.container(), st.container()

    with messages:
        notices()
        preset_row(active)
    if now.comparison is not None:
        with messages:
            if said := dead(now.comparison):
                st.error(dollars(said), icon=":material/error:")
        with answer:
            sentence(now.comparison)
    with figures:
        if now.comparison is None:
            nothing_computed(now)
        else:
            headline(now.comparison, baseline.comparison)
            near = standing_row(now.comparison, baseline.comparison)
    with edited:
        if now.comparison is not None:
            last_edit(now.comparison, before.comparison)
    with positions:
        toolbar(now, active)
        position_table(now, active)
        mark_vols_button()
        fetch_offer(now.missing)
    with collateral:
        st.markdown("**Collateral**")
        collateral_table(now, active)
    with accounts:
        if now.comparison is not None and now.comparison.as_held is not None:
            dated = _dated(seen.settings, now.comparison)
            whole = book.current().portfolio.accounts
            account_lines(now.comparison.as_held, now.portfolio.accounts, whole, dated, active)
            side_panel(now.comparison, now.portfolio.accounts, dated, active)
    with live:
        live_line()
    with waterfall:
        st.markdown("**From isolated to safeguarded**")
        if now.comparison is not None:
            chart(charts.waterfall(now.comparison), "chart_waterfall", charts.waterfall_alt(now.comparison))
    if now.comparison is not None:
        with cards:
            ladder_cards(now.comparison, baseline.comparison)
    with settings_place:
        chosen = history.present.book.settings
        as_of = now.comparison.as_of.date() if now.comparison is not None else active.last_day
        label = f"Settings: {summary(chosen, as_of)}"
        panel = st.expander(label, icon=":material/tune:", key="settings", on_change="rerun")
        if panel.open:
            with panel:
                settings_panel(active)
    with below:
        if now.comparison is not None:
            explanations(now, active)
    if now.comparison is not None:  # last: they take longer than the figures that a visitor waits for
        with after_the_figures():
            nearest_card(near, nearest_of_all(now.portfolio.accounts, _dated(seen.settings, now.comparison), active))
            from ui.portfolio.safety import safety_line  # the forecast is loaded when the figures stand

            with safety:
                safety_line(now, active)


def first_answers(opened: Book, active: ActivePrices) -> None:
    """What the page computes for a book, computed and kept, before anybody looks at it (ui/shell/ready.py)."""
    now = compute.answer(opened, active)
    if now.comparison is not None:
        nearest_of_all(now.portfolio.accounts, _dated(opened.settings, now.comparison), active)
        from ui.portfolio.safety import safety  # the forecast is loaded when the figures stand

        safety(now, active)


def _dated(settings: Settings, comparison: Comparison) -> Settings:
    """The settings at the comparison's own date, so that an account alone is judged at the same prices."""
    return settings.with_(as_of=date_text(comparison.as_of))
