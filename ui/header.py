"""What every page shows first: the name, and where its prices come from."""

from pathlib import Path

import streamlit as st

from ui import prices
from ui.text import plain

_LOGO = Path(__file__).parent / "frontend" / "logo.svg"


def header(question: str) -> None:
    """The logo in the navigation bar, the page's question as its heading, and one quiet badge on the prices in use."""
    st.logo(_LOGO.read_text(encoding="utf-8"), size="large")
    active = prices.active()
    label, icon, color, help_text = describe(active)
    row = {"horizontal": True, "horizontal_alignment": "distribute", "vertical_alignment": "center"}
    with st.container(**row, key="header"):
        st.title(question, anchor=False, width="content")
        st.badge(label, icon=icon, color=color, help=help_text)


def describe(active: prices.ActivePrices) -> tuple[str, str, str, str]:
    """(label, icon, colour, help) of the badge that names a price set."""
    day = f"{active.last_day:%d %b %Y}".lstrip("0")
    count = f"{len(active.assets)} assets"
    if active.origin == "sample":
        text = "Month ends and named crash days are recorded; the days between are simulated."
        return f"Sample, partly simulated · to {day}", ":material/science:", "gray", f"{text} {count}."
    if active.origin == "upload":
        return f"Your file · to {day}", ":material/upload_file:", "blue", f"{count}, this session only."
    provenance = active.priceset.provenance.values()
    sources = sorted({p.source for p in provenance})
    named = plain(", ".join(sources[:4]))
    if any(p.status == "stale" for p in provenance):
        return f"Stored prices, stale · to {day}", ":material/schedule:", "orange", f"{count} from {named}."
    if all(p.status == "live" for p in provenance):
        return f"Live prices · to {day}", ":material/sensors:", "blue", f"{count} from {named}."
    return f"Stored prices · to {day}", ":material/database:", "blue", f"{count} from {named}."
