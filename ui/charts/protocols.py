"""Shared collateral drawn: the frontier of rules, who is paid what, the double count, a network as a matrix, funds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.protocols.network import Network
from margin.protocols.paid import Falls, Paid
from margin.protocols.population import FundNeed, Spread, Tipping
from margin.protocols.sharing import Shared
from margin.protocols.wallet import NAMES, Rule
from ui.blocks.formats import short_money, true_minus
from ui.blocks.theme import palette
from ui.charts.base import CLEAR, DOLLARS, amount_column, column_width, drawn, legend_above, name_axis, safe
from ui.charts.heat import HEADROOM, columns_above, heat, rows_down
from ui.charts.money_steps import money_steps

DOT = 0.02  # half of a dot's width, as a share of the chart's
LEAST_SHOWN = 0.01  # USD of expected loss: less is drawn on the axis


def frontier(lines: Sequence[Shared], chosen: Rule) -> go.Figure:
    """Capital against expected shortfall, one dot per rule."""
    colours = palette()
    top = max(*(x.expected_shortfall for x in lines), LEAST_SHOWN)
    ends = [x.capital for x in lines]
    wide = max(max(ends) - min(ends), 0.02 * max(ends))
    dots: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": NAMES[x.rule],
            "x": [round(x.capital, 2)],
            "y": [round(x.expected_shortfall, 4)],
            "marker": {
                "size": 18 if x.rule == chosen else 12,
                "color": colours.loss if x.rule == "double" else colours.gain,
                "line": {"width": 3 if x.rule == chosen else 0, "color": colours.text},
            },
            "hovertemplate": f"{NAMES[x.rule]}: %{{x:$,.0f}}, loss %{{y:$,.2f}}<extra></extra>",
            "cliponaxis": False,
        }
        for x in lines
    ]
    labels = _labels([(NAMES[x.rule], x.capital / wide, x.expected_shortfall / top) for x in lines])
    notes = [
        {
            "x": dot["x"][0], "y": dot["y"][0], "text": dot["name"], "showarrow": True, "arrowhead": 0, "arrowwidth": 1,
            "arrowcolor": colours.grid, "ax": 0, "ay": -24 - 20 * level, "standoff": 9,
            "font": {"color": colours.text, "size": 13},
        }
        for dot, level in zip(dots, labels, strict=True)
    ]  # fmt: skip
    return drawn(
        colours,
        340,
        dots,
        xaxis={**DOLLARS, "title": "capital needed", "range": [min(ends) - 0.22 * wide, max(ends) + 0.22 * wide]},
        yaxis={"tickformat": "$~s", "nticks": 5, "title": "expected loss of others", "range": [-0.1 * top, 1.3 * top]},
        margin={"t": 16},
        annotations=notes,
    )


def _labels(spots: Sequence[tuple[str, float, float]]) -> list[int]:
    """How many lines above its dot each name stands, so that it meets no other name and no dot; x, y as shares."""
    taken: list[tuple[float, float, float]] = []  # left, right, height
    levels = {}
    for i in sorted(range(len(spots)), key=lambda i: spots[i][1]):
        name, x, y = spots[i]
        half = 0.018 * len(name)
        level = 0
        dots = [(a - DOT, a + DOT, _height(b, -1)) for j, (_, a, b) in enumerate(spots) if j != i]
        while any(
            x - half < right and x + half > left and abs(_height(y, level) - h) < apart
            for held, apart in ((taken, 0.075), (dots, 0.056))
            for left, right, h in held
        ):
            level += 1
        taken.append((x - half, x + half, _height(y, level)))
        levels[i] = level
    return [levels[i] for i in range(len(spots))]


def _height(y: float, level: int) -> float:
    return y / 1.4 + 0.08 + 0.08 * level


def paid(now: Paid) -> go.Figure:
    """Where the money goes: the bars add up to what the wallet keeps."""
    colours = palette()
    steps = [
        ("Collateral", now.collateral, "absolute"),
        ("Cash margin", now.cash, "relative"),
        ("Positions", now.result, "relative"),
        ("Lender's claim", -now.debt, "relative"),
        ("Liquidators", -now.bonus, "relative"),
        ("Lender not paid", now.lender_short, "relative"),
        ("Venue not paid", now.venue_short, "relative"),
        ("Wallet keeps", now.wallet, "total"),
    ]
    return money_steps(steps, "money of the wallet", colours)


def double_count(falls: Falls) -> go.Figure:
    """Both gaps and the wallet's worth against the fall; where each reaches nothing."""
    colours = palette()
    shown = (
        ("lender's gap", falls.lender, colours.series[0], "solid"),
        ("venue's gap", falls.venue, colours.series[3], "solid"),
        ("what the wallet is worth", falls.worth, colours.loss, "dash"),
    )
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": np.round(falls.moves, 4).tolist(),
            "y": np.round(values, 2).tolist(),
            "line": {"color": colour, "width": 3, "dash": dash},
            "hovertemplate": f"%{{x:.0%}}: {name} %{{y:$,.0f}}<extra></extra>",
        }
        for name, values, colour, dash in shown
    ]
    marks = [
        (falls.nothing, "worth nothing", colours.loss_text, 0.98),
        (falls.lender_call, "lender calls", colours.series[0], 0.86),
        (falls.venue_call, "venue calls", colours.series[3], 0.74),
    ]
    there = [(at, text, colour, high) for at, text, colour, high in marks if at is not None]
    return drawn(
        colours,
        420,
        lines,
        xaxis={"tickformat": ".0%", "range": [0.02, float(falls.moves[-1]) - 0.02], "title": "move of the price",
               "nticks": 8},
        yaxis={**DOLLARS, "title": "gap", "zeroline": True, "zerolinecolor": colours.muted, "zerolinewidth": 2},
        margin={"t": 60},
        shapes=[
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": colour, "width": 1.5, "dash": "dot"}}
            for at, _, colour, _ in there
        ],
        annotations=[
            {"x": at, "yref": "paper", "y": high, "text": true_minus(f"{text} {at:.0%}"), "showarrow": False,
             "xanchor": "left" if at > -0.55 else "right", "xshift": 4 if at > -0.55 else -4,
             "font": {"color": colour, "size": 14}, "bgcolor": colours.paper}
            for at, text, colour, high in there
        ],
        **legend_above(colours),
    )  # fmt: skip


