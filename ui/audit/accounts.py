"""One account of the book: what the audit says of it, and its way to the Portfolio page."""

import numpy as np
import pandas as pd
import streamlit as st

from margin.audit.one import portfolio_of, position_of
from margin.forecast.results import printed
from ui.audit.books import Audited
from ui.blocks.formats import money, moved, percent, times
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.shell.page import Seen
from ui.state import book
from ui.state.visit import things

LARGEST, SHORTEST, NEAREST = "Largest", "Short in its worst shock", "Nearest to a close"
SHOWN = 10
_OPENED, _LISTED = "audit_opened", "audit_listed"


def go_on() -> None:
    """On to the Portfolio page, where an account was opened; before any widget that keeps the address in step."""
    if st.session_state.pop(_OPENED, False):
        st.switch_page("pages/portfolio.py", query_params={})


def draw(seen: Seen, found: Audited) -> None:
    """A short list to choose from, or a name; the account's figures, and a button to its book."""
    kind = st.segmented_control(
        "List", [LARGEST, SHORTEST, NEAREST], default=LARGEST, required=True, key="audit_list", bind="query-params"
    )
    listed = _listed(found, str(kind))
    left, right = st.columns(2)
    with left:
        named = st.selectbox("Account", listed, key=f"audit_listed_{kind}") if listed else None
        if not listed:
            st.caption("No account of this kind.")
    with right:
        typed = st.text_input("or its name", key="audit_named", persist_state="session")
    label = typed.strip() or named
    if label is None:
        return
    i = position_of(found.plan, found.held, label)
    _figures(found, i)
    things()[_LISTED] = (seen.settings, found, i)
    st.button(
        "Open this account on Portfolio", icon=":material/wallet:", type="primary", key="audit_open", on_click=_open,
    )  # fmt: skip


def _listed(found: Audited, kind: str) -> list[str]:
    if kind == LARGEST:
        return [name for _, name in found.summary.top[:SHOWN]]
    if kind == SHORTEST:
        return [name for _, name in found.summary.top_short[:SHOWN]]
    health = found.column("health")
    use = np.flatnonzero(np.isfinite(health) & (health >= 1.0))
    return [str(found.held.labels[i]) for i in use[np.argsort(health[use], kind="stable")[:SHOWN]]]


def _figures(found: Audited, i: int) -> None:
    plan, held = found.plan, found.held
    names = ("equity", "requirement", "maintenance", "health", "closed_down", "closed_up", "worst_equity")
    own = {name: float(found.column(name)[i]) for name in names}
    with st.container(horizontal=True, gap="medium"):
        st.metric("Equity", money(own["equity"]), width="content")
        st.metric("Requirement", money(own["requirement"]), width="content")
        st.metric("Maintenance", money(own["maintenance"]), width="content")
        week = float(np.concatenate([part.odds for part in found.rows])[i, 2])
        st.metric("Called within a week", printed(week), width="content")
        known = np.isfinite(own["health"])
        st.metric("Health", times(own["health"] if known else None), width="content")
    moves = [moved(own[side], 1) for side in ("closed_down", "closed_up") if np.isfinite(own[side])]
    closed = f"closed by a move of all prices of {' or '.join(moves)}" if moves else "closed by no move of all prices"
    worst = money(own["worst_equity"])
    st.caption(plain(f"Account {held.labels[i]}: {closed}; in its worst shock {worst} is left."))
    inside = slice(held.indptr[i], held.indptr[i + 1])
    gross = float(np.abs(held.usd[inside]).sum())
    rows = [
        {"Asset": plan.assets[leg], "Value": money(usd), "Of gross": percent(100 * abs(usd) / gross, 1)}
        for leg, usd in zip(held.legs[inside].tolist(), held.usd[inside].tolist(), strict=True)
    ]
    if rows:
        data_table(pd.DataFrame(rows), key="audit_legs", alt="What the account holds")


def _open() -> None:
    settings, found, i = things()[_LISTED]
    book.load(book.Book.of(portfolio_of(found.plan, found.held, i), settings))
    st.session_state[_OPENED] = True
