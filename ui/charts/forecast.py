"""Odds of a margin call, drawn: survival, money against odds, where odds come from, whether they came true, alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.forecast.alarms import Alarms
from margin.forecast.drivers import Driver, Leg
from margin.forecast.results import ODDS, printed
from margin.forecast.scores import Bin
from ui.blocks.formats import short_money, true_minus
from ui.blocks.theme import palette
from ui.charts.base import (
    DOLLARS,
    across,
    amount_column,
    column_width,
    drawn,
    legend_above,
    name_axis,
    odds_axis,
    safe,
    symbol_name,
)  # fmt: skip

HEIGHT = 270
SEEN = 0.0005  # a change of odds that is shown with a figure
TENTHS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


def survival(curves: Mapping[str, tuple[np.ndarray, float]]) -> go.Figure:
    """{name: (odds of standing after each step, steps per day)}: the odds of a call by then, one line per rule."""
    colours = palette()
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": safe(name),
            "x": [0.0, *np.round(np.arange(1, len(values) + 1) / per_day, 3).tolist()],
            "y": [0.0, *np.round(1.0 - values, 4).tolist()],
            "customdata": [printed(0.0), *map(printed, (1.0 - values).tolist())],
            "line": {"color": colours.series[i % len(colours.series)], "width": 2.5, "dash": DASHES[i % len(DASHES)]},
            "hovertemplate": "day %{x:.1f}: %{customdata}<extra>" + safe(name) + "</extra>",
        }
        for i, (name, (values, per_day)) in enumerate(curves.items())
    ]
    most = max((float(1.0 - values[-1]) for values, _ in curves.values()), default=0.0)
    return drawn(
        colours,
        HEIGHT,
        lines,
        xaxis={"title": "days from now", "nticks": 8},
        yaxis=odds_axis(most, "odds"),
        margin={"t": 46},
        **legend_above(colours),
    )


DASHES = ("solid", "dash", "dot", "dashdot")


def money(dollars: np.ndarray, odds: np.ndarray, now: float, line: float = ODDS) -> go.Figure:
    """Odds against money added, today's as a dot, the odds aimed at as a line."""
    colours = palette()
    curve = {
        "type": "scatter",
        "mode": "lines",
        "x": np.round(dollars, 2).tolist(),
        "y": np.round(odds, 5).tolist(),
        "customdata": list(map(printed, odds.tolist())),
        "line": {"color": colours.gain, "width": 2.5},
        "hovertemplate": "%{x:+$,.0f}: %{customdata}<extra></extra>",
    }
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": [0.0],
        "y": [round(now, 5)],
        "customdata": [printed(now)],
        "marker": {"color": colours.loss, "size": 11},
        "hovertemplate": "today: %{customdata}<extra></extra>",
    }
    return drawn(
        colours,
        HEIGHT,
        [curve, dot],
        xaxis={**DOLLARS, "title": "dollars added (left of 0: taken out)", "nticks": 5},
        yaxis=odds_axis(max(float(np.max(odds)), line, now), "odds"),
        shapes=[across(line, colours.muted)],
    )


def size(sizes: np.ndarray, odds: np.ndarray, line: float) -> go.Figure:
    """Odds against the size of every position, the odds aimed at as a line."""
    colours = palette()
    return drawn(
        colours,
        240,
        [
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.round(sizes, 4).tolist(),
                "y": np.round(odds, 5).tolist(),
                "customdata": list(map(printed, np.asarray(odds).tolist())),
                "line": {"color": colours.gain, "width": 2.5},
                "hovertemplate": "%{x:.0%} of today: %{customdata}<extra></extra>",
            }
        ],
        xaxis={"tickformat": ".0%", "title": "of today's size", "nticks": 6},
        yaxis=odds_axis(max(float(np.max(odds)), line), "odds"),
        shapes=[across(line, colours.muted)],
    )


