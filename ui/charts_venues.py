"""What each venue asks, drawn."""

from collections.abc import Sequence

import plotly.graph_objects as go

from margin.venues import VenueMargin
from ui.charts_base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.formats import short_money
from ui.theme import palette


def asked(found: Sequence[VenueMargin]) -> go.Figure:
    """Initial margin (bar) and maintenance margin (mark) of each venue and mode, least first."""
    colours = palette()
    rows = list(range(len(found)))
    texts = [short_money(m.initial) for m in found]
    width = column_width(texts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "initial margin",
        "y": rows,
        "x": [round(m.initial, 2) for m in found],
        "marker": {"color": colours.gain, "line": {"width": 0}},
        "hovertemplate": "initial %{x:$,.0f}<extra></extra>",
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": "maintenance margin",
        "y": rows,
        "x": [round(m.maintenance, 2) for m in found],
        "marker": {"symbol": "line-ns-open", "size": 18, "color": colours.loss, "line": {"width": 3}},
        "hovertemplate": "maintenance %{x:$,.0f}<extra></extra>",
    }
    return drawn(
        colours,
        110 + 44 * len(found),
        [bars, marks],
        xaxis={**DOLLARS, "rangemode": "tozero"},
        yaxis=name_axis([f"{safe(m.venue)}<br>{m.mode}" for m in found], colours),
        margin={"r": width, "t": 44},
        annotations=amount_column(texts, colours),
        **legend_above(colours),
    )
