"""The pages, in the order a visitor meets them. A page is offered only when its file is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).resolve().parents[2]
FLAT_UP_TO = 9  # more pages than this are grouped into sections, so that the bar stays one line


@dataclass(frozen=True)
class PageEntry:
    """`file` under pages/ (its stem is the address), its name, icon and group, and the question it answers.

    The question is the page's heading, drawn by `ui.shell.header`; a page starts below it.
    """

    file: str
    title: str
    icon: str
    section: str
    question: str

    @property
    def path(self) -> Path:
        return ROOT / "pages" / self.file


REGISTRY = (
    PageEntry("portfolio.py", "Portfolio", ":material/wallet:", "Portfolio", "How much does cross-margining free?"),
    PageEntry("correlations.py", "Correlations", ":material/grid_on:", "Risk", "How stable is the hedge?"),
    PageEntry("haircuts.py", "Haircuts", ":material/content_cut:", "Risk", "What is the collateral worth, and why?"),
    PageEntry("stress.py", "Stress", ":material/bolt:", "Risk", "What breaks this book?"),
    PageEntry("liquidation.py", "Liquidation", ":material/water_drop:", "Risk", "Where, and what happens next?"),
    PageEntry("backtest.py", "Backtest", ":material/history:", "Risk", "Would the lower margin have been enough?"),
    PageEntry("forecast.py", "Forecast", ":material/query_stats:", "Risk", "How likely is a margin call?"),
    PageEntry("venues.py", "Venues", ":material/storefront:", "Venues", "Which venue asks least for this book?"),
    PageEntry("hedge.py", "Hedge", ":material/balance:", "Venues", "Which trade frees most margin per dollar?"),
    PageEntry("protocols.py", "Protocols", ":material/hub:", "Venues", "One collateral, two protocols: what spreads?"),
    PageEntry("learn.py", "Learn", ":material/school:", "Learn", "Cross-margining in six steps"),
    PageEntry("data.py", "Data", ":material/database:", "Data", "Where do the prices come from?"),
)


def listed() -> list[PageEntry]:
    """The registered pages whose file exists."""
    return [entry for entry in REGISTRY if entry.path.exists()]


def navigation() -> "tuple[PageEntry, StreamlitPage]":
    """Build the navigation bar; the page the visitor is on, as registered and as Streamlit runs it."""
    pages = [(e, st.Page(e.path, title=e.title, icon=e.icon, default=e.file == "portfolio.py")) for e in listed()]
    if len(pages) <= FLAT_UP_TO:
        current = st.navigation([page for _, page in pages], position="top")
    else:
        sections: dict[str, list[StreamlitPage]] = {}
        for entry, page in pages:
            sections.setdefault(entry.section, []).append(page)
        current = st.navigation(sections, position="top")
    return next(entry for entry, page in pages if page.title == current.title), current
