"""Correlation drawn: matrices as heatmaps (one, or a film of them), a pair's path, its returns, its leads and lags."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.correlation.frames import MatrixFrames
from margin.correlation.lead_lag import LeadLag
from margin.correlation.paths import PairPath
from margin.sample.events import Event
from ui.blocks.formats import number
from ui.blocks.theme import Palette, palette
from ui.charts.base import CLEAR, drawn, safe
from ui.charts.heat import columns_above, heat, redrawn, rows_down

SCATTER_POINTS = 1500
NAMED_PAIRS = 6


def film(frames: MatrixFrames) -> go.Figure:
    """The matrices as a heatmap with a slider and a play button; an invisible layer of points takes the clicks."""
    colours = palette()
    names, k = [safe(a) for a in frames.assets], len(frames.assets)
    last = len(frames.dates) - 1
    first, second = (axis.ravel() for axis in np.indices((k, k)))
    clicks = {
        "type": "scatter",
        "x": second.tolist(),
        "y": first.tolist(),
        "mode": "markers",
        "marker": {"size": max(10, min(44, 420 // k)), "symbol": "square", "opacity": 0.0},
        "selected": {"marker": {"opacity": 0.0}},
        "unselected": {"marker": {"opacity": 0.0}},
        "customdata": [f"{names[i]} and {names[j]}" for i, j in zip(first, second, strict=True)],
        "hovertemplate": "%{customdata}: click to follow this pair<extra></extra>",
    }
    steps = [
        {
            "label": str(date)[:10],
            "method": "animate",
            "args": [[str(i)], {"mode": "immediate", "frame": {"duration": 0}, "transition": {"duration": 0}}],
        }
        for i, date in enumerate(frames.dates)
    ]
    figure = drawn(
        colours,
        150 + max(220, min(40 * k, 520)),
        [_heat(frames.matrices[last], colours), clicks],
        **_asset_axes(names, colours),
        sliders=[
            {
                "active": last,
                "steps": steps,
                "currentvalue": {
                    "prefix": about(frames),
                    "xanchor": "right",
                    "font": {"color": colours.text, "size": 14},
                },
                "font": {"color": CLEAR, "size": 1},
                "ticklen": 0,
                "len": 0.86,
                "x": 0.14,
                "y": 0,
                "pad": {"t": 24, "b": 4},
                "bgcolor": colours.gain,
                "bordercolor": colours.grid,
            }
        ],
        updatemenus=[
            {
                "type": "buttons",
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 34},
                "bgcolor": colours.paper,
                "bordercolor": colours.grid,
                "font": {"color": colours.text},
                "buttons": [{"label": "▶ Play", "method": "animate", "args": [None, _PLAY]}],
            }
        ],
    )
    figure.frames = [
        go.Frame(data=[redrawn(m, _texts(m), colours.scale, -1.0, 1.0, 4)], traces=[0], name=str(i))
        for i, m in enumerate(frames.matrices)
    ]
    return figure


_PLAY = {
    "fromcurrent": False,
    "mode": "immediate",
    "frame": {"duration": 350, "redraw": True},
    "transition": {"duration": 0},
}


def about(frames: MatrixFrames) -> str:
    """What each matrix of a film rests on, to stand before its date."""
    if frames.method == "worst-days":
        return "Worst 5% of days up to "
    kind = "Half-life of " if frames.method == "ewma" else "Last "
    return f"{kind}{frames.window} returns up to "


def film_alt(frames: MatrixFrames) -> str:
    """The newest matrix in words: its highest and lowest pairs."""
    return f"Correlation of {', '.join(frames.assets)} on {str(frames.dates[-1])[:10]}. " + matrix_words(
        frames.assets, frames.matrices[-1]
    )


def matrix_words(assets: Sequence[str], matrix: np.ndarray) -> str:
    """The highest and the lowest pairs of a matrix."""
    first, second = np.triu_indices(len(assets), 1)
    values = matrix[first, second]
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(-values[known])]
    if not len(order):
        return "No pair has enough returns in common."
    shown = order if len(order) <= NAMED_PAIRS else [*order[: NAMED_PAIRS // 2], *order[-NAMED_PAIRS // 2 :]]
    pairs = [f"{assets[first[i]]}/{assets[second[i]]} {values[i]:.2f}" for i in shown]
    return f"{'Pairs' if len(shown) == len(order) else 'Highest and lowest pairs'}: {', '.join(pairs)}."


def heatmap(assets: Sequence[str], matrix: np.ndarray) -> go.Figure:
    """One matrix."""
    colours, names = palette(), [safe(a) for a in assets]
    return drawn(
        colours,
        60 + max(150, min(34 * len(assets), 420)),
        [_heat(matrix, colours)],
        **_asset_axes(names, colours),
    )


def _heat(matrix: np.ndarray, colours: Palette) -> dict[str, Any]:
    size = 12 if len(matrix) <= 7 else 10 if len(matrix) <= 11 else 8
    return heat(matrix, _texts(matrix), colours.scale, -1.0, 1.0, digits=4, size=size, hover=None)


def _texts(matrix: np.ndarray) -> list[list[str]]:
    """Two digits; of a large matrix without the zero before the point, so that a phone's cells hold them."""
    zero = "0" if len(matrix) <= 7 else ""
    return [["" if np.isnan(v) else number(float(v)).replace("0.", f"{zero}.") for v in row] for row in matrix]


def _asset_axes(names: Sequence[str], colours: Palette) -> dict[str, dict[str, Any]]:
    look = {
        "showline": False,
        "linecolor": CLEAR,
        "tickfont": {"color": colours.text, "size": 13 if len(names) <= 9 else 11},
    }
    return {"xaxis": columns_above(names, **look), "yaxis": rows_down(names, **look)}


def path(found: PairPath, events: Sequence[Event]) -> go.Figure:
    """One pair's correlation through time with its 95% band, fat tails counted, and the named events it met."""
    colours = palette()
    low, high = found.band(fat_tails=True)
    fine = np.isfinite(found.values)
    days = [str(d)[:10] for d in found.dates[fine]]
    values, low, high = found.values[fine], low[fine], high[fine]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": days,
        "y": np.round(values, 4).tolist(),
        "line": {"color": colours.gain, "width": 2},
        "hovertemplate": "%{x|%d %b %Y}: %{y:.2f}<extra></extra>",
    }
    edge = {"type": "scatter", "mode": "lines", "x": days, "line": {"width": 0}, "hoverinfo": "skip"}
    band = [
        {**edge, "y": np.round(low, 4).tolist()},
        {**edge, "y": np.round(high, 4).tolist(), "fill": "tonexty", "fillcolor": _tint(colours.gain)},
    ]
    return drawn(
        colours,
        300,
        [*band, line, *event_marks(events, days, colours, 1.12)],
        xaxis={"type": "date", "showgrid": False},
        yaxis={
            "title": "correlation",
            "range": [max(-1.02, float(low.min(initial=1.0)) - 0.08), 1.2],
            "tickvals": [-1, -0.5, 0, 0.5, 1],
        },
        shapes=event_lines(events, days, colours),
    )


def event_marks(events: Sequence[Event], days: Sequence[str], colours: Palette, height: float) -> list[dict[str, Any]]:
    """A mark above each named event that lies within the days drawn; its name when pointed at."""
    met = _met(events, days)
    if not met:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [str(e.start) for e in met],
            "y": [height] * len(met),
            "marker": {"symbol": "triangle-down", "size": 9, "color": colours.loss},
            "customdata": [safe(e.name) for e in met],
            "hovertemplate": "%{x|%d %b %Y}: %{customdata}<extra></extra>",
        }
    ]


def event_lines(events: Sequence[Event], days: Sequence[str], colours: Palette) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "x0": str(e.start),
            "x1": str(e.start),
            "yref": "paper",
            "y0": 0,
            "y1": 0.95,
            "line": {"color": colours.loss, "width": 1, "dash": "dot"},
            "layer": "below",
        }
        for e in _met(events, days)
    ]


def _met(events: Sequence[Event], days: Sequence[str]) -> list[Event]:
    return [e for e in events if days and days[0] <= str(e.start) <= days[-1]]


def _tint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


def returns(found: PairPath) -> go.Figure:
    """Each common return of the pair as a point, the newest window in the strong colour."""
    colours = palette()
    first, second = (safe(a) for a in found.pair)
    recent = min(round(found.window), len(found.returns))
    older = found.returns[max(0, len(found.returns) - SCATTER_POINTS) : len(found.returns) - recent]
    days = [str(d)[:10] for d in found.dates]
    layers = []
    for points, when, colour, opacity, size in (
        (older, days[len(days) - recent - len(older) : len(days) - recent], colours.total, 0.35, 5),
        (found.returns[-recent:], days[-recent:], colours.loss, 0.9, 6),
    ):
        layers.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": np.round(points[:, 0], 6).tolist(),
                "y": np.round(points[:, 1], 6).tolist(),
                "marker": {"color": colour, "opacity": opacity, "size": size, "line": {"width": 0}},
                "customdata": when,
                "hovertemplate": f"%{{customdata}}: {first} %{{x:+.1%}}, {second} %{{y:+.1%}}<extra></extra>",
            }
        )
    return drawn(
        colours,
        300,
        layers,
        xaxis={"title": f"{first} return", "tickformat": "+~%", "nticks": 7},
        yaxis={"title": f"{second} return", "tickformat": "+~%", "nticks": 7},
    )


def lead_lag(found: LeadLag) -> go.Figure:
    """Correlation at each lag with its band; what lies within the grey stripe is no different from nothing."""
    colours = palette()
    bars = {
        "type": "bar",
        "x": found.lags.tolist(),
        "y": np.round(found.values, 4).tolist(),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": np.round(found.high - found.values, 4).tolist(),
            "arrayminus": np.round(found.values - found.low, 4).tolist(),
            "color": colours.text,
            "thickness": 1,
            "width": 3,
        },
        "marker": {"color": [colours.gain if lag == 0 else colours.total for lag in found.lags], "line": {"width": 0}},
        "hovertemplate": "lag %{x}: %{y:.2f}<extra></extra>",
    }
    stripe = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -found.noise,
        "y1": found.noise,
        "fillcolor": colours.muted,
        "opacity": 0.18,
        "line": {"width": 0},
        "layer": "below",
    }
    title = f"steps that {safe(found.pair[1])} comes later"
    return drawn(
        colours,
        260,
        [bars],
        xaxis={"title": title, "dtick": 1},
        yaxis={"nticks": 6, "title": "correlation"},
        shapes=[stripe],
    )