def drivers(steps: Sequence[Driver]) -> go.Figure:
    """Where the odds come from: each bar starts where the one before ended."""
    colours = palette()
    texts = [printed(step.odds) for step in steps]
    return drawn(
        colours,
        HEIGHT,
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(steps))),
                "base": [round(min(step.odds, step.odds - step.change), 5) for step in steps],
                "x": [round(abs(step.change), 5) for step in steps],
                "marker": {
                    "color": [colours.total, *(colours.loss if s.change > 0 else colours.gain for s in steps[1:])],
                    "line": {"width": 0},
                },
                "customdata": [points(step.change) for step in steps],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        ],
        xaxis=odds_axis(max(step.odds for step in steps), "odds"),
        yaxis=name_axis([_wrapped(step.name) for step in steps], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def points(change: float) -> str:
    """A change of odds in points; below a twentieth of one no figure is known."""
    return f"{100 * change:+.1f} pts" if abs(change) >= SEEN else "below 0.1 pts"


def _wrapped(name: str) -> str:
    """A name in two lines, broken at the space nearest its middle."""
    text = safe(name)
    spaces = [i for i, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    at = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return f"{text[:at]}<br>{text[at + 1 :]}"


def legs(found: Sequence[Leg]) -> go.Figure:
    """What a tenth less of each position does to the odds."""
    colours = palette()
    texts = [points(leg.change) for leg in found]
    least, most = (f((leg.change for leg in found), default=0.0) for f in (min, max))
    ends = (min(1.08 * least, -2 * SEEN if most <= 0 else 0.0), max(1.08 * most, 2 * SEEN if least >= 0 else 0.0))
    return drawn(
        colours,
        60 + 40 * len(found),
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(found))),
                "x": [round(leg.change, 5) for leg in found],
                "marker": {
                    "color": [colours.gain if leg.change <= 0 else colours.loss for leg in found],
                    "line": {"width": 0},
                },
                "customdata": texts,
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        ],
        xaxis={"title": "change of the odds, points", "range": list(ends), **_tenths(*ends)},
        yaxis=name_axis([symbol_name(leg.symbol) for leg in found], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def _tenths(low: float, high: float) -> dict[str, Any]:
    """Ticks at tenths of a point and rounder steps, none twice."""
    step = next((s for s in TENTHS if (high - low) / s < 5), 0.5)
    ticks = [i * step for i in range(-int(-low / step + 1e-9), int(high / step + 1e-9) + 1)]
    return {"tickvals": ticks, "ticktext": [true_minus(f"{100 * t:+.1f}") if t else "0" for t in ticks]}


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Forecast against what came true with its band; a calibrated forecast lies on the diagonal."""
    colours = palette()
    top = max(max(b.forecast, b.observed, b.high or 0.0) for b in bins)
    most = float(odds_axis(top, "")["range"][1])
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "x": [0.0, most],
        "y": [0.0, most],
        "line": {"color": colours.muted, "dash": "dash", "width": 1.5},
        "hoverinfo": "skip",
    }
    dots = {
        "type": "scatter",
        "mode": "markers+lines",
        "x": [round(b.forecast, 4) for b in bins],
        "y": [round(b.observed, 4) for b in bins],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [round(max((b.high or b.observed) - b.observed, 0.0), 4) for b in bins],
            "arrayminus": [round(max(b.observed - (b.observed if b.low is None else b.low), 0.0), 4) for b in bins],
            "color": colours.gain,
        },
        "marker": {"color": colours.gain, "size": 9},
        "line": {"color": colours.gain, "width": 1.5},
        "customdata": [printed(b.forecast) for b in bins],
        "hovertemplate": "forecast %{customdata}, came true %{y:.1%}<extra></extra>",
    }
    return drawn(
        colours,
        340,
        [diagonal, dots],
        xaxis=odds_axis(top, "forecast"),
        yaxis=odds_axis(top, "came true"),
    )


def alarms(found: Alarms) -> go.Figure:
    """False alarms a month against the share of calls caught, one dot per line."""
    colours = palette()
    rows = [row for row in found.rows if row.caught is not None]
    return drawn(
        colours,
        320,
        [
            {
                "type": "scatter",
                "mode": "lines+markers+text",
                "x": [round(row.false_a_month, 3) for row in rows],
                "y": [round(row.caught or 0.0, 4) for row in rows],
                "text": [f"{row.line:.0%}" for row in rows],
                "textposition": "bottom right",
                "textfont": {"color": colours.text},
                "line": {"color": colours.gain, "width": 2},
                "marker": {"color": colours.gain, "size": 9},
                "hovertemplate": "at %{text}: %{x:.2f} false alarms a month, %{y:.0%} of calls caught<extra></extra>",
            }
        ],
        xaxis={"title": "false alarms a month", "range": [0.0, 1.15 * max(row.false_a_month for row in rows) or 1.0]},
        yaxis={"title": "calls caught", "tickformat": ".0%", "range": [0, 1.08]},
    )


def capital(rows: Sequence[tuple[str, float]], now: float | None) -> go.Figure:
    """Money for the same odds under each rule, least first; today's equity as a line."""
    colours = palette()
    texts = [short_money(usd) for _, usd in rows]
    shapes = []
    if now is not None:
        shapes = [{"type": "line", "yref": "paper", "x0": now, "x1": now, "y0": 0, "y1": 1,
                   "line": {"color": colours.loss, "dash": "dash", "width": 2}}]  # fmt: skip
    return drawn(
        colours,
        60 + 30 * len(rows),
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(rows))),
                "x": [round(usd, 2) for _, usd in rows],
                "marker": {"color": colours.gain, "line": {"width": 0}},
                "hovertemplate": "%{x:$,.0f}<extra></extra>",
            }
        ],
        xaxis={**DOLLARS, "title": "capital", "rangemode": "tozero", "nticks": 4, "tickangle": 0},
        yaxis=name_axis([safe(name) for name, _ in rows], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
        shapes=shapes,
    )
