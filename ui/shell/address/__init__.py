"""The address bar holds the view at all times: the book, the settings, the account and the model, as they change.

Why our own few lines of script: writing `st.query_params` makes a history entry of every keystroke, so that Back would
step through edits; here an edit replaces the entry it stands on, and so does a slider, which Streamlit binds. Pages,
the account, the model and a page's tab make entries of their own: Back undoes the last choice, the book stays (it has
its own undo). What does not fit stays as it was last: Share offers the file then.

The same script asks for a run when the visitor's theme turns while the page stands: charts are drawn in its colours.
"""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from ui.blocks.theme import palette
from ui.state import book, choice, prices, share, view
from ui.state.accounts import labels
from ui.state.book import Book
from ui.state.share import without_addresses

__all__ = ["MAX_ADDRESS", "called", "keep_in_address"]

NAMED = 3  # accounts or coins that name a book without a name of its own
MAX_ADDRESS = 8_000  # characters; longer ones are cut by mail programs and chats
_WRITTEN, _RUN = "address_parts", "address_run"
_mount = st.components.v2.component(
    "address", html="<i></i>", js=(Path(__file__).parent / "address.js").read_text(encoding="utf-8")
)


def called(present: Book) -> str:
    """What a tab calls a book: its name, else its accounts', else what it holds; no wallet's address."""
    if present.name:
        return without_addresses(present.name)
    if len(present.accounts) > 1 or present.accounts[0].name or present.accounts[0].venue:
        named = [without_addresses(label) for label in labels(present.accounts)]
    else:
        named = list(dict.fromkeys(p.underlying for p in present.positions_in_order))
    return f"{', '.join(named[:NAMED])}{' …' if len(named) > NAMED else ''}"


def keep_in_address(question: str) -> None:
    """Called once at the end of each run: the address and the tab's title say what is on the screen."""
    now = book.current()
    book_text = share.encode(now, prices.active().origin)
    parts = {share.PARAMETER: book_text, **choice.in_address(), **view.in_address()}
    fits = len(urlencode(parts)) <= MAX_ADDRESS
    if fits:
        st.session_state[_WRITTEN] = parts
    parts = st.session_state.get(_WRITTEN, {})
    name = f"{called(now)}: " if called(now) else ""
    count = st.session_state[_RUN] = st.session_state.get(_RUN, 0) + 1
    data = {
        "set": parts,
        "drop": [k for k in (*choice.KEYS, *view.NAMES) if k not in parts],
        "choices": [*choice.KEYS, *view.choices()],
        "book": None if fits else book_text if len(book_text) <= share.MAX_LINK else "",  # for Share
        "title": f"{name}{question} · Margin Lab",
        "theme": palette().name,
        "run": count,  # so that every run is looked at, also one that changes a tab alone
    }
    _mount(key="address", data=data, height="content", on_turned_change=lambda: None)
