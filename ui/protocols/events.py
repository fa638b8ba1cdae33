"""Failures of protocols as reported: figures with their range and source."""

import pandas as pd
import streamlit as st

from margin.protocols.events import events as known
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain


def draw() -> None:
    """One event at a time, newest first."""
    found = {e.title: e for e in reversed(known())}
    title = st.selectbox("Event", list(found), key="protocols_event", bind="query-params")
    event = found[str(title)]
    st.header(dollars(event.lesson), anchor=False)
    rows = [
        {"Figure": f.name, "As reported": f"{f.qualifier} {f.amount}".strip(), "Source": f.source}
        for f in event.figures
    ]
    data_table(pd.DataFrame(rows), key="protocols_figures", alt=f"Figures of {event.title}")
    st.caption(f"{plain(event.date)}. Figures are as reported and differ between reports: ranges are kept.")
    if event.network is not None:
        st.caption("Its network of debts can be chosen under Contagion.")