def debt_unit(network: Network) -> tuple[float, str]:
    """In what the debts of a network are written, so that a phone's cells hold them: (dollars, its name)."""
    most = float(network.debts.max(initial=0.0))
    units = ((1e9, "$ billion"), (1e6, "$ million"), (1e3, "$ thousand"))
    return next(((size, name) for size, name in units if most >= size), (1.0, "$"))


def _of_unit(share: float) -> str:
    return f"{share:.3g}" if share >= 0.01 else "≈0"


def matrix(network: Network, order: Sequence[int]) -> go.Figure:
    """Who (rows) owes whom (columns), in the order given: never a force graph, which nobody can read."""
    colours = palette()
    rows = list(order)
    owed = network.debts[np.ix_(rows, rows)]
    most = max(float(owed.max()), 1.0)
    unit, _ = debt_unit(network)
    texts = [[_of_unit(v / unit) if v > 0 else "" for v in row] for row in owed]
    names = [safe(network.ids[i]) for i in rows]
    values = np.where(owed > 0, owed, np.nan)
    return drawn(
        colours,
        120 + 30 * len(rows),
        [heat(values, texts, (colours.scale[1], colours.loss), 0.0, HEADROOM * most, size=11 if len(rows) <= 8 else 9)],
        xaxis=columns_above(names, linecolor=CLEAR, tickangle=-90),
        yaxis=rows_down(names),
    )


def losses(names: Sequence[str], values: Sequence[float], marked: Sequence[bool], unit: str = "$") -> go.Figure:
    """A bar per node, largest loss first; marked ones default."""
    colours = palette()
    texts = [
        f"{short_money(v) if unit == '$' else f'{v:.0%}'}{' ◆' if bad else ''}"
        for v, bad in zip(values, marked, strict=True)
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": [round(float(v), 4) for v in values],
        "marker": {"color": [colours.loss if bad else colours.total for bad in marked], "line": {"width": 0}},
        "hovertemplate": "%{x:,.4~s}<extra></extra>",
    }
    axis = DOLLARS if unit == "$" else {"tickformat": ".0%", "nticks": 5}
    return drawn(
        colours,
        60 + 30 * len(names),
        [bars],
        xaxis={**axis, "title": "equity lost" if unit == "$" else "share of equity lost", "rangemode": "tozero"},
        yaxis=name_axis([safe(n) for n in names], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours, size=13),
    )


