"""Odds of a margin call, drawn: survival, money against odds, where odds come from, whether they came true, alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.forecast.alarms import Alarms
from margin.forecast.drivers import Driver, Leg
from margin.forecast.results import ODDS, printed
from margin.forecast.scores import Bin
from ui.blocks.formats import short_money
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe, symbol_name

HEIGHT = 270
SHARES = {"tickformat": ".0%", "rangemode": "tozero"}


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
            "line": {"color": colours.series[i % len(colours.series)], "width": 2.5, "dash": DASHES[i % len(DASHES)]},
            "hovertemplate": "day %{x:.1f}: %{y:.1%}<extra>" + safe(name) + "</extra>",
        }
        for i, (name, (values, per_day)) in enumerate(curves.items())
    ]
    most = max((float(1.0 - values[-1]) for values, _ in curves.values()), default=0.0)
    return drawn(
        colours,
        HEIGHT,
        lines,
        xaxis={"title": "days from now", "nticks": 8},
        yaxis={**SHARES, "title": "odds", "range": [0.0, max(1.08 * most, 0.02)], "nticks": 6},
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
        "line": {"color": colours.gain, "width": 2.5},
        "hovertemplate": "%{x:+$,.0f}: %{y:.1%}<extra></extra>",
    }
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": [0.0],
        "y": [round(now, 5)],
        "marker": {"color": colours.loss, "size": 11},
        "hovertemplate": "today: %{y:.1%}<extra></extra>",
    }
    return drawn(
        colours,
        HEIGHT,
        [curve, dot],
        xaxis={**DOLLARS, "title": "dollars added (left of 0: taken out)", "nticks": 5},
        yaxis={**SHARES, "title": "odds", "nticks": 6},
        shapes=[_across(line, colours.muted)],
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
                "line": {"color": colours.gain, "width": 2.5},
                "hovertemplate": "%{x:.0%} of today: %{y:.1%}<extra></extra>",
            }
        ],
        xaxis={"tickformat": ".0%", "title": "of today's size", "nticks": 6},
        yaxis={**SHARES, "title": "odds", "nticks": 5},
        shapes=[_across(line, colours.muted)],
    )


def _across(height: float, colour: str) -> dict[str, Any]:
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height,
            "line": {"color": colour, "dash": "dash", "width": 1.5}}  # fmt: skip


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
                "customdata": [round(step.change, 5) for step in steps],
                "hovertemplate": "%{customdata:+.1%}<extra></extra>",
            }
        ],
        xaxis={**SHARES, "title": "odds", "nticks": 4},
        yaxis=name_axis([_wrapped(step.name) for step in steps], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


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
    texts = [f"{100 * leg.change:+.1f} pts" for leg in found]
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
                "hovertemplate": "%{x:+.2%}<extra></extra>",
            }
        ],
        xaxis={"title": "change of the odds", "tickformat": "+.1%", "nticks": 5},
        yaxis=name_axis([symbol_name(leg.symbol) for leg in found], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Forecast against what came true with its band; a calibrated forecast lies on the diagonal."""
    colours = palette()
    most = 1.1 * max(max(b.forecast, b.observed, b.high or 0.0) for b in bins)
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
        "hovertemplate": "forecast %{x:.1%}, came true %{y:.1%}<extra></extra>",
    }
    return drawn(
        colours,
        340,
        [diagonal, dots],
        xaxis={"tickformat": ".0%", "title": "forecast", "range": [0, most]},
        yaxis={"tickformat": ".0%", "title": "came true", "range": [0, most]},
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
        xaxis={"title": "false alarms a month", "rangemode": "tozero"},
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
