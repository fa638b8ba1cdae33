"""One chart per step of the Learn page, in type that can be read from the last row."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.ladder.compare import Comparison
from margin.lessons.closed_forms import CorrelationBreak
from margin.lessons.history import EventDay, OnePosition
from ui.blocks.formats import moved, percent, short_money, signed_money, true_minus
from ui.blocks.theme import Palette, palette
from ui.charts.base import CLEAR, DOLLARS, amount_column, column_width, drawn, name_axis, safe
from ui.charts.ladder import ladder_steps, waterfall_of

HEIGHT = 350
TYPE = 15
BINS = 60
LADDER_ROWS = 9  # all five safeguards between the totals, so that the chart keeps its height
ACCOUNT_RANGE = (-16_000, 28_000)  # USD, fixed so that bars and not axes move; figures beside them are never cut


def _large(
    colours: Palette,
    data: list[dict[str, Any]],
    xaxis: dict[str, Any],
    yaxis: dict[str, Any],
    height: int = HEIGHT,
    **more: Any,
) -> go.Figure:
    font = {"color": colours.text, "size": TYPE}
    axes = [{"tickfont": {"color": colours.text, "size": TYPE}, **axis} for axis in (xaxis, yaxis)]
    return drawn(colours, height, data, *axes, **{"font": font, "hoverlabel": {"align": "left", "font": font}, **more})


def _title(text: str, colours: Palette) -> dict[str, Any]:
    return {"text": text, "font": {"color": colours.muted, "size": TYPE}}


def _line(at: float, colour: str, axis: str = "x", dash: str = "dash") -> dict[str, Any]:
    """A line across the whole chart at one value of the axis."""
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}0": 0, f"{other}1": 1}
    return {"type": "line", **ends, f"{other}ref": "paper", "line": {"color": colour, "width": 2.5, "dash": dash}}


def _note(text: str, x: float, y: float, colours: Palette, **more: Any) -> dict[str, Any]:
    font = {"size": TYPE + 1, "color": colours.text}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font, **more}


def _tint(colour: str, share: float) -> str:
    """A palette colour (#RRGGBB) made transparent."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


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
            "color": [colours.loss if x <= -one.var else _tint(colours.gain, 0.75) for x in centres],
            "line": {"width": 0},
        },
        "hovertemplate": "%{y} days around %{x:$,.0f}<extra></extra>",
    }
    return _large(
        colours,
        [bars],
        {**DOLLARS, "range": [-reach, reach], "title": _title("profit or loss in a day", colours)},
        {"title": _title("days", colours), "nticks": 5},
        margin={"t": 34},
        bargap=0,
        shapes=[{**_line(-one.margin, colours.text, dash="solid"), "y1": 1.06}],
        annotations=[
            _note(
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
    return _large(
        colours,
        [outline, filled],
        {
            **DOLLARS,
            "range": list(ACCOUNT_RANGE),
            "zerolinecolor": colours.text,
            "zerolinewidth": 2,
            "title": _title("money in the account", colours),
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
    note = _note(
        f"<b>{percent(saved)} saved</b>",
        now[0],
        (alone + now[1]) / 2,
        colours,
        xanchor=side,
        xshift=8 if side == "left" else -8,
        bgcolor=colours.paper,
    )
    return _large(
        colours,
        [curve, gap, dot],
        {"range": [-1.06, 1.06], "tickvals": [-1, -0.5, 0, 0.5, 1], "title": _title("correlation", colours)},
        {**DOLLARS, "range": [0, alone * 1.16], "title": _title("margin", colours)},
        shapes=[_line(alone, colours.loss, "y")],
        annotations=[
            _note(
                f"two isolated accounts {short_money(alone)}, whatever the correlation",
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
        (f"╌╌ two isolated {short_money(gap[1])}", colours.loss),
        (f"── one pool {short_money(gap[0])}", colours.gain),
        (f"<b>{short_money(gap[1] - gap[0])} less</b>", colours.text),
    )
    corner = {"xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "top", "bgcolor": colours.paper}
    return _large(
        colours,
        [*curves, arrows],
        {**DOLLARS, "range": [0, float(capital[-1])], "title": _title("capital held", colours)},
        {
            "type": "log",
            "range": [-3.3, 0.05],
            "tickvals": [0.001, 0.01, 0.1, 1.0],
            "ticktext": ["0.1%", "1%", "10%", "100%"],
            "title": _title("days it runs out", colours),
        },
        annotations=[
            _note(text, 1, 1, colours, **corner, yshift=-27 * i, font={"size": TYPE + 2, "color": colour})
            for i, (text, colour) in enumerate(labels)
        ],
    )


def broken(seen: CorrelationBreak) -> go.Figure:
    """Two bells: losses at the correlation assumed, and at the one that came; filled where beyond the margin."""
    colours = palette()
    x = np.round(seen.losses, 0)
    beyond = np.r_[seen.margin, seen.losses[seen.losses > seen.margin]]
    height = np.interp(beyond, seen.losses, seen.actual_density)
    expected = {
        "type": "scatter",
        "x": x.tolist(),
        "y": _rounded(seen.assumed_density),
        "mode": "lines",
        "line": {"color": colours.muted, "width": 2.5, "dash": "dash"},
        "hoverinfo": "skip",
    }
    came = {
        "type": "scatter",
        "x": x.tolist(),
        "y": _rounded(seen.actual_density),
        "mode": "lines",
        "fill": "tozeroy",
        "fillcolor": _tint(colours.gain, 0.16),
        "line": {"color": colours.gain, "width": 3.5},
        "hoverinfo": "skip",
    }
    tail = {
        "type": "scatter",
        "x": np.round(beyond, 0).tolist(),
        "y": _rounded(height),
        "mode": "lines",
        "fill": "tozeroy",
        "fillcolor": colours.loss,
        "line": {"color": colours.loss, "width": 3.5},
        "hoverinfo": "skip",
    }
    top = float(seen.assumed_density.max())
    return _large(
        colours,
        [expected, came, tail],
        {**DOLLARS, "range": [float(x[0]) * 0.75, float(x[-1]) * 0.75], "title": _title("loss in a day", colours)},
        {"showticklabels": False, "showgrid": False, "range": [0, 1.08 * top], "zeroline": False},
        margin={"t": 34},
        shapes=[{**_line(seen.margin, colours.text, dash="solid"), "y1": 1.04}],
        annotations=[
            _note(
                f"<b>margin held {short_money(seen.margin)}</b>",
                seen.margin,
                1,
                colours,
                yref="paper",
                yshift=14,
                xanchor="right",
                xshift=-6,
            ),
            _note(
                f"<b>{percent(100 * seen.exceeded)}</b> of days<br>are beyond it",
                seen.margin,
                0.42 * top,
                colours,
                xanchor="left",
                xshift=12,
                align="left",
                font={"size": TYPE + 3, "color": colours.text},
            ),
        ],
    )


def _rounded(density: np.ndarray) -> list[float]:
    """Densities per dollar to four digits of their largest."""
    top = float(density.max()) or 1.0
    found: list[float] = (np.round(density / top, 4) * top).tolist()
    return found


def events(found: Sequence[EventDay]) -> go.Figure:
    """Loss over each named event as a share of the pooled margin set the day before; beyond 100% it was not enough."""
    colours = palette()
    ordered = sorted(found, key=lambda day: -day.share)
    shares = [100 * day.share for day in ordered]
    texts = [true_minus(f"{'▲ ' if s > 100 else ''}{s:.0f}%") for s in shares]
    moves = [", ".join(f"{safe(a)} {moved(m, 1)}" for a, m in day.moves) for day in ordered]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(ordered))),
        "x": [round(s, 1) for s in shares],
        "marker": {"color": [colours.loss if s > 100 else colours.gain for s in shares]},
        "customdata": [
            [safe(d.name), d.start if d.start == d.end else f"{d.start} to {d.end}", m, signed_money(-d.loss)]
            for d, m in zip(ordered, moves, strict=True)
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}"
            "<br>book %{customdata[3]}, %{x:.0f}% of its margin<extra></extra>"
        ),
    }
    column = amount_column(texts, colours, [s > 100 for s in shares], TYPE)
    return _large(
        colours,
        [bars],
        {
            "ticksuffix": "%",
            "nticks": 5,
            "range": [min(0.0, *shares) * 1.05, max(110.0, *shares) * 1.03],
            "title": _title("loss, % of the margin held", colours),
        },
        name_axis([_short(day) for day in ordered], colours),
        height=70 + 25 * len(ordered),
        margin={"r": column_width(texts, TYPE)},
        shapes=[_line(100, colours.text)],
        annotations=column,
    )


def given_back(comparison: Comparison, chosen: Collection[str]) -> go.Figure:
    """From isolated to safeguarded margin; safeguards that are switched on but add nothing are named too."""
    steps = ladder_steps(comparison, even_zero=chosen)
    return waterfall_of(steps, TYPE, rows=LADDER_ROWS)


def _short(day: EventDay) -> str:
    """An event's name short enough for the axis of a phone, and its year."""
    words = day.name.partition(" (")[0].partition(",")[0].partition(" / ")[0]
    words = " ".join(words.replace("10 October 2025 ", "October ").split())
    if words.endswith(day.start[:4]):
        words = words[:-5]
    short = words if len(words) <= 20 else words[:19].rstrip() + "…"
    return f"{safe(short)} {day.start[:4]}"


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
            "text": [f"{name} ${v:.2f}M" if v >= 0.15 * owed else "" for v in values],
            "textposition": "inside",
            "insidetextfont": {"color": "#FFFFFF", "size": TYPE},
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
        "title": _title("paid, lost", colours),
    }
    return _large(colours, data, axis, name_axis(labels, colours), barmode="stack")