def branching(found: Tipping, ends: np.ndarray, shocks: np.ndarray) -> go.Figure:
    """The fall that each shock ends at, against no amplification."""
    colours = palette()
    x = np.round(shocks, 4).tolist()
    lines = [
        {"type": "scatter", "mode": "lines", "name": "without sales", "x": x, "y": x,
         "line": {"color": colours.muted, "width": 2, "dash": "dash"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "name": "where it ends", "x": x, "y": np.round(ends, 4).tolist(),
         "line": {"color": colours.loss, "width": 3},
         "hovertemplate": "a shock of %{x:.1%} ends at %{y:.1%}<extra></extra>"},
    ]  # fmt: skip
    more = {}
    if found.critical is not None:
        at = found.critical[0]
        more["shapes"] = [{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
                           "line": {"color": colours.text, "width": 1.5, "dash": "dot"}}]  # fmt: skip
    return drawn(
        colours,
        340,
        lines,
        xaxis={"tickformat": ".0%", "title": "shock from outside", "nticks": 7},
        yaxis={"tickformat": ".0%", "title": "fall in the end", "nticks": 6},
        margin={"t": 50},
        **legend_above(colours),
        **more,
    )


def double_share(found: Sequence[tuple[float, Spread]]) -> go.Figure:
    """Bad debt of both sides against the share of wallets counted twice."""
    colours = palette()
    x = [round(share, 3) for share, _ in found]
    layers = [
        {"type": "bar", "name": name, "x": x, "y": [round(getattr(s, field), 2) for _, s in found],
         "marker": {"color": colour, "line": {"width": 0}},
         "hovertemplate": f"%{{x:.0%}} counted twice: {name} %{{y:$,.4~s}}<extra></extra>"}
        for name, field, colour in (("lender not paid", "lender_short", colours.series[0]),
                                    ("venue not paid", "venue_short", colours.loss))
    ]  # fmt: skip
    return drawn(
        colours,
        320,
        layers,
        xaxis={"tickformat": ".0%", "title": "share of wallets counted twice", "tickvals": x},
        yaxis={**DOLLARS, "title": "missing"},
        margin={"t": 50},
        barmode="stack",
        **legend_above(colours),
    )


def fund_losses(found: FundNeed) -> go.Figure:
    """Losses of both sides by scenario, largest first, and the funds that pay the level's case."""
    colours = palette()
    order = np.argsort(-found.losses.sum(axis=1))
    names = (("lender", colours.series[0]), ("venue", colours.loss))
    layers = [
        {"type": "bar", "name": f"loss of the {name}", "x": list(range(1, len(order) + 1)),
         "y": np.round(found.losses[order, i], 2).tolist(), "marker": {"color": colour, "line": {"width": 0}},
         "hovertemplate": f"{name} %{{y:$,.4~s}}<extra></extra>"}
        for i, (name, colour) in enumerate(names)
    ]  # fmt: skip
    lines = (
        (sum(found.mutual.separate), "two separate funds", "dot"),
        (found.mutual.mutual, "one shared fund", "dash"),
    )
    return drawn(
        colours,
        340,
        layers,
        xaxis={"title": "scenarios, worst first", "showgrid": False, "nticks": 6},
        yaxis={**DOLLARS, "title": "missing"},
        margin={"t": 50},
        barmode="stack",
        bargap=0.0,
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at,
                 "line": {"color": colours.text, "width": 1.5, "dash": dash}} for at, _, dash in lines],
        annotations=[
            {"xref": "paper", "x": 1, "xanchor": "right", "y": at, "yanchor": anchor, "showarrow": False,
                      "text": f"{text} {short_money(at)}", "font": {"color": colours.text}}
            for (at, text, _), anchor in zip(lines, ("bottom", "top"), strict=True)
        ],
        **legend_above(colours),
    )  # fmt: skip
