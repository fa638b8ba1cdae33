"""Several views of one page behind tabs: only the open one is computed; what cannot be is a message in its place."""

from collections.abc import Callable, Mapping

import streamlit as st

from margin.core.errors import InputError
from ui.blocks.formats import true_minus
from ui.blocks.text import plain
from ui.state import view
from ui.state.rows import sentence


def tabbed(views: Mapping[str, Callable[[], None]], key: str) -> None:
    """One tab per view; the open one is in the address under `key`, and Back leads to the one before."""
    view.is_choice(key)
    tabs = st.tabs(list(views), key=key, on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                try:
                    draw()
                except InputError as error:
                    refused(error)


def refused(error: InputError) -> None:
    """Why there are no figures, in one line."""
    st.warning(plain(true_minus(sentence(error))), icon=":material/warning:")
