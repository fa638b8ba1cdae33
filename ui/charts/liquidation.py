"""Liquidation drawn: how far each price may move, the account along a path, the cascade as a film, loss allocation."""

import textwrap
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.liquidation.adl_comparison import GROUPS, PolicyResult
from margin.liquidation.ledgers import Ledger, Liquidation
from margin.liquidation.moves import FatalMove
from margin.liquidation.population import Cascade
from ui.blocks.formats import away
from ui.blocks.theme import palette
from ui.charts.base import CLEAR, DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.heat import columns_above, heat, rows_down
from ui.charts.money_steps import money_steps

FRAMES = 60
MODE_NAMES = {"isolated": "Isolated", "cross": "Cross", "portfolio": "Portfolio margin"}


def room(rows: Sequence[FatalMove]) -> go.Figure:
    """For each sub-account and price: the range of moves it survives."""
    colours = palette()
    labels = [f"{_account(move)}<br>{safe(move.name)}" for move in rows]
    lines = max((label.count("<br>") + 1 for label in labels), default=2)
    texts = [_range(move) for move in rows]
    width = column_width(texts)
    data = []
    for side, colour in (("fall", colours.loss), ("rise", colours.gain)):
        furthest = -1.0 if side == "fall" else 1.0
        values = [getattr(move, side) for move in rows]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(rows))),
                "x": [round(furthest if v is None else max(min(v, 1.0), -1.0), 5) for v in values],
                "marker": {
                    "color": colour,
                    "opacity": [0.25 if v is None else 1.0 for v in values],
                    "line": {"width": 0},
                },
                "hovertemplate": "%{x:+.1%}<extra></extra>",
            }
        )
    return drawn(
        colours,
        70 + (12 + 17 * lines) * len(rows),
        data,
        xaxis={
            "title": "move of the price",
            "range": [-1.05, 1.05],
            "tickvals": [-1.0, -0.5, 0.0, 0.5, 1.0],
            "ticktext": ["−100%", "", "0%", "", "+100%"],
            "tickangle": 0,
        },
        yaxis=name_axis(labels, colours),
        margin={"r": width},
        annotations=amount_column(texts, colours),
        barmode="relative",
    )


def _account(move: FatalMove) -> str:
    """Its name, in lines that leave room for the bars on a phone."""
    words = f"{move.account}{' alone' if move.alone else ''}"
    lines = textwrap.wrap(words, 20, max_lines=3, placeholder=" …") or [""]
    return "<br>".join(safe(line) for line in lines)


def _range(move: FatalMove) -> str:
    if move.fall == 0.0 and move.rise == 0.0:
        return "already"
    low = "never" if move.fall is None else away(move.fall)
    high = "never" if move.rise is None else away(move.rise)
    return f"{low} · {high}"


def along(found: Sequence[Liquidation], labels: Sequence[str]) -> go.Figure:
    """Equity (solid) and maintenance margin (dotted) as held and of all isolated accounts, along the path."""
    colours = palette()
    tints = {"held": colours.gain, "alone": colours.loss}
    layers: list[dict[str, Any]] = []
    for run in found:
        name = "as held" if run.mode == "held" else "all isolated accounts"
        for series, dash, what in ((run.equity, "solid", "equity"), (run.required, "dot", "maintenance margin")):
            layers.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"{name}: {what}",
                    "x": list(labels),
                    "y": np.round(series.sum(axis=1), 2).tolist(),
                    "line": {"color": tints[run.mode], "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
                    "hovertemplate": f"%{{x}}: {name}, {what} %{{y:$,.0f}}<extra></extra>",
                }
            )
    return drawn(
        colours,
        360,
        layers,
        xaxis={"showgrid": False, "nticks": 4, "tickangle": 0},
        yaxis={**DOLLARS, "title": "equity"},
        margin={"t": 60},
        **legend_above(colours),
    )


