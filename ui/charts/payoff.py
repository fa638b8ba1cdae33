"""A payoff drawn: profit against one price today, on the chosen day and when the last option has expired."""

import numpy as np
import plotly.graph_objects as go

from margin.ladder.payoff import Payoff
from ui.blocks.formats import money, signed_money
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, drawn, legend_above, safe


def payoff_lines(found: Payoff, names: tuple[str, ...]) -> go.Figure:
    """One line per day of `found`, the last one strongest; today's price and break-evens marked."""
    colours = palette()
    looks = ((colours.muted, 1.5, "dot"), (colours.gain, 2.0, "dash"), (colours.loss, 2.5, "solid"))[-len(names) :]
    data = [
        {
            "type": "scatter", "mode": "lines", "name": name, "x": found.prices, "y": profit,
            "line": {"color": colour, "width": width, "dash": dash},
            "hovertemplate": "%{x:$,.0f}: %{y:$,.0f}<extra></extra>",
        }
        for name, profit, (colour, width, dash) in zip(names, found.profit, looks, strict=True)
    ]  # fmt: skip
    edges = [
        {
            "type": "scatter", "mode": "markers", "name": "break-even", "x": list(found.break_even),
            "y": [0.0] * len(found.break_even), "marker": {"color": colours.text, "size": 8, "symbol": "circle-open"},
            "hovertemplate": "break-even %{x:$,.0f}<extra></extra>",
        }
    ]  # fmt: skip
    line = {"type": "line", "x0": found.spot, "x1": found.spot, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colours.muted, "width": 1}}  # fmt: skip
    return drawn(
        colours,
        340,
        data + (edges if found.break_even else []),
        xaxis={"tickformat": "$,.3~s", "nticks": 6, "title": f"{safe(found.underlying)} price"},
        yaxis={**DOLLARS, "title": "profit or loss", "zeroline": True, "zerolinecolor": colours.muted},
        margin={"t": 28},
        shapes=[line],
        **legend_above(colours),
    )


def payoff_alt(found: Payoff, names: tuple[str, ...]) -> str:
    """The same in words."""
    low, high = found.prices[0], found.prices[-1]
    here = int(np.argmin(np.abs(found.prices - found.spot)))
    ends = found.profit[-1]
    edges = ", ".join(money(p) for p in found.break_even) or "none"
    return (
        f"Profit of {found.underlying} positions, {names[-1]}: {signed_money(ends[0])} at {money(low)}, "
        f"{signed_money(ends[here])} at today's {money(found.spot)}, {signed_money(ends[-1])} at {money(high)}. "
        f"Break-even: {edges}."
    )
