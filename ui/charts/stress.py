"""Stress drawn: events by position, the grid of spot and volatility, a path through the record, the reverse stress."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.stress.shocks import ShockGrid, Stressed, StressPath
from ui.blocks.formats import short_money, signed_money
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe, symbol_name
from ui.charts.heat import columns_above, heat, profit_scale, rows_down


def events(found: Sequence[Stressed], symbols: Sequence[str]) -> go.Figure:
    """Profit and loss of each position (columns) in each event (rows), and of the whole."""
    colours = palette()
    columns = [*symbols, "collateral", "all"]
    table = np.array([[*s.by_position, s.collateral_change, s.pnl + s.collateral_change] for s in found])
    most = max(float(np.abs(table).max()), 1.0)
    marks = [_mark(s) for s in found]
    texts = [[signed_money(v) if abs(v) >= 0.5 else "0" for v in row] for row in table]
    return drawn(
        colours,
        90 + 30 * len(found),
        [heat(table, texts, profit_scale(colours), -most, most)],
        xaxis=columns_above([symbol_name(c) for c in columns]),
        yaxis=rows_down([f"{mark}{safe(_short(s.name))}" for mark, s in zip(marks, found, strict=True)]),
    )


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:28].rstrip()}…"


def _mark(s: Stressed) -> str:
    """✕ where the pool is liquidated, ! where only isolated accounts are."""
    return "✕ " if s.cross_liquidated else "! " if any(s.liquidated_alone) else ""


def grid(found: ShockGrid) -> go.Figure:
    """Profit and loss on spot (rows) and volatility (columns)."""
    colours = palette()
    most = max(float(np.abs(found.pnl).max()), 1.0)
    texts = [
        [f"{signed_money(v) if abs(v) >= 0.5 else '0'}{' ✕' if e < 0 else ''}" for v, e in zip(row, left, strict=True)]
        for row, left in zip(found.pnl, found.equity, strict=True)
    ]
    return drawn(
        colours,
        90 + 30 * len(found.spot),
        [heat(found.pnl, texts, profit_scale(colours), -most, most)],
        xaxis=columns_above([f"vol {100 * v:+.0f}%" for v in found.vol]),
        yaxis=rows_down([f"{100 * s:+.0f}%" for s in found.spot], title="every price"),
    )


def path(found: StressPath, symbols: Sequence[str], floor: float) -> go.Figure:
    """Equity of the pool and of every isolated account over what each requires; liquidation at the dashed line."""
    colours = palette()
    days = [str(d)[:10] for d in found.dates]
    layers: list[dict[str, Any]] = []
    for i, symbol in enumerate(symbols):
        if found.alone[i] <= 0:
            continue
        layers.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": safe(symbol),
                "x": days,
                "y": np.round(found.silos[:, i] / found.alone[i], 4).tolist(),
                "line": {"color": colours.series[1 + i % 9], "width": 1.5, "dash": "dot"},
                "hovertemplate": f"%{{x|%d %b %Y}}: {safe(symbol)} alone %{{y:.2f}}<extra></extra>",
            }
        )
    health = found.health
    if health is not None:
        layers.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "the pool",
                "x": days,
                "y": np.round(health, 4).tolist(),
                "line": {"color": colours.gain, "width": 3},
                "hovertemplate": "%{x|%d %b %Y}: pool %{y:.2f}<extra></extra>",
            }
        )
    line = {"color": colours.loss, "width": 1.5, "dash": "dash"}
    return drawn(
        colours,
        380,
        layers,
        xaxis={"type": "date", "showgrid": False},
        yaxis={"title": "health: equity / requirement", "nticks": 8},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": floor, "y1": floor, "line": line}],
        margin={"t": 60},
        **legend_above(colours),
    )


def moves(found: dict[str, float]) -> go.Figure:
    """How far each price moves."""
    colours = palette()
    names = sorted(found, key=lambda a: found[a])
    texts = [f"{100 * found[a]:+.0f}%" for a in names]
    width = column_width(texts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": [round(found[a], 5) for a in names],
        "marker": {"color": [colours.loss if found[a] < 0 else colours.gain for a in names], "line": {"width": 0}},
        "hovertemplate": "%{x:+.1%}<extra></extra>",
    }
    return drawn(
        colours,
        60 + 32 * len(names),
        [bars],
        xaxis={"tickformat": "+~%", "nticks": 6},
        yaxis=name_axis([safe(a) for a in names], colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
    )


def losses(names: Sequence[str], amounts: Sequence[float]) -> go.Figure:
    """A few amounts of dollars beside each other."""
    colours = palette()
    texts = [short_money(a) for a in amounts]
    width = column_width(texts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": [round(a, 2) for a in amounts],
        "marker": {"color": colours.loss, "line": {"width": 0}},
        "hovertemplate": "%{x:$,.0f}<extra></extra>",
    }
    return drawn(
        colours,
        60 + 34 * len(names),
        [bars],
        xaxis={**DOLLARS, "rangemode": "tozero"},
        yaxis=name_axis([safe(n) for n in names], colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
    )
