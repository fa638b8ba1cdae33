"""What a visitor must be told: messages left for this session, rows that cannot be computed, prices to fetch."""

import streamlit as st

from data.universe import is_offline
from margin.core.words import by_reason
from ui.blocks.formats import true_minus
from ui.blocks.starts import preset_row
from ui.blocks.text import dollars, plain
from ui.state import prices
from ui.state.book import Book
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.session import dismiss, messages


def notices() -> None:
    """Messages stay until they are closed, so that the next keystroke does not take them away."""
    for number, message in enumerate(messages()):
        with st.container(horizontal=True, vertical_alignment="center", key=f"notice_{number}"):
            st.warning(plain(message), icon=":material/info:")
            st.button("Close", key=f"notice_close_{number}", on_click=dismiss, args=(number,), type="tertiary")


def nothing_computed(now: Answer, active: ActivePrices | None = None) -> None:
    """In place of the figures: why there are none. On the Portfolio page the tables below stay usable.

    active : given on the other pages, which then offer the starts and the way to the tables themselves
    """
    elsewhere = active is not None
    if not now.portfolio.positions and not now.positions and (now.portfolio.held or now.collateral):
        where = "on the Portfolio page" if elsewhere else "in the table below"
        st.info(f"The book holds collateral and no position: add one {where}.", icon=":material/add_circle:")
    elif not now.portfolio.positions and not now.positions:
        where = "or build one on the Portfolio page." if elsewhere else "above, or add a position below."
        st.info(f"The book is empty. Choose a start {where}", icon=":material/add_circle:")
    elif not now.portfolio.positions:
        where = "on the Portfolio page" if elsewhere else "in the table"
        st.warning(f"No row can be computed yet: see the messages {where}.", icon=":material/warning:")
    else:
        st.warning(plain(true_minus(now.error)), icon=":material/warning:")
    if active is not None:
        preset_row(active)
        to_portfolio()


def not_counted(now: Answer, held: Book) -> None:
    """The rows that no figure of the page contains, by name, where there are figures of the others."""
    if now.comparison is None or not (now.positions or now.collateral):
        return
    names = {("p", d.id): d.cells[0] for d in held.positions} | {("c", d.id): d.cells[0] for d in held.collateral}
    rows = [(("p", row), x.text) for row, x in now.positions.items()]
    rows += [(("c", row), x.text) for row, x in now.collateral.items()]
    said = by_reason((names.get(key, "").strip() or "a row without a name", why) for key, why in rows)
    words = " ".join(f"Not counted here: {why}" for why in said)
    st.warning(dollars(plain(true_minus(words))), icon=":material/warning:")


def to_portfolio() -> None:
    """A link to the page on which the book is built."""
    st.page_link("pages/portfolio.py", label="Build the book on the Portfolio page", icon=":material/wallet:")


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
