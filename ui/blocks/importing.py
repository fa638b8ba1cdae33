"""A book from elsewhere: Margin Lab's JSON or CSV, or what ccxt's `fetch_positions()` returns, pasted or as a file."""

import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT, Portfolio
from ui.blocks.text import plain
from ui.state import book

EXAMPLE = "symbol,quantity\nBTC/USDT:USDT,1.5\nETH/USDT:USDT,-30"


def read_portfolio(source: str | bytes) -> Portfolio:
    """The portfolio in a text, whichever of the formats it is in. Raises InputError in one line."""
    if len(source) > MAX_TEXT:
        raise InputError("portfolio", f"{len(source)} characters", "is too large", f"At most {MAX_TEXT}.")
    if not source.strip():
        raise InputError("portfolio", "nothing", "is empty", "Paste JSON or CSV, or choose a file.")
    start = (
        source.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] if isinstance(source, bytes) else source.lstrip("\ufeff \t\r\n")[:1]
    )
    as_json = start in (b"{", b"[", "{", "[")
    return Portfolio.from_json(source) if as_json else Portfolio.from_csv(source)


def import_panel() -> None:
    """Paste or choose a file; a good one replaces the book (undo brings the old one back), a bad one says why."""
    version = book.version()
    st.file_uploader(
        "A file",
        ["json", "csv", "txt"],
        key=f"import_file_{version}",
        on_change=_from_file,
        args=(version,),
        help="Margin Lab's JSON or CSV, or a ccxt fetch_positions() list.",
    )
    st.text_area("or paste here", key=f"import_text_{version}", placeholder=EXAMPLE, height=140)
    st.button("Open", on_click=_from_text, args=(version,), type="primary", key="import_open")
    if error := st.session_state.get("import_error"):
        st.error(plain(error), icon=":material/error:")


def _from_file(version: int) -> None:
    file = st.session_state.get(f"import_file_{version}")
    if file is not None:
        _open(file.getvalue())


def _from_text(version: int) -> None:
    _open(st.session_state.get(f"import_text_{version}") or "")


def _open(source: str | bytes) -> None:
    try:
        portfolio = read_portfolio(source)
    except InputError as error:
        st.session_state["import_error"] = str(error)
        return
    st.session_state.pop("import_error", None)
    book.load(book.Book.of(portfolio, book.current().settings))
    count = len(portfolio.positions)
    st.toast(f"Opened {count} position{'s' if count != 1 else ''}.", icon=":material/check:")
