"""One chart per step of the Learn page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.lessons import EventDay
from ui.charts_base import DOLLARS, drawn
from ui.formats import short_money
from ui.theme import Palette, palette

HEIGHT = 380


def _line(at: float, colours: Palette, axis: str = "x", colour: str = "") -> dict[str, Any]:
    """A dashed line across the whole chart at one value of the axis."""
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1}
    style = {"color": colour or colours.text, "width": 2, "dash": "dash"}
    return {"type": "line", **ends, f"{other}ref": "paper", "line": style}


def _note(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": 15}, **more}


def bell(x: np.ndarray, density: np.ndarray, margin: float) -> go.Figure:
    """A day's profit and loss of one position, the losses beyond the margin filled, the margin marked."""
    colours = palette()
    beyond = x <= -margin
    curve = {"type": "scatter", "mode": "lines", "fill": "tozeroy", "hoverinfo": "skip"}
    soft = {**curve, "x": x, "y": density, "line": {"color": colours.gain, "width": 3}}
    tail = {**curve, "x": x[beyond], "y": density[beyond], "line": {"color": colours.loss, "width": 3}}
    return drawn(
        colours,
        HEIGHT,
        [{**soft, "fillcolor": "rgba(90,140,200,0.18)"}, {**tail, "fillcolor": colours.loss}],
        {**DOLLARS, "title": {"text": "profit or loss in a day"}},
        {"showticklabels": False, "rangemode": "tozero", "showgrid": False},
        shapes=[_line(-margin, colours)],
        annotations=[_note(f"margin {short_money(margin)}", -margin, 0.97, yref="paper", xanchor="right", xshift=-6)],
    )


def bars(names: Sequence[str], values: Sequence[float]) -> go.Figure:
    """What is left in each account, in dollars: orange and marked when less than nothing is."""
    colours = palette()
    widest = max(abs(v) for v in values) or 1.0
    data = {
        "type": "bar",
        "x": list(names),
        "y": [round(v, 2) for v in values],
        "marker": {"color": [colours.loss if v < 0 else colours.gain for v in values]},
        "text": [f"{'▼ ' if v < 0 else ''}{short_money(v)}" for v in values],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 16, "color": colours.text},
        "hovertemplate": "%{x}: %{y:$,.0f}<extra></extra>",
    }
    span = [min(*values, 0.0) - 0.2 * widest, max(*values, 0.0) + 0.2 * widest]
    return drawn(colours, HEIGHT, [data], {"showgrid": False, "tickfont": {"size": 14}}, {**DOLLARS, "range": span})


def by_correlation(rho: np.ndarray, margins: np.ndarray, silos: float, now: tuple[float, float]) -> go.Figure:
    """Pooled margin for every correlation, the silos' as a line on top, the chosen one marked."""
    colours = palette()
    curve = {
        "type": "scatter",
        "x": rho,
        "y": margins,
        "mode": "lines",
        "line": {"color": colours.gain, "width": 3.5},
        "hovertemplate": "correlation %{x:.2f}: %{y:$,.0f}<extra></extra>",
    }
    ring = {"size": 16, "color": colours.gain, "line": {"width": 3, "color": colours.paper}}
    dot = {"type": "scatter", "x": [now[0]], "y": [now[1]], "mode": "markers", "marker": ring, "hoverinfo": "skip"}
    text = f"two silos: {short_money(silos)}, whatever the correlation"
    return drawn(
        colours,
        HEIGHT,
        [curve, dot],
        {"range": [-1.04, 1.04], "tickvals": [-1, -0.5, 0, 0.5, 1], "title": {"text": "correlation"}},
        {**DOLLARS, "range": [0, silos * 1.15]},
        shapes=[_line(silos, colours, "y", colours.loss)],
        annotations=[_note(text, -1, silos, xanchor="left", yanchor="bottom", font={"size": 14})],
    )


def two_curves(capital: np.ndarray, silos: np.ndarray, pool: np.ndarray, gap: tuple[float, float, float]) -> go.Figure:
    """Probability of running out against capital; gap = (pooled, silos, probability) marks what is saved there."""
    colours = palette()
    curves: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": capital,
            "y": np.maximum(values, 1e-6),
            "mode": "lines",
            "line": {"color": colour, "width": 3, "dash": dash},
            "name": name,
            "hovertemplate": f"{name}: %{{x:$,.0f}} runs out with %{{y:.2%}}<extra></extra>",
        }
        for name, values, colour, dash in (
            ("silos", silos, colours.loss, "dash"),
            ("one pool", pool, colours.gain, "solid"),
        )
    ]
    arrows = {
        "type": "scatter",
        "x": [gap[0], gap[1]],
        "y": [gap[2], gap[2]],
        "mode": "lines+markers",
        "showlegend": False,
        "hoverinfo": "skip",
        "line": {"color": colours.text, "width": 2},
        "marker": {"size": 11, "color": colours.text, "symbol": ["triangle-left", "triangle-right"]},
    }
    text = f"{short_money(gap[1] - gap[0])} saved"
    ticks = {"tickvals": [0.001, 0.01, 0.1, 1.0], "ticktext": ["0.1%", "1%", "10%", "100%"]}
    return drawn(
        colours,
        HEIGHT,
        [*curves, arrows],
        {**DOLLARS, "title": {"text": "capital held"}},
        {"type": "log", "range": [-3.3, 0.05], **ticks},
        showlegend=True,
        legend={"orientation": "h", "y": 1.1, "x": 0, "font": {"size": 14}},
        annotations=[_note(text, (gap[0] + gap[1]) / 2, float(np.log10(gap[2])), yshift=14)],
    )


def events(days: Sequence[EventDay]) -> go.Figure:
    """Loss over each named event as a share of the pooled margin set the day before; beyond 100% it was not enough."""
    colours = palette()
    ordered = sorted(days, key=lambda d: d.share)
    shares = [100 * d.share for d in ordered]
    data = {
        "type": "bar",
        "orientation": "h",
        "y": [_short(d) for d in ordered],
        "x": [round(s, 1) for s in shares],
        "marker": {"color": [colours.loss if s > 100 else colours.gain for s in shares]},
        "text": [f"{'▲ ' if s > 100 else ''}{s:.0f}%" for s in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": colours.text},
        "hovertext": [f"{d.name}, {d.start} to {d.end}" for d in ordered],
        "hovertemplate": "%{hovertext}: %{x:.0f}% of the margin<extra></extra>",
    }
    span = [min([0.0, *shares]) - 30, max([100.0, *shares]) + 30]
    title = {"text": "loss, % of the margin held"}
    return drawn(
        colours,
        60 + 27 * len(ordered),
        [data],
        {"range": span, "ticksuffix": "%", "title": title},
        {"showgrid": False},
        shapes=[_line(100, colours)],
    )


def _short(day: EventDay) -> str:
    """An event's name short enough for the axis of a phone, and its year."""
    words = day.name.partition(" (")[0].partition(",")[0]
    return f"{words if len(words) <= 22 else words[:21].rstrip() + '…'} {day.start[:4]}"
