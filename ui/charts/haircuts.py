"""Haircuts drawn: by asset and component, against size, through time, and the two ways of holding the same coin."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.haircut.basket import Way
from margin.haircut.history import HaircutHistory
from margin.haircut.model import COMPONENTS, Haircut
from margin.sample.events import Event
from ui.blocks.formats import short_money
from ui.blocks.theme import Palette, palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.correlation import event_lines, event_marks

NAMES = {
    "tail": "Tail loss",
    "stress": "Stress",
    "depeg": "Depeg",
    "impact": "Market impact",
    "buffer": "Buffer",
    "floor_top_up": "Up to the floor",
}
ROW = 26


def _shown(lines: Sequence[Haircut]) -> list[str]:
    """Components that any line has; one that nobody has would only fill the legend."""
    return [name for name in COMPONENTS if any(line.parts[name] >= 0.00005 for line in lines)]


def _colour(colours: Palette, component: str) -> str:
    return {**dict(zip(COMPONENTS, colours.series, strict=False)), "floor_top_up": colours.muted}[component]


def by_asset(lines: Sequence[Haircut]) -> go.Figure:
    """One bar per asset, stacked by component, its total at the side."""
    colours = palette()
    rows = list(range(len(lines)))
    texts = [f"{100 * line.total:.1f}%" for line in lines]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": NAMES[component],
            "y": rows,
            "x": [round(line.parts[component], 6) for line in lines],
            "marker": {"color": _colour(colours, component), "line": {"width": 0}},
            "hovertemplate": f"{NAMES[component]}: %{{x:.2%}}<extra></extra>",
        }
        for component in _shown(lines)
    ]
    width = column_width(texts)
    return drawn(
        colours,
        110 + ROW * len(lines),
        bars,
        xaxis={"title": "haircut", "tickformat": "~%", "rangemode": "tozero", "nticks": 6},
        yaxis=name_axis([safe(line.asset) for line in lines], colours),
        margin={"r": width, "t": 54},
        annotations=amount_column(texts, colours),
        barmode="stack",
        **legend_above(colours),
    )


def words(lines: Sequence[Haircut]) -> str:
    return ", ".join(f"{line.asset} {100 * line.total:.1f}%" for line in lines)


def by_size(curve: Sequence[Haircut]) -> go.Figure:
    """The haircut against the size held, stacked by component; sizes on a logarithmic axis."""
    colours = palette()
    sizes = [line.size_usd for line in curve]
    areas = [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "haircut",
            "name": NAMES[component],
            "x": sizes,
            "y": [round(line.parts[component], 6) for line in curve],
            "line": {"width": 0.5, "color": _colour(colours, component)},
            "hovertemplate": f"{NAMES[component]} at %{{x:$~s}}: %{{y:.2%}}<extra></extra>",
        }
        for component in _shown(curve)
    ]
    return drawn(
        colours,
        360,
        areas,
        xaxis={
            "type": "log",
            "title": "held",
            "tickvals": [10.0**n for n in range(2, 13)],
            "ticktext": [short_money(10.0**n) for n in range(2, 13)],
        },
        yaxis={"tickformat": "~%", "rangemode": "tozero", "nticks": 6, "title": "haircut"},
        margin={"t": 54},
        **legend_above(colours),
    )


def through_time(found: HaircutHistory, events: Sequence[Event]) -> go.Figure:
    """The haircut of each date against the price drop that followed; drops beyond it stand out."""
    colours = palette()
    days = [str(d)[:10] for d in found.dates]
    known = np.isfinite(found.drops)
    over, under = known & found.exceeded, known & ~found.exceeded & (found.drops > 0)
    layers: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": "price drop that followed",
            "x": [d for d, u in zip(days, under, strict=True) if u],
            "y": np.round(found.drops[under], 5).tolist(),
            "marker": {"color": colours.total, "line": {"width": 0}},
            "hovertemplate": "%{x|%d %b %Y}: fell %{y:.1%} after<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "drop beyond the haircut",
            "x": [d for d, o in zip(days, over, strict=True) if o],
            "y": np.round(found.drops[over], 5).tolist(),
            "marker": {"color": colours.loss, "size": 9, "symbol": "diamond"},
            "hovertemplate": "%{x|%d %b %Y}: fell %{y:.1%} after, more than the haircut<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "haircut",
            "x": days,
            "y": np.round(found.totals, 5).tolist(),
            "line": {"color": colours.gain, "width": 2},
            "hovertemplate": "%{x|%d %b %Y}: haircut %{y:.1%}<extra></extra>",
        },
    ]
    top = 1.12 * max(float(found.totals.max()), float(np.nanmax(found.drops, initial=0.0)), 0.01)
    return drawn(
        colours,
        380,
        [*layers, *({**m, "showlegend": False} for m in event_marks(events, days, colours, 0.97 * top))],
        xaxis={"type": "date", "showgrid": False},
        yaxis={"title": "haircut, fall", "tickformat": "~%", "range": [0, top], "nticks": 7},
        margin={"t": 54},
        shapes=event_lines(events, days, colours),
        bargap=0,
        **legend_above(colours),
    )


def ways(found: Sequence[Way]) -> go.Figure:
    """Free equity of the same coin held against a short and against a long, in both treatments."""
    colours = palette()
    rows = [
        (f"{'Long: wrong way' if way.wrong_way else 'Short: right way'}<br>{name}", amount, colour)
        for way in found
        for name, amount, colour in (
            ("haircut", way.free_haircut, colours.total),
            ("joint", way.free_joint, colours.loss if way.wrong_way else colours.gain),
        )
    ]
    texts = [short_money(amount) for _, amount, _ in rows]
    width = column_width(texts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [round(amount, 2) for _, amount, _ in rows],
        "marker": {"color": [colour for _, _, colour in rows], "line": {"width": 0}},
        "hovertemplate": "%{x:$,.0f} free<extra></extra>",
    }
    return drawn(
        colours,
        70 + 48 * len(rows),
        [bars],
        xaxis={**DOLLARS, "title": "free equity"},
        yaxis=name_axis([name for name, _, _ in rows], colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
    )


def allocation(posted: dict[str, float], wallet: dict[str, float]) -> go.Figure:
    """What is posted of each asset (filled) of what the wallet holds (outline)."""
    colours = palette()
    names = list(wallet)
    rows = list(range(len(names)))
    texts = [short_money(posted[name]) for name in names]
    width = column_width(texts)
    outline = {"color": "rgba(0,0,0,0)", "line": {"color": colours.muted, "width": 1}}
    held = [round(wallet[n], 2) for n in names]
    data = [
        {"x": held, "marker": outline, "hovertemplate": "%{x:$,.0f} held<extra></extra>"},
        {
            "x": [round(posted[n], 2) for n in names],
            "marker": {"color": colours.gain, "line": {"width": 0}},
            "hovertemplate": "%{x:$,.0f} posted<extra></extra>",
        },
    ]
    return drawn(
        colours,
        70 + 34 * len(names),
        [{"type": "bar", "orientation": "h", "y": rows, **bars} for bars in data],
        xaxis={**DOLLARS, "title": "held, posted", "rangemode": "tozero"},
        yaxis=name_axis([safe(n) for n in names], colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
        barmode="overlay",
    )
