"""Charts of the Learn page on a correlation that breaks: one day of it, and the named events."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from margin.lessons.closed_forms import CorrelationBreak
from margin.lessons.history import EventDay
from ui.blocks.formats import moved, percent, short_money, signed_money, true_minus
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, amount_column, column_width, name_axis, safe, tint
from ui.charts.learn_parts import TYPE, axis_title, large, line_at, words_at


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
        "fillcolor": tint(colours.gain, 0.16),
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
    return large(
        colours,
        [expected, came, tail],
        {**DOLLARS, "range": [float(x[0]) * 0.75, float(x[-1]) * 0.75], "title": axis_title("loss in a day", colours)},
        {"showticklabels": False, "showgrid": False, "range": [0, 1.08 * top], "zeroline": False},
        margin={"t": 34},
        shapes=[{**line_at(seen.margin, colours.text, dash="solid"), "y1": 1.04}],
        annotations=[
            words_at(
                f"<b>margin held {short_money(seen.margin)}</b>",
                seen.margin,
                1,
                colours,
                yref="paper",
                yshift=14,
                xanchor="right",
                xshift=-6,
            ),
            words_at(
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
    return large(
        colours,
        [bars],
        {
            "ticksuffix": "%",
            "nticks": 5,
            "range": [min(0.0, *shares) * 1.05, max(110.0, *shares) * 1.03],
            "title": axis_title("loss, % of the margin held", colours),
        },
        name_axis([_short(day) for day in ordered], colours),
        height=70 + 25 * len(ordered),
        margin={"r": column_width(texts, TYPE)},
        shapes=[line_at(100, colours.text)],
        annotations=column,
    )


def _short(day: EventDay) -> str:
    """An event's name short enough for the axis of a phone, and its year."""
    words = day.name.partition(" (")[0].partition(",")[0].partition(" / ")[0]
    words = " ".join(words.replace("10 October 2025 ", "October ").split())
    if words.endswith(day.start[:4]):
        words = words[:-5]
    short = words if len(words) <= 20 else words[:19].rstrip() + "…"
    return f"{safe(short)} {day.start[:4]}"
