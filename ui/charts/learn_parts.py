"""What the charts of the Learn page share: type, lines, words and tints."""

from typing import Any

import plotly.graph_objects as go

from ui.blocks.theme import Palette
from ui.charts.base import drawn

HEIGHT = 350
TYPE = 15


def large(
    colours: Palette,
    data: list[dict[str, Any]],
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
    height: int = HEIGHT,
    **more: Any,
) -> go.Figure:
    """A drawn figure in type that can be read from the last row."""
    font = {"color": colours.text, "size": TYPE}
    axes = [{"tickfont": {"color": colours.text, "size": TYPE}, **axis} for axis in (xaxis, yaxis)]
    return drawn(colours, height, data, *axes, **{"font": font, "hoverlabel": {"align": "left", "font": font}, **more})


def axis_title(text: str, colours: Palette) -> dict[str, Any]:
    """What an axis is called."""
    return {"text": text, "font": {"color": colours.muted, "size": TYPE}}


def line_at(at: float, colour: str, axis: str = "x", dash: str = "dash") -> dict[str, Any]:
    """A line across the whole chart at one value of the axis."""
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1}
    return {"type": "line", **ends, f"{other}ref": "paper", "line": {"color": colour, "width": 2.5, "dash": dash}}


def words_at(text: str, x: float, y: float, colours: Palette, **more: Any) -> dict[str, Any]:
    """Words at a place of the chart."""
    font = {"size": TYPE + 1, "color": colours.text}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font, **more}
