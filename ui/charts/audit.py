"""A venue's book drawn: shortfall by shock, the ladder of liquidations, forced flow, health bands, who is large."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ui.blocks.formats import moved, short_money, signed_money
from ui.blocks.theme import palette
from ui.charts.base import CLEAR, DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.heat import HEADROOM, columns_above, heat, rows_down


def shortfalls(names: Sequence[str], moves: Sequence[float], table: np.ndarray) -> go.Figure:
    """Assets (rows) by their own move (columns): USD that accounts end below zero. Colour by the logarithm."""
    colours = palette()
    size = np.log10(np.maximum(table, 1.0))
    some = size[table >= 1.0]
    low = max(float(some.min()) - 0.5, 0.0) if len(some) else 0.0
    texts = [[short_money(v) if v >= 1.0 else "0" for v in row] for row in table]
    high = low + HEADROOM * max(float(size.max()) - low, 1.0)
    return drawn(
        colours,
        90 + 30 * len(names),
        [heat(size, texts, (colours.scale[1], colours.loss), low, high)],
        xaxis=columns_above([moved(m) for m in moves], linecolor=CLEAR),
        yaxis=rows_down([safe(n) for n in names]),
    )


def ladder(steps: np.ndarray, down: np.ndarray, up: np.ndarray) -> go.Figure:
    """USD closed per half percent of a market move, falls left, rises right."""
    colours = palette()
    keep = steps <= 0.5
    ticks = [-0.4, -0.2, 0.0, 0.2, 0.4]
    bars = [
        {"type": "bar", "name": name, "x": np.round(sign * steps[keep], 4).tolist(),
         "y": np.round(values[keep]).tolist(),
         "marker": {"color": colour, "line": {"width": 0}},
         "hovertemplate": "%{x:+.1%}: %{y:$,.4~s}<extra></extra>"}
        for name, sign, values, colour in (
            ("a fall closes", -1, down, colours.loss), ("a rise closes", 1, up, colours.gain)
        )
    ]  # fmt: skip
    return drawn(
        colours,
        400,
        bars,
        xaxis={"tickvals": ticks, "ticktext": [moved(x) if x else "0%" for x in ticks], "title": "move of the market"},
        yaxis={**DOLLARS, "title": "closed by force"},
        margin={"t": 50},
        bargap=0.0,
        **legend_above(colours),
    )


def forced(rows: Sequence[tuple[str, float]]) -> go.Figure:
    """USD bought (right) or sold (left) by force, by asset."""
    colours = palette()
    texts = [signed_money(v) for _, v in rows]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [round(v, 2) for _, v in rows],
        "marker": {"color": [colours.gain if v > 0 else colours.loss for _, v in rows], "line": {"width": 0}},
        "hovertemplate": "%{x:$,.4~s}<extra></extra>",
    }
    return drawn(
        colours,
        60 + 28 * len(rows),
        [bars],
        xaxis={**DOLLARS, "title": "sold (left), bought (right)"},
        yaxis=name_axis([safe(n) for n, _ in rows], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def bands(rows: Sequence[tuple[str, int, float]]) -> go.Figure:
    """Accounts by health band; below 1 is closed already."""
    colours = palette()
    texts = [f"{count:,} · {short_money(usd)}" for _, count, usd in rows]
    closed = [i < 2 for i in range(len(rows))]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [count for _, count, _ in rows],
        "marker": {"color": [colours.loss if bad else colours.total for bad in closed], "line": {"width": 0}},
        "hovertemplate": "%{x:,} accounts<extra></extra>",
    }
    return drawn(
        colours,
        60 + 30 * len(rows),
        [bars],
        xaxis={"tickformat": "~s", "nticks": 5, "title": "accounts"},
        yaxis=name_axis([name for name, *_ in rows], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def amounts(rows: Sequence[tuple[str, float]]) -> go.Figure:
    """A bar of dollars per name, in the order given."""
    colours = palette()
    texts = [short_money(v) for _, v in rows]
    names = [safe(n if len(n) <= 16 else f"{n[:7]}…{n[-6:]}") for n, _ in rows]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [round(v, 2) for _, v in rows],
        "marker": {"color": colours.total, "line": {"width": 0}},
        "hovertemplate": "%{x:$,.4~s}<extra></extra>",
    }
    return drawn(
        colours,
        60 + 30 * len(rows),
        [bars],
        xaxis={**DOLLARS, "title": "size of positions"},
        yaxis=name_axis(names, colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )


def overlap(names: Sequence[str], table: np.ndarray) -> go.Figure:
    """How much of the smaller of two assets' positions stands in accounts that hold both."""
    colours = palette()
    shown = np.where(np.eye(len(names), dtype=bool), np.nan, table)
    texts = [["" if np.isnan(v) else f"{100 * v:.0f}%" for v in row] for row in shown]
    high = HEADROOM * max(float(np.nanmax(shown, initial=0.0)), 0.01)
    return drawn(
        colours,
        100 + 28 * len(names),
        [heat(shown, texts, (colours.scale[1], colours.gain), 0.0, high)],
        xaxis=columns_above([safe(n) for n in names], linecolor=CLEAR),
        yaxis=rows_down([safe(n) for n in names]),
    )
