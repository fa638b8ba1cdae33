"""What each venue asks, drawn."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from margin.venues import VenueMargin
from margin.venues.base import Grid
from margin.venues.liquidation import Surface
from ui.blocks.formats import short_money, signed_money
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.heat import columns_above, heat, profit_scale, rows_down


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
        xaxis={**DOLLARS, "title": "margin", "rangemode": "tozero"},
        yaxis=name_axis([f"{safe(m.venue)}<br>{m.mode}" for m in found], colours),
        margin={"r": width, "t": 44},
        annotations=amount_column(texts, colours),
        **legend_above(colours),
    )


def modes(found: Sequence[VenueMargin]) -> go.Figure:
    """Initial and maintenance margin of one venue's modes, beside each other."""
    colours = palette()
    names = [m.mode for m in found]
    bars = [
        {
            "type": "bar",
            "name": word,
            "x": names,
            "y": [round(getattr(m, word), 2) for m in found],
            "marker": {"color": colour, "line": {"width": 0}},
            "text": [short_money(getattr(m, word)) for m in found],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": f"{word} %{{y:$,.0f}}<extra></extra>",
        }
        for word, colour in (("initial", colours.gain), ("maintenance", colours.loss))
    ]
    most = max((max(m.initial, m.maintenance) for m in found), default=0.0)
    return drawn(
        colours,
        300,
        bars,
        yaxis={**DOLLARS, "title": "margin", "range": [0, 1.15 * most or 1.0]},
        margin={"t": 44},
        barmode="group",
        bargap=0.35,
        **legend_above(colours),
    )


def grid(found: Grid) -> go.Figure:
    """PnL of the venue's scenarios; the binding cell carries a mark, cells the venue does not have are empty."""
    colours = palette()
    most = max(float(np.nanmax(np.abs(found.values))), 1.0)
    texts = [
        [_cell(float(v), (i, j) == found.binding) for j, v in enumerate(row)] for i, row in enumerate(found.values)
    ]
    return drawn(
        colours,
        80 + 28 * len(found.rows),
        [heat(found.values, texts, profit_scale(colours), -most, most)],
        xaxis=columns_above([safe(c) for c in found.columns]),
        yaxis=rows_down([safe(r) for r in found.rows], automargin=True),
    )


def _cell(value: float, binding: bool) -> str:
    if np.isnan(value):
        return ""
    return (signed_money(value) if abs(value) >= 0.5 else "0") + (" ◆" if binding else "")


def surface(found: Surface) -> go.Figure:
    """Money left before liquidation over two underlyings' moves, and the line where it begins."""
    colours = palette()
    names = safe(found.first), safe(found.second)
    percents = [round(100 * m, 1) for m in found.moves]
    most = max(float(np.abs(found.gap).max()), 1.0)
    hover = f"{names[0]} %{{x:+.0f}}%, {names[1]} %{{y:+.0f}}%: %{{z:$,.0f}}<extra></extra>"
    cells = heat(found.gap.T, None, profit_scale(colours), -most, most, gap=0, hover=hover, x=percents, y=percents)
    line = {
        "type": "contour",
        "x": percents,
        "y": percents,
        "z": found.gap.T.tolist(),
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": {"color": colours.text, "width": 2},
        "showscale": False,
        "hoverinfo": "skip",
    }
    today = {
        "type": "scatter",
        "mode": "markers",
        "x": [0],
        "y": [0],
        "marker": {"symbol": "cross-thin-open", "size": 12, "color": colours.text, "line": {"width": 2}},
        "hovertemplate": "today<extra></extra>",
        "showlegend": False,
    }
    axis = {"ticksuffix": "%", "showgrid": False, "zeroline": False, "range": [percents[0], percents[-1]]}
    return drawn(
        colours,
        420,
        [cells, line, today],
        xaxis={**axis, "title": f"move of {names[0]}"},
        yaxis={**axis, "title": f"move of {names[1]}"},
    )
