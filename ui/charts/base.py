"""What every chart shares: the look, a column of amounts beside the bars, names that cannot be read as markup."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ui.blocks.formats import short_money, true_minus
from ui.blocks.theme import Palette
from ui.charts.figure import PlainFigure

BAR_HEIGHT = 34
LETTER = 7.4  # pixels a letter of the default font takes at size 13, measured in Chromium and rounded up
DOLLARS = {"tickformat": "$~s", "nticks": 5}
CLEAR = "rgba(0,0,0,0)"
ODDS_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
ODDS_END = 0.022  # of the shortest axis of odds: two ticks beside the zero
CHECKED = False  # whether plotly checks each figure; set by the tests
TITLE = 24  # pixels that the title under bars takes, so that the bars keep their height


def drawn(
    colours: Palette,
    height: int,
    data: list[dict[str, Any]],
    xaxis: dict[str, Any] | None = None,
    yaxis: dict[str, Any] | None = None,
    margin: dict[str, float] | None = None,
    **more: Any,
) -> go.Figure:
    """A figure in the look every chart shares: no frame, quiet grid, nothing that jumps when a figure changes.

    Built from plain dicts in one go, and not checked against plotly's schema on a running page: that takes 5 to 10 ms
    a chart, of a budget of 100 ms from edit to figures. Tests check every chart (`CHECKED`).
    Axes are fixed, so that a finger that scrolls the page does not drag the chart.
    """
    axis = {
        "gridcolor": colours.grid,
        "zerolinecolor": colours.grid,
        "linecolor": colours.grid,
        "tickfont": {"color": colours.muted, "size": 13},
        "automargin": True,
        "fixedrange": True,
    }
    layout = {
        "height": height + (TITLE if "ticktext" in (yaxis or {}) and "title" in (xaxis or {}) else 0),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8, **(margin or {})},
        "paper_bgcolor": colours.paper,
        "modebar": {"bgcolor": CLEAR, "color": colours.muted, "activecolor": colours.text},
        "plot_bgcolor": CLEAR,
        "font": {"color": colours.text, "size": 13},
        "xaxis": {**axis, **_titled(xaxis, colours)},
        "yaxis": {**axis, **_titled(yaxis, colours)},
        "showlegend": False,
        "uirevision": "constant",
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "bargap": 0.28,
        **more,
    }
    for side in ("xaxis", "yaxis"):
        _fit_ticks(layout[side], data, side[0])
    spec = {"data": data, "layout": layout}
    return go.Figure(spec) if CHECKED else PlainFigure(spec)


def _fit_ticks(axis: dict[str, Any], data: list[dict[str, Any]], side: str) -> None:
    """Ticks with as many digits as their steps need ("0% 0% 0%" says nothing); billions as B, a dime not as $100m."""
    form = axis.get("tickformat")
    if form not in (".0%", "+.0%", "+.1%", "$~s", "$,.3~s") or "tickvals" in axis:
        return
    ends = [*axis.get("range", ()), *(v for trace in data for v in _values(trace, side))]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    if form[0] == "$":
        if form == "$~s":
            low, high = min(low, 0.0), max(high, 0.0)
        step = nice_step(low, high, axis.get("nticks", 5))
        if axis.get("type") == "log" or step <= 0.0:
            return
        if step < 1.0 and max(-low, high) < 1000.0:
            axis["tickformat"] = f"$,.{-math.floor(math.log10(step * 1.0000001))}f"
        elif max(-low, high) >= 1e9:
            places = [step * i for i in range(math.floor(low / step), math.ceil(high / step) + 1)]
            axis |= {"tickvals": places, "ticktext": [short_money(place) for place in places]}
        return
    step = nice_step(low, high, axis.get("nticks", 6))
    if step <= 0.0:
        axis |= {"nticks": 2, "tickformat": "~%"}  # nothing but zero: one tick
        return
    digits = min(max(0, -math.floor(math.log10(step * 1.0000001)) - 2), 6)
    axis["tickformat"] = f"{'+' if form[0] == '+' else ''}.{digits}%"


def nice_step(low: float, high: float, ticks: int) -> float:
    """The step plotly takes between ticks of a linear axis: 1, 2 or 5 of a power of ten; 0 for no length."""
    rough = (high - low) / max(ticks, 1)
    if not 0.0 < rough < math.inf:
        return 0.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * unit for unit in (1.0, 2.0, 5.0, 10.0) if power * unit >= rough * (1.0 - 1e-9))


def _values(trace: dict[str, Any], side: str) -> list[float]:
    """The numbers that a trace puts on an axis; bars begin at their base."""
    flat = trace.get("orientation") == "h"
    told = trace.get(side)
    found = [] if told is None else [v for v in told if _is_number(v)]
    if trace.get("type") == "bar" and flat == (side == "x"):
        base = trace.get("base")
        starts = base if isinstance(base, list) else [base or 0.0] * len(found)
        found = [*starts, *(a + b for a, b in zip(starts, found, strict=False))]
    return [float(v) for v in found if _is_number(v)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and math.isfinite(value)


def _titled(axis: dict[str, Any] | None, colours: Palette) -> dict[str, Any]:
    """The axis with a text title turned into plotly's form."""
    axis = dict(axis or {})
    if isinstance(axis.get("title"), str):
        axis["title"] = {"text": axis["title"], "font": {"color": colours.muted, "size": 13}}
    return axis


