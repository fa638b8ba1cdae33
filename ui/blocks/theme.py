"""Colours for charts in the light and the dark theme; measured to be told apart by colour-blind readers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, kw_only=True)
class Palette:
    """`gain` lowers margin, `loss` raises it; both always come with a sign as well."""

    name: str
    gain: str
    loss: str
    loss_text: str  # the same for words, which need more contrast than a bar
    total: str
    text: str
    muted: str
    grid: str
    paper: str
    series: tuple[str, ...]
    scale: tuple[str, str, str]


LIGHT = Palette(
    name="light", gain="#0B5CAD", loss="#EB5A12", loss_text="#B8430A", total="#5B6B7F",
    text="#0A121C", muted="#5B6675", grid="#E3E8EF", paper="#FFFFFF",
    series=(
        "#0B5CAD", "#EB5A12", "#6B2D2D", "#8B2FE0", "#CF7796", "#933000", "#4B2D5A", "#849258",
        "#D92BC8", "#3C0FA5",
    ),
    scale=("#0B5CAD", "#F7F7F5", "#EB5A12"),
)  # fmt: skip
DARK = Palette(
    name="dark", gain="#5AA9F0", loss="#F7831F", loss_text="#F7831F", total="#8796A8",
    text="#E7ECF3", muted="#9AA7B8", grid="#2A3644", paper="#0F151D",
    series=(
        "#5AA9F0", "#F7831F", "#FFC9BC", "#B46987", "#B2EA7A", "#7C8A52", "#A566F5", "#3FE0EE",
        "#F03BB8", "#F79CC8",
    ),
    scale=("#5AA9F0", "#1B2430", "#F7831F"),
)  # fmt: skip


# What no setting reaches. On the dark page Streamlit writes white on the light primary colour (2.5:1 on chips and
# filled buttons); the page's own colour is 7:1. A button whose menu is open it darkens to 3.4:1. On a touch screen the
# small signs take a finger, in the same room.
_DARK_FIX = """
[data-testid=stMultiSelect] span:has(> span[title]), [data-testid=stBaseButton-primary] { color: %s !important; }
[data-testid=stPopoverButton][aria-expanded=true] { color: %s !important; }
"""
_TOUCH_FIX = """
@media (pointer: coarse) {
  button[aria-label^="Help for"] { padding: 6px; margin: -6px; box-sizing: content-box; }
  [data-testid=stMultiSelect] button[aria-label^="Remove"] {
    padding: 9px 3px 9px 5px; margin: -9px 0; box-sizing: content-box;
  }
  [data-testid=stElementContainer]:has([data-testid=stPlotlyChart]) { overflow: visible !important; }
  [data-testid=stPlotlyChart] .modebar-container { top: -22px !important; }
}
"""
# On a touch screen a table's tools are always in sight, over what stands above it: they get a line of their own.
_TABLE_TOOLS = """
@media (hover: none) {
  [data-testid=stElementContainer]:has(> [data-testid=stFullScreenFrame] > [data-testid=stDataFrame]) {
    padding-top: 2.1rem;
  }
}
"""
_WRAP = """
[data-testid=stMetric] [data-testid=stMetricDelta] > div, [data-testid=stMetric] [data-testid=stMetricDelta] p,
[data-testid=stMetric] [data-testid=stMetricValue] > div, [data-testid=stMetric] [data-testid=stMetricValue] p {
  white-space: normal; overflow-wrap: anywhere; text-overflow: clip;
}
"""


def readable() -> None:
    """Once a run: the few rules of style that the theme's settings cannot say."""
    dark = _DARK_FIX % (DARK.paper, DARK.gain) if palette() is DARK else ""
    st.html(f"<style>{_TOUCH_FIX}{_TABLE_TOOLS}{_WRAP}{dark}</style>")


def ink_on(colour: str) -> str:
    """The darkest or the lightest of our colours, whichever is read better on `colour` ("#RRGGBB")."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]  # WCAG 2
    return LIGHT.paper if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.056 else LIGHT.text


_forced: ContextVar[Palette | None] = ContextVar("palette", default=None)


@contextmanager
def use(colours: Palette) -> Iterator[None]:
    """Draw with these colours whatever the visitor's theme: a report on white paper, say."""
    token = _forced.set(colours)
    try:
        yield
    finally:
        _forced.reset(token)


def palette() -> Palette:
    """The palette of the theme the visitor sees; light outside a running page."""
    return _forced.get() or (DARK if st.context.theme.type == "dark" else LIGHT)
