"""A link straight to a page, opened on a server that has just started.

Until app.py has run once, Streamlit takes pages/ for its older kind of multipage app and runs the page alone: without
the navigation, the header and the visitor's book. The page then hands over to app.py, which comes back to it.
"""

import streamlit as st

from ui.state import book

_ASKED = "asked_page"


def through_app(page: str) -> None:
    """Called first by every page but the home page; `page` is its path, e.g. "pages/learn.py"."""
    if not book.started():
        query = st.query_params.to_dict()
        st.session_state[_ASKED] = (page, query)
        st.switch_page("app.py", query_params=query)  # the session opens there, and a share link with it


def resume() -> None:
    """Called by app.py once the navigation stands: go on to the page that handed over, with its query."""
    if _ASKED in st.session_state:
        page, query = st.session_state.pop(_ASKED)
        st.switch_page(page, query_params=query)
