"""What of a visit is too large to wait for Streamlit to let go of it: dropped as soon as the visit is closed.

Streamlit keeps a closed visit's own state until something else needs its place: of the last visitor, for as long as
nobody comes. What lies here is cleared by ui/state/leaving.py.
"""

from typing import Any

import streamlit as st

_KEY = "things_of_visit"


class Things(dict[str, Any]):
    """A dictionary that can be held weakly and told apart by itself; `over` once the visit is closed."""

    over = False

    def drop(self) -> None:
        """The visit is over: nothing is kept any more."""
        self.over = True
        self.clear()


def things() -> Things:
    """Those of this visit, by name."""
    found: Things = st.session_state.setdefault(_KEY, Things())
    return found
