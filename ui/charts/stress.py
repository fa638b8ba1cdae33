"""Stress drawn: events by position, the grid of spot and volatility, a path through the record, the reverse stress."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.core.instruments import parse_symbol
from margin.stress.paths import StressPath, Track
from margin.stress.shocks import ShockGrid, Stressed
from ui.blocks.formats import moved, short_money, signed_money, tiny_money
from ui.blocks.theme import Palette, palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.heat import columns_above, heat, profit_scale, rows_down


def events(found: Sequence[Stressed], symbols: Sequence[str]) -> go.Figure:
    """Profit and loss of each position (columns) in each event (rows), of collateral, and of the whole.

    Made for a phone: of more than six positions the five that move most have columns of their own.
    """
    colours = palette()
    table = np.array([s.by_position for s in found]).reshape(len(found), len(symbols))
    names = column_names(symbols)
    if len(symbols) > MOST_COLUMNS:
        order = np.argsort(-np.abs(table).max(axis=0), kind="stable")
        own, others = np.sort(order[: MOST_COLUMNS - 1]), order[MOST_COLUMNS - 1 :]
        table = np.column_stack([table[:, own], table[:, others].sum(axis=1)])
        names = [*(names[i] for i in own), f"{len(others)}<br>others"]
    table = np.column_stack([table, [s.collateral_change for s in found], [s.change for s in found]])
    most = max(float(np.abs(table).max()), 1.0)
    texts = [[tiny_money(v) for v in row] for row in table]
    size = 12 if table.shape[1] <= 4 else 11 if table.shape[1] <= 6 else 9
    full = [[signed_money(v) if abs(v) >= 0.5 else "$0" for v in row] for row in table]
    rows = [f"{_mark(s)}{_two_lines(s.name)}" for s in found]
    hover = "%{y}: %{customdata}<extra></extra>"
    cells = heat(table, texts, profit_scale(colours), -most, most, size=size, hover=hover, customdata=full)
    return drawn(
        colours,
        90 + 34 * len(rows),
        [cells],
        xaxis=columns_above(
            [*names, "colla-<br>teral", "<b>all</b>"], tickangle=0, tickfont={"color": colours.muted, "size": size}
        ),
        yaxis=rows_down(rows, tickfont={"color": colours.muted, "size": 12}),
    )


MOST_COLUMNS = 6  # of positions; with collateral and the whole that is what 390 pixels hold
KINDS = {"spot": "spot", "perpetual": "perp", "loan": "lent"}


def column_names(symbols: Sequence[str]) -> list[str]:
    """Short names in lines of at most six signs or so: the asset, then what tells it from others of that asset."""
    names = []
    for symbol in symbols:
        asset = parse_symbol(symbol)
        lines = [KINDS.get(asset.kind, asset.kind)]
        if asset.strike is not None and asset.expiry:
            strike = f"{asset.strike / 1e3:g}k" if asset.strike >= 1e3 else f"{asset.strike:g}"
            lines = [f"{strike} {asset.option_type}", f"{asset.expiry:%d%b}"]
        elif asset.expiry:
            lines = [f"{asset.expiry:%d%b}", f"{asset.expiry:%Y}"]
        names.append("<br>".join(safe(line) for line in (asset.base, *lines)))
    return names


def _two_lines(name: str, width: int = 20) -> str:
    """A long name in two lines, so that it leaves room for the cells."""
    first, *more = textwrap.wrap(name, max(width, (len(name) + 1) // 2 + 2), break_on_hyphens=False)
    return "<br>".join([safe(first), *([safe(" ".join(more))] if more else [])])


def _mark(s: Stressed) -> str:
    """✕ where anything is liquidated as it is held, ! where only in isolated accounts of their own."""
    return "✕ " if s.liquidated else "! " if any(s.liquidated_alone) else ""


def grid(found: ShockGrid) -> go.Figure:
    """Profit and loss on spot (rows) and volatility (columns)."""
    colours = palette()
    most = max(float(np.abs(found.change).max()), 1.0)
    texts = [
        [f"{tiny_money(v)}{' ✕' if dead else ''}" for v, dead in zip(row, gone, strict=True)]
        for row, gone in zip(found.change, found.liquidated, strict=True)
    ]
    return drawn(
        colours,
        90 + 30 * len(found.spot),
        [heat(found.change, texts, profit_scale(colours), -most, most)],
        xaxis=columns_above([moved(v) for v in found.vol], title="implied volatility"),
        yaxis=rows_down([moved(s) for s in found.spot], title="every price"),
    )


MOST_NAMED = 4  # positions alone that the legend of a path names one by one
HIGHEST_HEALTH = 10.0  # above it a line is drawn at the edge: what matters lies near 1


def path(found: StressPath) -> go.Figure:
    """Health of what is held (thick) and of each position alone (dotted); liquidation at the dashed line."""
    colours = palette()
    days = list(found.path.labels)
    layers: list[dict[str, Any]] = []
    many = len(found.alone) > MOST_NAMED
    for i, track in enumerate(found.alone):
        looks = {"color": colours.muted if many else colours.series[1 + i % 9], "width": 1.5, "dash": "dot"}
        lines = _health_line(track, f"{track.name} alone", days, looks)
        named = {"showlegend": not layers, "name": "each position alone"} if many else {}
        layers += [line | named for line in lines]
    for i, track in enumerate(t for t in found.held if t.positions):
        looks = {"color": colours.gain if i == 0 else colours.series[i % 10], "width": 3}
        layers += _health_line(track, track.name, days, looks)
    line = {"color": colours.loss, "width": 1.5, "dash": "dash"}
    return drawn(
        colours,
        380,
        layers,
        xaxis={"type": "date", "showgrid": False},
        yaxis={"title": "health: equity / maintenance", "nticks": 8},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1.0, "y1": 1.0, "line": line}],
        margin={"t": 60},
        **legend_above(colours),
    )


def _health_line(track: Track, name: str, days: list[str], looks: dict[str, Any]) -> list[dict[str, Any]]:
    if track.health is None:
        return []
    shown = np.clip(np.round(track.health, 4), -HIGHEST_HEALTH, HIGHEST_HEALTH)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": safe(name),
            "x": days,
            "y": [None if np.isnan(v) else float(v) for v in shown],
            "customdata": [None if np.isnan(v) else float(v) for v in np.round(track.health, 4)],
            "line": looks,
            "hovertemplate": f"%{{x|%d %b %Y}}: {safe(name)} %{{customdata:.2f}}<extra></extra>",
        }
    ]


def moves(found: dict[str, float]) -> go.Figure:
    """How far each price moves."""
    colours = palette()
    names = sorted(found, key=lambda a: found[a])
    texts = [moved(found[a]) for a in names]
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
        xaxis={"title": "move of the price", "tickformat": "+~%", "nticks": 6},
        yaxis=name_axis([safe(a) for a in names], colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
    )


def profits(names: Sequence[str], amounts: Sequence[float]) -> go.Figure:
    """Profit (right) and loss (left) beside each other, each with its sign."""
    colours = palette()
    return _bars(names, amounts, [signed_money(a) for a in amounts], profit=True, tozero=False, colours=colours)


def costs(names: Sequence[str], amounts: Sequence[float]) -> go.Figure:
    """A few costs beside each other."""
    colours = palette()
    return _bars(names, amounts, [short_money(a) for a in amounts], profit=False, tozero=True, colours=colours)


def _bars(
    names: Sequence[str], amounts: Sequence[float], texts: list[str], *, profit: bool, tozero: bool, colours: Palette
) -> go.Figure:
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": [round(a, 2) for a in amounts],
        "marker": {
            "color": [colours.gain if profit and a >= 0 else colours.loss for a in amounts],
            "line": {"width": 0},
        },
        "hovertemplate": "%{x:$,.0f}<extra></extra>",
    }
    return drawn(
        colours,
        60 + 34 * len(names),
        [bars],
        xaxis={
            **DOLLARS,
            "title": "profit or loss" if profit else "cost of closing",
            **({"rangemode": "tozero"} if tozero else {}),
        },
        yaxis=name_axis([safe(n) for n in names], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )
