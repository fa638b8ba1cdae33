"""Portfolio: build a book, see what it needs under every margin method, and what cross-margining frees."""

import streamlit as st
from ui.live import live_line

from ui import book, charts, compute, prices
from ui.book_tables import collateral_table, position_table, preset_row
from ui.explanations import chart, explanations
from ui.headline import headline, last_edit
from ui.notices import fetch_offer, nothing_computed, notices
from ui.settings_panel import settings_panel, summary
from ui.toolbar import toolbar

active = prices.active()
history = book.history()
now = compute.answer(history.present.book, active)
baseline = compute.answer(history.present.baseline, active)
before = compute.answer(history.before, active)

notices()
preset_row(active)
if now.comparison is None:
    nothing_computed(now)
else:
    headline(now.comparison, baseline.comparison)
    last_edit(now.comparison, before.comparison)
    live_line(now, active)

left, right = st.columns([3, 2])
with left.container(border=True):
    toolbar(now, active)
    position_table(now, active)
    fetch_offer(now.missing)
with right.container(border=True, height="stretch"):
    st.markdown("**From isolated to safeguarded**")
    if now.comparison is not None:
        chart(charts.waterfall(now.comparison), "chart_waterfall", charts.waterfall_alt(now.comparison))
with left.container(border=True):
    st.markdown("**Collateral**")
    collateral_table(now, active)

settings = history.present.book.settings
as_of = now.comparison.as_of.date() if now.comparison is not None else active.last_day
panel = st.expander(f"Settings: {summary(settings, as_of)}", icon=":material/tune:", key="settings", on_change="rerun")
if panel.open:
    with panel:
        settings_panel(active)
if now.comparison is not None:
    explanations(now, active)
