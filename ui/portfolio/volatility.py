"""The implied volatility of the book's options as Deribit marks it now; typed in the table where it can't be had."""

import time
from dataclasses import replace

import streamlit as st

from data.accounts.limit import Limiter
from data.exchange.vols import MOST, MarkVols, fetch_mark_vols
from data.universe import is_offline
from margin.core.errors import InputError
from ui.state import book
from ui.state.rows import Draft, sentence
from ui.state.session import tell


@st.cache_resource
def _limiter() -> Limiter:
    """One for the process: a visitor is a network address where the host tells it, else a session."""
    return Limiter(most=10)


def mark_vols_button() -> None:
    """A button where the book holds options and an exchange may be asked; one step of undo."""
    present = book.current()
    held = zip(present.position_ids, present.positions_in_order, strict=True)
    options = {row: p.symbol for row, p in held if p.instrument.is_option}
    if not options or is_offline():
        return
    help_text = "Fills the IV column with the volatility Deribit marks each option at now. It can be typed as well."
    if not st.button("IV from Deribit", icon=":material/sensors:", type="tertiary", key="mark_vols", help=help_text):
        return
    wait = _limiter().wait(st.context.ip_address or "this visit", time.monotonic())
    if wait > 0:
        tell(f"Deribit is not asked again so soon: try in {wait:.0f} seconds.")
        st.rerun()
    try:
        with st.spinner("Asking Deribit …"):
            found = fetch_mark_vols(list(dict.fromkeys(options.values()))[:MOST])
    except InputError as error:
        tell(sentence(error))
        st.rerun()
    book.redraw(replace(present, positions=with_vols(present.positions, options, found)))
    tell(in_words(found))
    st.rerun()


def with_vols(drafts: tuple[Draft, ...], options: dict[int, str], found: MarkVols) -> tuple[Draft, ...]:
    """The rows with the volatilities that were found; the others keep theirs."""
    out = []
    for draft in drafts:
        vol = found.vols.get(options.get(draft.id, ""))
        if vol is not None:
            draft = replace(draft, more=tuple({**dict(draft.more), "implied_vol": round(vol, 6)}.items()))
        out.append(draft)
    return tuple(out)


def in_words(found: MarkVols) -> str:
    """'IV of 2 options is Deribit's mark of 18:30:05 UTC. BTC/…: not listed.'"""
    count = len(found.vols)
    said = (
        f"IV of {count} option{'' if count == 1 else 's'} is Deribit's mark of {found.at:%H:%M:%S} UTC."
        if count
        else ""
    )
    missed = " ".join(f"{symbol} keeps its own: {why}." for symbol, why in list(found.failures.items())[:5])
    return f"{said} {missed}".strip()
