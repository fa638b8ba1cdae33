"""The address bar holds the view at all times: the book, the settings, the account and the model, as they change.

Why our own few lines of script: writing `st.query_params` makes a history entry of every keystroke, so that Back would
step through edits; here an edit replaces the entry it stands on. Pages make entries of their own, tabs and sliders are
bound to the address by Streamlit. What does not fit stays as it was last: Share offers the file then.
"""

from pathlib import Path

import streamlit as st

from ui.state import book, choice, prices, share

__all__ = ["MAX_ADDRESS", "keep_in_address"]

MAX_ADDRESS = 8_000  # characters; longer ones are cut by mail programs and chats
_WRITTEN = "address_parts"
_mount = st.components.v2.component(
    "address", html="<i></i>", js=(Path(__file__).parent / "address.js").read_text(encoding="utf-8")
)


def keep_in_address(question: str) -> None:
    """Called once at the end of each run: the address and the tab's title say what is on the screen."""
    now = book.current()
    parts = {share.PARAMETER: share.encode(now, prices.active().origin), **choice.in_address()}
    if sum(len(key) + len(value) + 2 for key, value in parts.items()) <= MAX_ADDRESS:
        st.session_state[_WRITTEN] = parts
    parts = st.session_state.get(_WRITTEN, {})
    name = f"{now.name}: " if now.name else ""
    data = {"set": parts, "drop": [k for k in choice.KEYS if k not in parts], "title": f"{name}{question} · Margin Lab"}
    _mount(key="address", data=data, height="content")
