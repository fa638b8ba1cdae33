"""What every page shows first: the name, and where its prices come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from ui.blocks.copy_button import copy_button
from ui.blocks.text import plain
from ui.blocks.theme import readable
from ui.shell.facts import PageFacts
from ui.shell.judge import judge
from ui.state import prices

_LOGO = Path(__file__).parent / "logo.svg"


def header(facts: PageFacts) -> None:
    """The logo in the bar, the page's question as its heading, whom it answers for, its link, its prices' source."""
    readable()
    st.logo(_LOGO.read_text(encoding="utf-8"), size="large")
    active = prices.active()
    badge = describe(active)
    place = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="header")
    with place:
        st.title(facts.question, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="header_facts"):
            if facts.judged:
                judge()
            copy_button("Copy link", None, key="copy_address", quiet=True)
            st.badge(badge.label, icon=badge.icon, color=badge.color, help=badge.help)


@dataclass(frozen=True)
class Badge:
    label: str
    icon: str
    color: Literal["gray", "blue", "orange"]
    help: str


def describe(active: prices.ActivePrices) -> Badge:
    """The badge that names a price set."""
    day = f"{active.last_day:%d %b %Y}".lstrip("0")
    count = f"{len(active.assets)} assets"
    if active.origin == "sample":
        text = "Month ends and named crash days are recorded; the days between are simulated."
        return Badge(f"Sample, partly simulated · to {day}", ":material/science:", "gray", f"{text} {count}.")
    if active.origin == "upload":
        return Badge(f"Your file · to {day}", ":material/upload_file:", "blue", f"{count}, this session only.")
    provenance = active.priceset.provenance.values()
    named = plain(", ".join(sorted({p.source for p in provenance})[:4]))
    stale = sum(p.status == "stale" for p in provenance)
    if 2 * stale > len(provenance):
        text = f"{count} from {named}; {stale} of them are waiting to be refreshed."
        return Badge(f"Exchange prices, stale · to {day}", ":material/schedule:", "orange", text)
    return Badge(f"Exchange prices · to {day}", ":material/sensors:", "blue", f"{count} from {named}.")
