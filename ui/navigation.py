"""The pages, in the order a visitor meets them. A page is offered only when its file is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).resolve().parent.parent
FLAT_UP_TO = 6  # more pages than this are grouped into sections, so that the bar stays one line


@dataclass(frozen=True)
class PageEntry:
    """`file` under pages/ (its stem is the address), what it is called, and the group it belongs to."""

    file: str
    title: str
    icon: str
    section: str

    @property
    def path(self) -> Path:
        return ROOT / "pages" / self.file


REGISTRY = (
    PageEntry("portfolio.py", "Portfolio", ":material/account_balance_wallet:", "Portfolio"),
    PageEntry("correlations.py", "Correlations", ":material/grid_on:", "Risk"),
    PageEntry("haircuts.py", "Haircuts", ":material/content_cut:", "Risk"),
    PageEntry("stress.py", "Stress", ":material/bolt:", "Risk"),
    PageEntry("liquidation.py", "Liquidation", ":material/water_drop:", "Risk"),
    PageEntry("backtest.py", "Backtest", ":material/history:", "Risk"),
    PageEntry("forecast.py", "Forecast", ":material/query_stats:", "Risk"),
    PageEntry("venues.py", "Venues", ":material/storefront:", "Venues"),
    PageEntry("hedge.py", "Hedge", ":material/balance:", "Venues"),
    PageEntry("protocols.py", "Protocols", ":material/hub:", "Venues"),
    PageEntry("learn.py", "Learn", ":material/school:", "Learn"),
    PageEntry("data.py", "Data", ":material/database:", "Data"),
)


def listed() -> list[PageEntry]:
    """The registered pages whose file exists."""
    return [entry for entry in REGISTRY if entry.path.exists()]


def navigation() -> "StreamlitPage":
    """Build the navigation bar and return the page the visitor is on."""
    pages = [(e, st.Page(e.path, title=e.title, icon=e.icon, default=e.file == "portfolio.py")) for e in listed()]
    if len(pages) <= FLAT_UP_TO:
        return st.navigation([page for _, page in pages], position="top")
    sections: dict[str, list[StreamlitPage]] = {}
    for entry, page in pages:
        sections.setdefault(entry.section, []).append(page)
    return st.navigation(sections, position="top")
