"""The heat map: coloured cells with their figures in them, rows from the top, column names above."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ui.blocks.formats import true_minus
from ui.blocks.theme import Palette, ink_on

SAID = "%{text}<extra></extra>"
HEADROOM = 1.35  # of a scale above its largest figure: the brightest colour leaves no room for text


def heat(
    values: np.ndarray,
    texts: Sequence[Sequence[str]] | None,
    scale: Sequence[str],
    low: float,
    high: float,
    *,
    digits: int = 2,
    size: int = 12,
    gap: int = 1,
    hover: str | None = SAID,
    **more: Any,
) -> dict[str, Any]:
    """One layer of cells.

    values : (rows, columns); nan is an empty cell
    texts : what stands in each cell; None writes nothing
    scale : colours from `low` to `high`, evenly spaced
    hover : plotly's template of what is said when a cell is pointed at; None says nothing
    """
    stops = [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)]
    said = {"hoverinfo": "none"} if hover is None else {"hovertemplate": hover}
    written: dict[str, Any] = {}
    if texts is not None:
        font = {"size": size, "color": _common_ink(scale)}
        written = {"text": _said(values, texts, scale, low, high), "texttemplate": "%{text}", "textfont": font}
    return {
        "type": "heatmap",
        "z": numbers(values, digits),
        "zmin": low,
        "zmax": high,
        "colorscale": stops,
        "showscale": False,
        "xgap": gap,
        "ygap": gap,
        "hoverongaps": False,
        **written,
        **said,
        **more,
    }


def redrawn(
    values: np.ndarray, texts: Sequence[Sequence[str]], scale: Sequence[str], low: float, high: float, digits: int = 2
) -> dict[str, Any]:
    """The same layer with other figures: one frame of a film."""
    return {"type": "heatmap", "z": numbers(values, digits), "text": _said(values, texts, scale, low, high)}


def numbers(values: np.ndarray, digits: int = 2) -> list[list[float | None]]:
    """Rows for plotly: rounded, empty where there is no figure."""
    return [[None if np.isnan(v) else round(float(v), digits) for v in row] for row in values]


def _said(
    values: np.ndarray, texts: Sequence[Sequence[str]], scale: Sequence[str], low: float, high: float
) -> list[list[str]]:
    """The texts, each in the ink that is read best on its cell; plotly's own choice is grey on strong orange."""
    usual = _common_ink(scale)
    places = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12), 0.0, 1.0)
    inks = [[ink_at(tuple(scale), round(float(at), 2)) for at in row] for row in places]
    return [
        [_inked(true_minus(text), ink, usual) for text, ink in zip(*row, strict=True)]
        for row in zip(texts, inks, strict=True)
    ]


def _inked(text: str, ink: str, usual: str) -> str:
    return text if ink == usual or not text else f'<span style="color:{ink}">{text}</span>'


def _common_ink(scale: Sequence[str]) -> str:
    """What most cells are written in: the ink of the scale's quiet colour."""
    return ink_on(scale[1] if len(scale) == 3 else scale[0])


@lru_cache(maxsize=2048)
def ink_at(scale: tuple[str, ...], place: float) -> str:
    """The ink for a cell at `place` (0..1) of a scale of evenly spaced colours "#RRGGBB"."""
    first = min(int(place * (len(scale) - 1)), len(scale) - 2)
    part = place * (len(scale) - 1) - first
    pair = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in scale[first : first + 2]]
    return ink_on("#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in zip(*pair, strict=True)))


def profit_scale(colours: Palette) -> tuple[str, str, str]:
    """From loss to profit; what lies between has no colour."""
    gain, middle, loss = colours.scale
    return loss, middle, gain


def columns_above(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """The x axis of cells: one name over each column. Names are safe already."""
    return {**_names(names, (-0.5, len(names) - 0.5)), "side": "top", **more}


def rows_down(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """The y axis of cells: one name beside each row, the first on top."""
    return {**_names(names, (len(names) - 0.5, -0.5)), **more}


def _names(names: Sequence[str], reach: tuple[float, float]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [true_minus(name) for name in names],
        "range": list(reach),
        "showgrid": False,
        "zeroline": False,
    }
