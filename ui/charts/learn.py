"""One chart per step of the Learn page, in type that can be read from the last row."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.ladder.compare import Comparison
from margin.lessons.history import OnePosition
from ui.blocks.formats import percent, short_money
from ui.blocks.theme import ink_on, palette
from ui.charts.base import CLEAR, DOLLARS, amount_column, column_width, name_axis, safe, tint
from ui.charts.ladder import ladder_steps, waterfall_of
from ui.charts.learn_parts import TYPE, axis_title, large, line_at, words_at

BINS = 60
LADDER_ROWS = 9  # all five safeguards between the totals, so that the chart keeps its height
ACCOUNT_RANGE = (-16_000, 28_000)  # USD, fixed so that bars and not axes move; figures beside them are never cut


def days(one: OnePosition, reach: float) -> go.Figure:
    """How often each profit or loss came; the worst days filled and the margin marked.

    reach : USD shown to either side, the same for every size, so that a larger position is seen to spread out
    """
    colours = palette()
    edges = np.linspace(-reach, reach, BINS + 1)
    counts, _ = np.histogram(np.clip(-one.losses, -reach, reach), bins=edges)
    centres = (edges[1:] + edges[:-1]) / 2
    bars = {
        "type": "bar",
        "x": np.round(centres, 1).tolist(),
        "y": counts.tolist(),
        "width": round(float(edges[1] - edges[0]), 1),
        "marker": {
            "color": [colours.loss if x <= -one.var else tint(colours.gain, 0.75) for x in centres],
            "line": {"width": 0},
        },
        "hovertemplate": "%{y} days around %{x:$,.0f}<extra></extra>",
    }
    return large(
        colours,
        [bars],
        {**DOLLARS, "range": [-reach, reach], "title": axis_title("profit or loss in a day", colours)},
        {"title": axis_title("days", colours), "nticks": 5},
        margin={"t": 34},
        bargap=0,
        shapes=[{**line_at(-one.margin, colours.text, dash="solid"), "y1": 1.06}],
        annotations=[
            words_at(
                f"<b>margin {short_money(one.margin)}</b>",
                -one.margin,
                1,
                colours,
                yref="paper",
                yshift=16,
                xanchor="left",
                xshift=6,
            )
        ],
    )


def accounts(names: Sequence[str], held: Sequence[float], left: Sequence[float]) -> go.Figure:
    """What each account held (outline) and what is left of it (filled); below nothing it is liquidated.

    names may hold <br>; they are ours, never a visitor's
    """
    colours = palette()
    rows = list(range(len(names)))
    fallen = [value < 0 for value in left]
    texts = [f"{short_money(v)}<br>{'✕ liquidated' if f else 'left'}" for v, f in zip(left, fallen, strict=True)]
    outline = {
        "type": "bar",
        "orientation": "h",
        "y": rows,
        "x": [round(v, 2) for v in held],
        "marker": {"color": CLEAR, "line": {"color": colours.muted, "width": 2}},
        "hovertemplate": "margin held %{x:$,.0f}<extra></extra>",
    }
    filled = {
        "type": "bar",
        "orientation": "h",
        "y": rows,
        "x": [round(v, 2) for v in left],
        "width": 0.5,
        "marker": {"color": [colours.loss if f else colours.gain for f in fallen]},
        "hovertemplate": "left %{x:$,.0f}<extra></extra>",
    }
    room = column_width(texts, TYPE)
    return large(
        colours,
        [outline, filled],
        {
            **DOLLARS,
            "range": list(ACCOUNT_RANGE),
            "zerolinecolor": colours.text,
            "zerolinewidth": 2,
            "title": axis_title("money in the account", colours),
        },
        name_axis([f"<b>{n}</b>" for n in names], colours, tickfont={"size": TYPE, "color": colours.text}),
        margin={"r": room},
        barmode="overlay",
        annotations=amount_column(texts, colours, fallen, TYPE),
    )


def by_correlation(rho: np.ndarray, margins: np.ndarray, alone: float, now: tuple[float, float]) -> go.Figure:
    """Pooled margin for every correlation, isolated margin as a line on top, the chosen one and its saving marked."""
    colours = palette()
    curve = {
        "type": "scatter",
        "x": np.round(rho, 3).tolist(),
        "y": np.round(margins, 1).tolist(),
        "mode": "lines",
        "line": {"color": colours.gain, "width": 4},
        "hovertemplate": "correlation %{x:.2f}: %{y:$,.0f}<extra></extra>",
    }
    ring = {"size": 18, "color": colours.gain, "line": {"width": 3, "color": colours.paper}}
    dot = {"type": "scatter", "x": [now[0]], "y": [now[1]], "mode": "markers", "marker": ring, "hoverinfo": "skip"}
    gap = {
        "type": "scatter",
        "x": [now[0], now[0]],
        "y": [round(alone, 1), round(now[1], 1)],
        "mode": "lines",
        "line": {"color": colours.text, "width": 2, "dash": "dot"},
        "hoverinfo": "skip",
    }
    saved = 100 * (1 - now[1] / alone)
    # On the free side of the line, above the curve, as long as there is room for the words.
    falling = margins[0] > margins[-1]
    side = "left" if (now[0] <= 0.4 if falling else now[0] < -0.4) else "right"
    note = words_at(
        f"<b>{percent(saved)} saved</b>",
        now[0],
        (alone + now[1]) / 2,
        colours,
        xanchor=side,
        xshift=8 if side == "left" else -8,
        bgcolor=colours.paper,
    )
    return large(
        colours,
        [curve, gap, dot],
        {"range": [-1.06, 1.06], "tickvals": [-1, -0.5, 0, 0.5, 1], "title": axis_title("correlation", colours)},
        {**DOLLARS, "range": [0, alone * 1.16], "title": axis_title("margin", colours)},
        shapes=[line_at(alone, colours.loss, "y")],
        annotations=[
            words_at(
                f"two isolated accounts {short_money(alone)}",
                0.0,
                alone,
                colours,
                yanchor="bottom",
                yshift=2,
            ),
            *([note] if saved >= 3 else []),
        ],
    )


def two_curves(capital: np.ndarray, alone: np.ndarray, pool: np.ndarray, gap: tuple[float, float, float]) -> go.Figure:
    """Probability of running out against capital; gap = (pooled, isolated, probability) marks what is saved there."""
    colours = palette()
    curves: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": np.round(capital, 0).tolist(),
            "y": np.round(np.maximum(values, 1e-6), 7).tolist(),
            "mode": "lines",
            "line": {"color": colour, "width": 3.5, "dash": dash},
            "hovertemplate": f"{name} with %{{x:$,.0f}}: runs out on %{{y:.2%}} of days<extra></extra>",
        }
        for name, values, colour, dash in (
            ("isolated", alone, colours.loss, "dash"),
            ("one pool", pool, colours.gain, "solid"),
        )
    ]
    arrows = {
        "type": "scatter",
        "x": [round(gap[0], 1), round(gap[1], 1)],
        "y": [gap[2], gap[2]],
        "mode": "lines+markers",
        "hoverinfo": "skip",
        "line": {"color": colours.text, "width": 2.5},
        "marker": {"size": 13, "color": colours.text, "symbol": ["triangle-left", "triangle-right"]},
    }
    labels = (
        (f"╌╌ two isolated {short_money(gap[1])}", colours.loss_text),
        (f"── one pool {short_money(gap[0])}", colours.gain),
        (f"<b>{short_money(gap[1] - gap[0])} less</b>", colours.text),
    )
    corner = {"xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "top", "bgcolor": colours.paper}
    return large(
        colours,
        [*curves, arrows],
        {**DOLLARS, "range": [0, float(capital[-1])], "title": axis_title("capital held", colours)},
        {
            "type": "log",
            "range": [-3.3, 0.05],
            "tickvals": [0.001, 0.01, 0.1, 1.0],
            "ticktext": ["0.1%", "1%", "10%", "100%"],
            "title": axis_title("days it runs out", colours),
        },
        annotations=[
            words_at(text, 1, 1, colours, **corner, yshift=-27 * i, font={"size": TYPE + 2, "color": colour})
            for i, (text, colour) in enumerate(labels)
        ],
    )


def given_back(comparison: Comparison, chosen: Collection[str]) -> go.Figure:
    """From isolated to safeguarded margin; safeguards that are switched on but add nothing are named too."""
    steps = ladder_steps(comparison, even_zero=chosen)
    return waterfall_of(steps, TYPE, rows=LADDER_ROWS)


def chain(names: Sequence[str], paid: Sequence[float], owed: float) -> go.Figure:
    """Payments along a chain of debts, $M: what is paid and what is missing."""
    colours = palette()
    parts = (("paid", list(paid), colours.gain), ("not paid", [owed - p for p in paid], colours.loss))
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": list(range(len(names))),
            "x": [round(v, 3) for v in values],
            "marker": {"color": colour, "line": {"width": 0}},
            "text": [f"{name}<br>${v:.2f}M" if v >= 0.25 * owed else "" for v in values],
            "textposition": "inside",
            "textangle": 0,
            "insidetextfont": {"color": ink_on(colour), "size": TYPE},
            "hovertemplate": f"{name} $%{{x:.2f}}M<extra></extra>",
        }
        for name, values, colour in parts
    ]
    labels = [safe(name).replace(" to ", "<br>to ") for name in names]
    axis = {
        "range": [0, owed * 1.02],
        "tickprefix": "$",
        "ticksuffix": "M",
        "nticks": 6,
        "title": axis_title("paid, lost", colours),
    }
    return large(colours, data, axis, name_axis(labels, colours), barmode="stack")
