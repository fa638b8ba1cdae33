"""What a visitor must be told: messages left for this session, rows that cannot be computed, prices to fetch."""

import streamlit as st

from data.universe import is_offline
from ui.blocks.text import plain
from ui.state import prices
from ui.state.compute import Answer
from ui.state.session import dismiss, messages


def notices() -> None:
    """Messages stay until they are closed, so that the next keystroke does not take them away."""
    for number, message in enumerate(messages()):
        with st.container(horizontal=True, vertical_alignment="center", key=f"notice_{number}"):
            st.warning(plain(message), icon=":material/info:")
            st.button("Close", key=f"notice_close_{number}", on_click=dismiss, args=(number,), type="tertiary")


def nothing_computed(now: Answer) -> None:
    """In place of the figures: why there are none. The tables below stay usable."""
    if not now.portfolio.positions and not now.positions:
        st.info("The book is empty. Choose a start above or add a position below.", icon=":material/add_circle:")
    elif not now.portfolio.positions:
        st.warning("No row can be computed yet: see the messages in the table.", icon=":material/warning:")
    else:
        st.warning(plain(now.error), icon=":material/warning:")


def fetch_offer(missing: tuple[str, ...]) -> None:
    """For assets without prices: fetch them where the network may be used, else say where to bring them."""
    if not missing:
        return
    names = ", ".join(missing)
    if is_offline():
        st.caption(plain(f"Offline: bring prices for {names} as a file on the Data page."))
        return
    st.button(
        f"Fetch prices for {plain(names)}",
        icon=":material/cloud_download:",
        key="fetch_missing",
        on_click=_fetch,
        args=(missing,),
    )


def _fetch(assets: tuple[str, ...]) -> None:
    if prices.fetch_also(assets):
        wanted = st.session_state.setdefault("fetch_wanted", [])
        wanted.extend(asset for asset in assets if asset not in wanted)
        st.toast("Fetching. The row is counted as soon as its prices are here.", icon=":material/cloud_download:")
    else:
        st.toast(
            "A refresh is running already. Try again when it has ended: see Data.", icon=":material/hourglass_top:"
        )
