"""Cost against margin: the frontier, and where each way stands on it."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from margin.hedge.frontier import Frontier
from margin.hedge.outcomes import Outcome
from ui.blocks.theme import palette
from ui.charts.base import (
    BAR_HEIGHT,
    DOLLARS,
    amount_column,
    column_width,
    drawn,
    legend_above,
    name_axis,
    odds_axis,
    safe,
)  # fmt: skip

HEIGHT = 300
SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def frontier(found: Frontier, ways: Mapping[str, tuple[float, float]]) -> go.Figure:
    """The curve of least cost, and {name: (cost, margin)} as marks."""
    colours = palette()
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "least cost",
            "x": [round(p.cost, 4) for p in found.points],
            "y": [round(p.margin, 2) for p in found.points],
            "line": {"color": colours.gain, "width": 2.5},
            "marker": {"size": 5},
            "hovertemplate": "$%{x:,.2f} buys a margin of $%{y:,.0f}<extra></extra>",
        }
    ]
    for i, (name, (cost, margin)) in enumerate(ways.items()):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": safe(name),
                "x": [round(cost, 4)],
                "y": [round(margin, 2)],
                "marker": {
                    "color": colours.series[(i + 1) % len(colours.series)],
                    "size": 12,
                    "symbol": SYMBOLS[i % len(SYMBOLS)],
                },
                "hovertemplate": f"{safe(name)}: $%{{x:,.2f}}, margin $%{{y:,.0f}}<extra></extra>",
            }
        )
    return drawn(
        colours,
        HEIGHT,
        data,
        xaxis={"title": "cost, dollars", "tickprefix": "$", "nticks": 6, "rangemode": "tozero"},
        yaxis={**DOLLARS, "title": "margin after it", "rangemode": "tozero"},
        margin={"t": 46},
        **legend_above(colours),
    )


def liquidated(outcomes: Sequence[Outcome]) -> go.Figure:
    """Share of past starts that were liquidated, a bar a rule."""
    colours = palette()
    names = [safe(o.rule.short) for o in outcomes]
    texts = [f"{o.liquidated:.1%}" for o in outcomes]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [round(o.liquidated, 5) for o in outcomes],
        "y": list(range(len(names))),
        "marker": {"color": [colours.loss if o.rule.kind == "nothing" else colours.gain for o in outcomes]},
        "hovertemplate": "%{x:.1%}<extra></extra>",
    }
    return drawn(
        colours,
        BAR_HEIGHT * len(names) + 60,
        [bars],
        xaxis=odds_axis(max(o.liquidated for o in outcomes), "share of past starts liquidated"),
        yaxis=name_axis(names, colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )
