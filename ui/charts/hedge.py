"""Cost against margin or odds: the frontier, and where each way stands on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from margin.forecast.results import printed
from margin.hedge.frontier import Frontier
from margin.hedge.odds_frontier import OddsFrontier
from margin.hedge.outcomes import Outcome
from ui.blocks.theme import Palette, palette
from ui.charts.base import (
    BAR_HEIGHT,
    DOLLARS,
    across,
    amount_column,
    column_width,
    drawn,
    legend_above,
    name_axis,
    odds_axis,
    safe,
)  # fmt: skip

HEIGHT = 300
COST = {"title": "cost, dollars", "tickprefix": "$", "nticks": 6, "rangemode": "tozero"}
SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def frontier(found: Frontier, ways: Mapping[str, tuple[float, float]]) -> go.Figure:
    """The curve of least cost, and {name: (cost, margin)} as marks."""
    colours = palette()
    costs, margins = [p.cost for p in found.points], [round(p.margin, 2) for p in found.points]
    data = [_curve(colours, costs, margins, list(map(_money, margins)), "buys a margin of")]
    data += [
        _mark(colours, i, name, cost, round(margin, 2), f"margin {_money(margin)}")
        for i, (name, (cost, margin)) in enumerate(ways.items())
    ]
    return _against_cost(colours, data, {**DOLLARS, "title": "margin after it", "rangemode": "tozero"})


def odds_frontier(found: OddsFrontier, ways: Mapping[str, tuple[float, float]], line: float) -> go.Figure:
    """Cost against odds, {name: (cost, odds)} as marks, the odds aimed at as a line."""
    colours = palette()
    costs, odds = [p.cost for p in found.points], [round(p.odds, 5) for p in found.points]
    data = [_curve(colours, costs, odds, list(map(printed, odds)), "buys odds of")]
    data += [
        _mark(colours, i, name, cost, round(then, 5), printed(then))
        for i, (name, (cost, then)) in enumerate(ways.items())
    ]
    axis = odds_axis(max([*odds, line, *(then for _, then in ways.values())]), "odds after it")
    return _against_cost(colours, data, axis, shapes=[across(line, colours.muted)])


def _against_cost(colours: Palette, data: list[dict[str, Any]], axis: dict[str, Any], **more: Any) -> go.Figure:
    return drawn(colours, HEIGHT, data, xaxis=COST, yaxis=axis, margin={"t": 46}, **more, **legend_above(colours))


def _money(dollars: float) -> str:
    return f"${dollars:,.0f}"


def _curve(colours: Palette, x: Sequence[float], y: Sequence[float], said: Sequence[str], buys: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "least cost",
        "x": [round(cost, 4) for cost in x],
        "y": list(y),
        "customdata": list(said),
        "line": {"color": colours.gain, "width": 2.5},
        "marker": {"size": 5},
        "hovertemplate": f"$%{{x:,.2f}} {buys} %{{customdata}}<extra></extra>",
    }


def _mark(colours: Palette, number: int, name: str, x: float, y: float, said: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": safe(name),
        "x": [round(x, 4)],
        "y": [y],
        "customdata": [said],
        "marker": {
            "color": colours.series[(number + 1) % len(colours.series)],
            "size": 12,
            "symbol": SYMBOLS[number % len(SYMBOLS)],
        },
        "hovertemplate": f"{safe(name)}: $%{{x:,.2f}}, %{{customdata}}<extra></extra>",
    }


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
