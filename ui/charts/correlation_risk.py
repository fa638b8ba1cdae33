"""What correlation means for risk: how much moves as one, how long a figure keeps, what the book's margin becomes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.correlation.market_mode import MarketMode
from margin.correlation.persistence import Persistence
from margin.sample.events import Event
from margin.stress.correlation_breaks import Breaks
from margin.stress.correlation_what_if import MarginCurve, WhatIf
from ui.blocks.formats import short_money
from ui.blocks.theme import palette
from ui.charts.base import BAR_HEIGHT, DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.correlation import event_lines, event_marks


def mode(found: MarketMode, events: Sequence[Event]) -> go.Figure:
    """Average correlation, and the part of all movement that the first eigenvector carries."""
    colours = palette()
    fine = np.isfinite(found.average) & np.isfinite(found.share)
    days = [str(d)[:10] for d in found.dates[fine]]
    lines: list[dict[str, Any]] = []
    for name, values, colour, dash in (
        ("average correlation", found.average[fine], colours.gain, "solid"),
        ("share of the first eigenvalue", found.share[fine], colours.loss, "dash"),
    ):
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": days,
                "y": np.round(values, 4).tolist(),
                "line": {"color": colour, "width": 2, "dash": dash},
                "hovertemplate": f"%{{x|%d %b %Y}}: {name} %{{y:.2f}}<extra></extra>",
            }
        )
    return drawn(
        colours,
        340,
        [*lines, *({**mark, "showlegend": False} for mark in event_marks(events, days, colours, 1.06))],
        xaxis={"type": "date", "showgrid": False},
        yaxis={
            "title": "correlation, share",
            "range": [min(0.0, float(np.nanmin(found.average, initial=0.0))) - 0.02, 1.12],
            "nticks": 7,
        },
        shapes=event_lines(events, days, colours),
        margin={"t": 52},
        **legend_above(colours),
    )


def persistence(lives: Sequence[Persistence]) -> go.Figure:
    """Typical move of each pair's correlation within the next returns (bar to the 90th percentile), beside noise."""
    colours = palette()
    names = [safe("/".join(life.pair)) for life in lives]
    rows = list(range(len(lives)))
    texts = [f"{life.median:.2f}" for life in lives]
    width = column_width(texts)
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": rows,
            "x": [round(life.p90 or 0.0, 4) for life in lives],
            "marker": {"color": "rgba(0,0,0,0)", "line": {"color": colours.muted, "width": 1}},
            "hovertemplate": "9 in 10 moves are below %{x:.2f}<extra></extra>",
        },
        {
            "type": "bar",
            "orientation": "h",
            "y": rows,
            "x": [round(life.median or 0.0, 4) for life in lives],
            "marker": {"color": colours.gain, "line": {"width": 0}},
            "hovertemplate": "half of all moves are below %{x:.2f}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "y": rows,
            "x": [round(life.noise_median or 0.0, 4) for life in lives],
            "marker": {"symbol": "line-ns-open", "size": 16, "color": colours.loss, "line": {"width": 3}},
            "hovertemplate": "sampling noise alone would show %{x:.2f}<extra></extra>",
        },
    ]
    return drawn(
        colours,
        70 + BAR_HEIGHT * len(lives),
        data,
        xaxis={"title": "correlation moved by", "rangemode": "tozero", "nticks": 6},
        yaxis=name_axis(names, colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
        barmode="overlay",
    )


def what_if(curve: MarginCurve, pair: tuple[str, str], seen: WhatIf, at: float, measured: float) -> go.Figure:
    """The book's margin over the correlations of one pair that are possible; where it is, and where it would be."""
    colours = palette()
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": np.round(curve.correlations, 4).tolist(),
        "y": np.round(curve.margins, 2).tolist(),
        "line": {"color": colours.gain, "width": 2.5},
        "hovertemplate": "at %{x:.2f}: %{y:$,.0f}<extra></extra>",
    }
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [round(measured, 4), round(at, 4)],
        "y": [round(seen.margin_now, 2), round(seen.margin, 2)],
        "marker": {"size": [10, 14], "color": [colours.total, colours.loss], "symbol": ["circle", "diamond"]},
        "hovertemplate": "%{x:.2f}: %{y:$,.0f}<extra></extra>",
    }
    top = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": seen.isolated,
        "y1": seen.isolated,
        "line": {"color": colours.loss, "width": 1.5, "dash": "dash"},
    }
    note = {
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": seen.isolated,
        "yanchor": "bottom",
        "text": f"isolated {short_money(seen.isolated)}",
        "showarrow": False,
        "font": {"color": colours.loss_text},
    }
    first, second = (safe(a) for a in pair)
    return drawn(
        colours,
        320,
        [line, dots],
        xaxis={"range": [-1.04, 1.04], "title": f"correlation of {first} and {second}"},
        yaxis={**DOLLARS, "title": "margin", "range": [0, 1.18 * max(seen.isolated, float(curve.margins.max()))]},
        shapes=[top],
        annotations=[note],
    )


def breaks(found: Breaks) -> go.Figure:
    """The book's margin under every break."""
    colours = palette()
    names = [line.name for line in found.lines]
    texts = [short_money(line.margin) for line in found.lines]
    width = column_width(texts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": [round(line.margin, 2) for line in found.lines],
        "marker": {"color": [colours.total if line.key == "now" else colours.loss for line in found.lines]},
        "hovertemplate": "%{x:$,.0f}<extra></extra>",
    }
    labels = [name.replace(" so far", "<br>so far").replace(" the book", "<br>the book") for name in names]
    return drawn(
        colours,
        60 + 42 * len(names),
        [bars],
        xaxis={**DOLLARS, "rangemode": "tozero", "title": "margin"},
        yaxis=name_axis(labels, colours),
        margin={"r": width},
        annotations=amount_column(texts, colours, [line.key == "now" for line in found.lines]),
    )