def waterfall(ledgers: Sequence[Ledger]) -> go.Figure:
    """Where the money of the sub-accounts went, together."""
    colours = palette()
    total = {f.name: sum(getattr(x, f.name) for x in ledgers) for f in fields(Ledger) if f.name != "account"}
    steps = [
        ("Started with", total["started"], "absolute"),
        ("Positions earned" if total["coins"] else "Earned", total["earned"] - total["coins"], "relative"),
        ("Collateral earned", total["coins"], "relative"),
        ("Funding", -total["funding"], "relative"),
        ("Market impact", -total["impact"], "relative"),
        ("Liquidation fees", -total["fees"], "relative"),
        ("Left to the venue", -total["surrendered"], "relative"),
        ("Insurance fund", total["fund"], "relative"),
        ("Auto-deleveraging", total["adl"], "relative"),
        ("Shared by all", total["shared"], "relative"),
        ("Ends with", total["final"], "total"),
    ]
    return money_steps(steps, "money of the account", colours)


def film(found: Cascade) -> go.Figure:
    """The cascade played: the price with and without forced sales, and what was sold by force up to then."""
    colours = palette()
    n = len(found.prices)
    at = np.unique(np.linspace(0, n - 1, min(FRAMES, n)).round().astype(int))
    sold = np.cumsum(found.volume)

    def said(figure: str) -> dict[str, str]:
        return {"hovertemplate": f"step %{{x}}: {figure}<extra>%{{fullData.name}}</extra>"}

    def layers(upto: int) -> list[dict[str, Any]]:
        x = list(range(upto + 1))
        thin = slice(0, upto + 1)
        return [
            {"type": "scatter", "x": x, "y": np.round(100 * found.outside[thin, 0], 3).tolist(), **said("%{y:.1f}")},
            {"type": "scatter", "x": x, "y": np.round(100 * found.prices[thin, 0], 3).tolist(), **said("%{y:.1f}")},
            {"type": "scatter", "x": x, "y": np.round(sold[thin], 2).tolist(), "yaxis": "y2", **said("%{y:$,.3~s}")},
        ]

    looks = (
        {"name": "price without forced sales", "line": {"color": colours.muted, "width": 2, "dash": "dash"}},
        {"name": "price", "line": {"color": colours.gain, "width": 2.5}},
        {"name": "sold by force so far (right)", "line": {"color": colours.loss, "width": 2}},
    )
    full = [{**layer, **look, "mode": "lines"} for layer, look in zip(layers(n - 1), looks, strict=True)]
    low, high = 100 * found.prices[:, 0].min(), 100 * max(found.prices[:, 0].max(), found.outside[:, 0].max())
    pad = 0.06 * (high - low + 1.0)
    play = {
        "mode": "immediate",
        "frame": {"duration": 60, "redraw": False},
        "transition": {"duration": 0},
    }
    figure = drawn(
        colours,
        460,
        full,
        xaxis={"range": [0, n - 1], "title": "step", "showgrid": False},
        yaxis={"range": [low - pad, high + pad], "title": "first coin, start = 100", "nticks": 7},
        margin={"t": 60, "b": 70},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, max(float(sold[-1]), 1.0) * 1.06],
            "tickmode": "auto",
            "title": {"text": "sold by force", "font": {"color": colours.loss_text, "size": 13}},
            **DOLLARS,
            "showgrid": False,
            "fixedrange": True,
            "tickfont": {"color": colours.loss_text},
        },
        updatemenus=[
            {
                "type": "buttons",
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": -0.14,
                "yanchor": "top",
                "bgcolor": colours.paper,
                "bordercolor": colours.grid,
                "font": {"color": colours.text},
                "buttons": [{"label": "▶ Play", "method": "animate", "args": [None, play]}],
            }
        ],
        **legend_above(colours),
    )
    figure.frames = [go.Frame(data=layers(int(i)), traces=[0, 1, 2], name=str(i)) for i in at]
    return figure


def loss_allocation(found: Sequence[PolicyResult]) -> go.Figure:
    """Which fifth of winners gives up how much, by policy."""
    colours = palette()
    shares = np.array([p.paid_by for p in found])
    texts = [[f"{100 * v:.0f}%" for v in row] for row in shares]
    said = "%{text} of what is taken<extra></extra>"
    columns = ["least profit", *[""] * (GROUPS - 2), "most profit"]
    return drawn(
        colours,
        90 + 34 * len(found),
        [heat(shares, texts, (colours.paper, colours.loss), 0.0, 1.0, digits=4, gap=2, hover=said)],
        xaxis=columns_above(columns, linecolor=CLEAR),
        yaxis=rows_down([safe(p.policy) for p in found]),
    )
