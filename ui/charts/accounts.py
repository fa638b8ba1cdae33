"""Accounts drawn: equity, initial and maintenance margin of each on one scale."""

from collections.abc import Sequence

import plotly.graph_objects as go

from margin.ladder.as_held import AccountHeld
from ui.blocks.formats import money, short_money, times
from ui.blocks.theme import palette
from ui.charts.base import (
    DOLLARS,
    amount_column,
    column_heading,
    column_width,
    drawn,
    legend_above,
    name_axis,
    safe,
    tint,
)


def margin_bars(rows: Sequence[AccountHeld], names: Sequence[str]) -> go.Figure:
    """A bar of equity per account, with a line at its initial and one at its maintenance margin."""
    colours = palette()
    texts = [times(row.health) for row in rows]
    places, width = list(range(len(rows))), column_width([*texts, "health"])
    column = [{**note, "xshift": width} for note in amount_column(texts, colours)]
    bars = {
        "type": "bar", "orientation": "h", "name": "Equity", "y": places,
        "x": [row.equity or 0.0 for row in rows],
        "marker": {"color": [colours.loss if (row.equity or 0.0) < 0 else tint(colours.total, 0.45) for row in rows],
                   "line": {"width": 0}},
        "hovertemplate": "equity %{x:$,.0f}<extra></extra>",
    }  # fmt: skip
    lines = [
        {
            "type": "scatter", "mode": "markers", "name": name, "y": places, "x": [getattr(row, field) for row in rows],
            "marker": {"symbol": "line-ns", "size": 24, "line": {"width": 3, "color": colour}},
            "hovertemplate": f"{name.lower()} %{{x:$,.0f}}<extra></extra>",
        }
        for name, field, colour in (("Initial", "initial", colours.gain), ("Maintenance", "maintenance", colours.loss))
    ]  # fmt: skip
    return drawn(
        colours,
        86 + 46 * len(rows),
        [bars, *lines],
        xaxis={**DOLLARS, "rangemode": "tozero", "title": "equity, initial and maintenance margin"},
        yaxis=name_axis([safe(name) for name in names], colours),
        margin={"r": width, "t": 28},
        annotations=[*column, column_heading("health", width, colours)],
        **legend_above(colours),
    )


def margin_bars_alt(rows: Sequence[AccountHeld], names: Sequence[str]) -> str:
    """The same in words."""
    parts = []
    for row, name in zip(rows, names, strict=True):
        if row.error or row.equity is None or row.initial is None or row.maintenance is None:
            parts.append(f"{name}: not computed")
            continue
        health = f", health {times(row.health)}" if row.health is not None else ""
        figures = (
            f"equity {money(row.equity)}, initial {money(row.initial)}, maintenance {short_money(row.maintenance)}"
        )
        parts.append(f"{name}: {figures}{health}")
    return "Accounts: " + "; ".join(parts) + "."