def odds_axis(top: float, title: str, **more: Any) -> dict[str, Any]:
    """An axis of odds from 0 to at least 1%: whole percents, none twice; below 1% no figure is known, so no tick is."""
    end = max(1.08 * top, ODDS_END)
    step = next((s for s in ODDS_STEPS if end / s < 6), 0.25)
    ticks = [i * step for i in range(int(end / step + 1e-9) + 1)]
    return {
        "title": title, "range": [0.0, end], "tickvals": ticks, "ticktext": [f"{100 * t:.0f}%" for t in ticks], **more
    }  # fmt: skip


def across(height: float, colour: str) -> dict[str, Any]:
    """A dashed line across the plot, e.g. the odds aimed at."""
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height,
            "line": {"color": colour, "dash": "dash", "width": 1.5}}  # fmt: skip


def legend_above(colours: Palette) -> dict[str, Any]:
    """Layout of a legend in a row above the plot; leave it room with a top margin."""
    place = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return {"showlegend": True, "legend": {**place, "font": {"color": colours.text}, "traceorder": "normal"}}


def name_axis(names: Sequence[str], colours: Palette, **more: Any) -> dict[str, Any]:
    """A y axis of names at 0, 1, 2 ... from the top. Positions, not names, so equal names stay separate bars."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [true_minus(name) for name in names],
        "range": [len(names) - 0.45, -0.55],
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"color": colours.text, "size": 13},
        **more,
    }


def amount_column(
    texts: Sequence[str], colours: Palette, bold: Sequence[bool] = (), size: int = 13
) -> list[dict[str, Any]]:
    """Annotations: one text per bar in a column right of the plot, where no bar can push it out of view."""
    return [
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "right",
            "xshift": column_width(texts, size),
            "y": i,
            "text": f"<b>{true_minus(text)}</b>" if i < len(bold) and bold[i] else true_minus(text),
            "showarrow": False,
            "align": "right",
            "font": {"color": colours.text, "size": size},
        }
        for i, text in enumerate(texts)
    ]


def tint(colour: str, share: float) -> str:
    """A palette colour (#RRGGBB) made transparent."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def column_heading(text: str, width: float, colours: Palette) -> dict[str, Any]:
    """Annotation: what the column of amounts holds, above it; `width` is the column's. Wants a top margin of 26."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": width, "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {**place, "text": text, "showarrow": False, "font": {"color": colours.muted, "size": 12}}


def column_width(texts: Sequence[str], size: int = 13) -> float:
    """Pixels the column of amounts takes right of the plot (lines are divided by <br>)."""
    longest = max((len(line) for text in texts for line in text.split("<br>")), default=0)
    return round(10 + LETTER * longest * size / 13)


def safe(text: str) -> str:
    """`text` as itself: plotly reads <b>, <br> and <a href> in names."""
    return escape(text, quote=False)


def symbol_name(symbol: str) -> str:
    """A ccxt symbol for an axis: a long one in two lines, so that it leaves room for bars on a phone."""
    cut = symbol.find("-") if len(symbol) > 16 else -1
    return safe(symbol) if cut < 0 else f"{safe(symbol[:cut])}<br>{safe(symbol[cut + 1 :])}"
