"""The navigation bar: every file of pages/, in the order that the pages give themselves."""

from typing import TYPE_CHECKING

import streamlit as st

from ui.shell.facts import PageFacts, page_facts

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

FLAT_UP_TO = 9  # more pages than this are grouped into sections, so that the bar stays one line


def navigation() -> "tuple[PageFacts, StreamlitPage]":
    """Build the bar; the page the visitor is on, as it describes itself and as Streamlit runs it."""
    pages = [(p, st.Page(p.path, title=p.title, icon=p.icon, default=p.home)) for p in page_facts()]
    if len(pages) <= FLAT_UP_TO:
        current = st.navigation([page for _, page in pages], position="top")
    else:
        sections: dict[str, list[StreamlitPage]] = {}
        for facts, page in pages:
            sections.setdefault(facts.section, []).append(page)
        current = st.navigation(sections, position="top")
    return next(facts for facts, page in pages if page.url_path == current.url_path), current
