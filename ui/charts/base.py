"""What every chart shares: the look, a column of amounts beside the bars, names that cannot be read as markup."""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from ui.blocks.formats import true_minus
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
    spec = {"data": data, "layout": layout}
    return go.Figure(spec) if CHECKED else PlainFigure(spec)


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
