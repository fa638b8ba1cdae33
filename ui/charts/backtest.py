"""The backtest drawn: margin and losses through time, the frontier, accounts left alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.backtest.accounts import MODES, AccountRecord
from margin.backtest.under_model import ModelBacktest
from margin.backtest.walk_forward import Backtest, MethodRecord
from margin.risk.estimators import estimators
from ui.blocks.theme import Palette, palette
from ui.charts.base import DOLLARS, drawn, legend_above

DASHES = {"isolated": "dot", "netted": "dashdot", "portfolio": "solid", "safeguarded": "dash"}
ESTIMATOR_MARKS = {row.key: row.mark for row in estimators()}


def colour_of(record: MethodRecord, colours: Palette) -> str:
    if record.method.estimator != "historical":
        return colours.series[3]
    fixed = {"isolated": colours.muted, "netted": colours.series[2], "portfolio": colours.gain}
    return fixed.get(record.method.key, colours.series[4])


def through_time(found: Backtest, records: Sequence[MethodRecord], watched: MethodRecord) -> go.Figure:
    """Margins as lines, losses as bars, the days on which a loss passed the watched method's margin marked."""
    colours = palette()
    days = [str(d)[:10] for d in found.dates]
    losses = np.maximum(watched.losses, 0.0)
    bars = {
        "type": "bar",
        "name": "loss that followed",
        "x": days,
        "y": np.round(losses, 2).tolist(),
        "marker": {"color": colours.total, "line": {"width": 0}},
        "hovertemplate": "%{x|%d %b %Y}: lost %{y:$,.0f}<extra></extra>",
    }
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": record.method.name,
            "x": days,
            "y": np.round(record.required, 2).tolist(),
            "line": {"color": colour_of(record, colours), "width": 2, "dash": DASHES[record.method.key]},
            "hovertemplate": f"%{{x|%d %b %Y}}: {record.method.name} %{{y:$,.0f}}<extra></extra>",
        }
        for record in records
    ]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": f"beyond {watched.method.name.lower()}",
        "x": [d for d, hit in zip(days, watched.hits, strict=True) if hit],
        "y": np.round(losses[watched.hits], 2).tolist(),
        "marker": {"color": colours.loss, "size": 10, "symbol": "diamond"},
        "hovertemplate": "%{x|%d %b %Y}: lost %{y:$,.0f}, more than the margin<extra></extra>",
    }
    return drawn(
        colours,
        420,
        [bars, *lines, marks],
        xaxis={"type": "date", "showgrid": False},
        yaxis={**DOLLARS, "rangemode": "tozero", "title": "margin, loss of a day"},
        margin={"t": 60},
        bargap=0,
        **legend_above(colours),
    )


def frontier(found: Backtest) -> go.Figure:
    """Average capital saved (x) against how often the margin was exceeded (y), one point per method and level."""
    colours = palette()
    groups: dict[tuple[str, str], list[MethodRecord]] = {}
    for record in found.records:
        groups.setdefault((record.method.key, record.method.estimator), []).append(record)
    layers: list[dict[str, Any]] = []
    tints = dict(zip(groups, colours.series, strict=False))
    for key, records in groups.items():
        records = sorted(records, key=lambda r: r.level)
        layers.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": records[0].method.name.split(", 9")[0],
                "x": [round(found.saved_pct(r) or 0.0, 3) for r in records],
                "y": [round(100 * r.rate, 4) for r in records],
                "line": {"width": 1, "color": tints[key]},
                "marker": {"size": 11, "color": tints[key], "symbol": ESTIMATOR_MARKS[key[1]]},
                "customdata": [[f"{100 * r.level:g}%", f"{100 * r.expected:g}%"] for r in records],
                "hovertemplate": "level %{customdata[0]}: saves %{x:.0f}%, exceeded on %{y:.2f}% of days "
                "(at most %{customdata[1]} promised)<extra></extra>",
            }
        )
    return drawn(
        colours,
        440,
        layers,
        xaxis={"ticksuffix": "%", "title": "average capital saved beside isolated margin", "zeroline": False},
        yaxis={"ticksuffix": "%", "title": "days on which the margin was exceeded", "rangemode": "tozero"},
        margin={"t": 76},
        **legend_above(colours),
    )


def accounts(records: Sequence[AccountRecord]) -> go.Figure:
    """Final equity of each opening as a share of what was put in."""
    colours = palette()
    tints = {"isolated": colours.muted, "portfolio": colours.gain, "safeguarded": colours.loss}
    layers = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": MODES[record.mode],
            "x": [str(d)[:10] for d in record.opened],
            "y": np.round(100 * record.final / np.where(record.started > 0, record.started, 1.0), 2).tolist(),
            "line": {"color": tints[record.mode], "width": 1.5},
            "cliponaxis": False,
            "marker": {
                "size": 9,
                "color": tints[record.mode],
                "symbol": ["x" if n else "circle" for n in record.liquidated],
            },
            "hovertemplate": "opened %{x|%d %b %Y}: %{y:.0f}% of the money left<extra></extra>",
        }
        for record in records
    ]
    return drawn(
        colours,
        380,
        layers,
        xaxis={"type": "date", "showgrid": False},
        yaxis={"ticksuffix": "%", "rangemode": "tozero", "title": "left of what was put in"},
        margin={"t": 60},
        **legend_above(colours),
    )


def openings(found: ModelBacktest) -> go.Figure:
    """What is left of the money of each opening under one margin model; closed ones are crossed."""
    colours = palette()
    left = [100 * o.final / o.started if o.started > 0 else 0.0 for o in found.openings]
    layer = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": found.title,
        "x": [str(o.opened)[:10] for o in found.openings],
        "y": np.round(left, 2).tolist(),
        "line": {"color": colours.gain, "width": 1.5},
        "cliponaxis": False,  # what lost everything stands on the axis
        "marker": {
            "size": 9,
            "color": [colours.gain if o.closed is None else colours.loss for o in found.openings],
            "symbol": ["circle" if o.closed is None else "x" for o in found.openings],
        },
        "hovertemplate": "opened %{x|%d %b %Y}: %{y:.0f}% of the money left<extra></extra>",
    }
    return drawn(
        colours,
        380,
        [layer],
        xaxis={"type": "date", "showgrid": False},
        yaxis={"ticksuffix": "%", "rangemode": "tozero", "title": "left of what was put in"},
        margin={"t": 60},
        **legend_above(colours),
    )
