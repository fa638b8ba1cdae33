"""Plotly figures from engine results. Colours come from the visitor's theme, texts and numbers from the result."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from data.model import PriceSet
from margin.equal_risk import EqualRisk
from margin.ladder import Comparison
from margin.tail import expected_shortfall, value_at_risk
from ui.formats import money, percent, short_money, signed_money
from ui.theme import Palette, palette

BAR_HEIGHT = 34
CURVE_POINTS = 300
METHODS_SHORT = {
    "historical": "Historical",
    "filtered": "Filtered",
    "gaussian": "Gaussian",
    "student": "Student-t",
    "stressed": "Stressed",
}


def drawn(
    colours: Palette,
    height: int,
    data: list[dict[str, Any]],
    xaxis: dict[str, Any] | None = None,
    yaxis: dict[str, Any] | None = None,
    **more: Any,
) -> go.Figure:
    """A figure in the look every chart shares: no frame, quiet grid, nothing that jumps when a figure changes.

    Built from plain dicts in one go: plotly checks a figure once instead of at every update, which is 6 to 10 times
    faster (1 ms instead of 6 to 12 for the charts of the home page, of a budget of 100 ms from edit to figures).
    """
    axis = {"gridcolor": colours.grid, "zerolinecolor": colours.grid, "linecolor": colours.grid, "automargin": True}
    layout = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 13},
        "xaxis": {**axis, **(xaxis or {})},
        "yaxis": {**axis, **(yaxis or {})},
        "showlegend": False,
        "uirevision": "constant",
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "bargap": 0.28,
        **more,
    }
    return go.Figure({"data": data, "layout": layout})


DOLLARS = {"tickformat": "$~s", "nticks": 6}


def waterfall(comparison: Comparison) -> go.Figure:
    """From isolated to safeguarded margin, every effect by name, its amount and its sign."""
    colours = palette()
    c = comparison
    steps = [("Isolated", "absolute", c.isolated), ("Netting", "relative", -c.attribution.netting)]
    steps += [("Diversification", "relative", -c.attribution.diversification), ("Portfolio", "total", c.portfolio)]
    for line in c.safeguard_lines:
        if line.amount is not None and line.enabled and abs(line.amount) > 1e-9 * max(c.isolated, 1.0):
            steps.append((SAFEGUARD_SHORT.get(line.key, line.label), "relative", line.amount))
    steps.append(("With safeguards", "total", c.safeguarded))
    names, measures, amounts = zip(*steps, strict=True)
    texts = [short_money(a) if m != "relative" else signed_money(a) for m, a in zip(measures, amounts, strict=True)]
    bars = {
        "type": "waterfall",
        "orientation": "h",
        "y": names,
        "x": [round(a, 2) for a in amounts],
        "measure": measures,
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": colours.text},
        "decreasing": {"marker": {"color": colours.gain}},
        "increasing": {"marker": {"color": colours.loss}},
        "totals": {"marker": {"color": colours.total}},
        "connector": {"line": {"color": colours.grid, "width": 1}},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    most = max(c.isolated, c.safeguarded, 1e-9) * 1.18
    return drawn(
        colours,
        40 + BAR_HEIGHT * len(steps),
        [bars],
        xaxis={**DOLLARS, "range": [0, most], "nticks": 5},
        yaxis={"autorange": "reversed", "showgrid": False},
    )


SAFEGUARD_SHORT = {
    "offset_cap": "Cap on offsets",
    "stressed": "Stressed period",
    "correlation_break": "Correlation break",
    "liquidity": "Liquidity",
    "procyclicality": "Anti-procyclical",
    "cap_at_isolated": "Isolated is the most",
}


def contributions(comparison: Comparison) -> go.Figure:
    """What each position adds to the pool (right) or takes off it (left), beside what it needs alone."""
    colours = palette()
    rows = sorted(comparison.positions, key=lambda p: p.contribution)
    names = _distinct([p.symbol for p in rows])
    parts = [p.contribution for p in rows]
    alone = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [round(p.standalone, 2) for p in rows],
        "marker": {"color": "rgba(0,0,0,0)", "line": {"color": colours.muted, "width": 1}},
        "hovertemplate": "%{y} alone: %{x:$,.0f}<extra></extra>",
        "name": "alone",
    }
    pooled = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [round(v, 2) for v in parts],
        "marker": {"color": [colours.loss if v > 0 else colours.gain for v in parts]},
        "text": [("▲ " if v > 0 else "▼ " if v < 0 else "") + short_money(abs(v)) for v in parts],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": colours.text},
        "hovertemplate": "%{y} in the pool: %{x:$,.0f}<extra></extra>",
        "name": "in the pool",
    }
    widest = max([abs(v) for v in parts] + [p.standalone for p in rows] + [1e-9])
    low = min([*parts, 0.0])
    return drawn(
        colours,
        70 + BAR_HEIGHT * len(rows),
        [alone, pooled],
        xaxis={**DOLLARS, "range": [low - 0.25 * widest if low < 0 else 0, 1.2 * widest], "nticks": 5},
        yaxis={"showgrid": False},
        barmode="overlay",
    )


def equal_risk(curve: EqualRisk, probability: float | None = None) -> go.Figure:
    """Capital (x) against the probability that it runs out (y); the gap at one probability is the capital saved."""
    colours = palette()
    lines: list[dict[str, Any]] = []
    for name, needed, colour in (
        ("isolated", curve.isolated, colours.loss),
        ("pooled", curve.pooled, colours.gain),
    ):
        capital, above = _survival(needed)
        lines.append(
            {
                "type": "scatter",
                "x": capital,
                "y": above,
                "mode": "lines",
                "line": {
                    "shape": "hv",
                    "color": colour,
                    "width": 2.5,
                    "dash": "solid" if name == "pooled" else "dash",
                },
                "name": name,
                "hovertemplate": f"{name}: %{{x:$,.0f}} runs out in %{{y:.1%}}<extra></extra>",
            }
        )
    most = max(float(curve.isolated[-1]), float(curve.pooled[-1]), 1e-9)
    if probability is not None:
        isolated, pooled = curve.capital(probability)
        lines.append(
            {
                "type": "scatter",
                "x": [pooled, isolated],
                "y": [probability, probability],
                "mode": "lines+markers+text",
                "line": {"color": colours.text, "width": 1.5},
                "marker": {"size": 8, "color": colours.text, "symbol": ["triangle-left", "triangle-right"]},
                "text": ["", f"{short_money(isolated - pooled)} saved at {probability:.1%}"],
                "textposition": "top left",
                "textfont": {"color": colours.text},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return drawn(
        colours,
        340,
        lines,
        xaxis={**DOLLARS, "range": [0, most * 1.03], "title": {"text": "capital held"}},
        yaxis={
            "type": "log",
            "range": [np.log10(0.7 / len(curve.pooled)), 0.05],
            "tickformat": "~%",
            "tickvals": [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0],
            "title": {"text": "probability it runs out"},
        },
        showlegend=True,
        legend={"orientation": "h", "y": 1.08, "x": 0},
    )


def methods(rows: list[tuple[str, Comparison]]) -> go.Figure:
    """Isolated, portfolio and safeguarded margin under every estimator."""
    colours = palette()
    names = [METHODS_SHORT.get(name, name) for name, _ in rows]
    bars = [
        {
            "type": "bar",
            "x": names,
            "y": [round(v, 2) for v in values],
            "name": label,
            "marker": {"color": colour, "pattern": {"shape": pattern}},
            "hovertemplate": f"%{{x}}, {label}: %{{y:$,.0f}}<extra></extra>",
        }
        for label, values, colour, pattern in (
            ("isolated", [c.isolated for _, c in rows], colours.total, ""),
            ("with safeguards", [c.safeguarded for _, c in rows], colours.loss, "/"),
            ("portfolio", [c.portfolio for _, c in rows], colours.gain, ""),
        )
    ]
    return drawn(
        colours,
        340,
        bars,
        xaxis={"showgrid": False},
        yaxis={"tickformat": "$~s", "rangemode": "tozero"},
        barmode="group",
        showlegend=True,
        legend={"orientation": "h", "y": 1.1, "x": 0},
    )


def loss_distribution(comparison: Comparison) -> go.Figure:
    """Histogram of the book's profit and loss over the scenarios, with VaR and ES marked."""
    colours = palette()
    losses = comparison.losses.sum(axis=1)
    level = comparison.settings.level
    counts, edges = np.histogram(-losses, bins=min(60, max(10, len(losses) // 10)))
    centres = (edges[1:] + edges[:-1]) / 2
    var, es = float(value_at_risk(losses, level)), float(expected_shortfall(losses, level))
    bars = {
        "type": "bar",
        "x": np.round(centres, 2),
        "y": 100 * counts / len(losses),
        "width": edges[1] - edges[0],
        "marker": {"color": [colours.loss if x < -var else colours.total for x in centres]},
        "hovertemplate": "around %{x:$,.0f}: %{y:.1f}% of scenarios<extra></extra>",
    }
    marks = (("VaR", -var, "left", 1.0, "dot"), ("ES", -es, "right", 0.86, "solid"))
    upright = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}
    return drawn(
        colours,
        280,
        [bars],
        xaxis={**DOLLARS, "title": {"text": "profit or loss over the horizon"}},
        yaxis={"ticksuffix": "%", "title": {"text": "share of scenarios"}},
        bargap=0,
        shapes=[
            {**upright, "x0": x, "x1": x, "line": {"color": colours.text, "width": 1.5, "dash": dash}}
            for _, x, _, _, dash in marks
        ],
        annotations=[
            {
                "x": x,
                "y": y,
                "yref": "paper",
                "text": f"{name} {short_money(x)}",
                "showarrow": False,
                "xanchor": anchor,
                "font": {"color": colours.text},
            }
            for name, x, anchor, y, _ in marks
        ],
    )


def coverage(prices: PriceSet) -> go.Figure:
    """From when to when each asset has closes; holes longer than a weekend are left open."""
    colours = palette()
    spans: list[dict[str, Any]] = []
    assets = list(prices.closes.columns)[::-1]
    for asset in assets:
        held = prices.closes[asset].dropna().index
        if not len(held):
            continue
        breaks = np.flatnonzero(np.diff(held.to_numpy()) > np.timedelta64(4, "D"))
        starts, ends = np.r_[0, breaks + 1], np.r_[breaks, len(held) - 1]
        x = [stamp for s, e in zip(starts, ends, strict=True) for stamp in (held[s], held[e], None)]
        spans.append(
            {
                "type": "scatter",
                "x": x,
                "y": [asset] * len(x),
                "mode": "lines",
                "line": {"color": colours.gain, "width": 9},
                "connectgaps": False,
                "hovertemplate": f"{asset}: %{{x|%Y-%m-%d}}<extra></extra>",
            }
        )
    axis = {"showgrid": False, "type": "category", "tickfont": {"size": 12}}
    return drawn(colours, 60 + 22 * max(len(assets), 3), spans, yaxis=axis)


def waterfall_alt(comparison: Comparison) -> str:
    """The waterfall in words."""
    a = comparison.attribution
    return (
        f"From isolated {money(comparison.isolated)}: netting takes {money(a.netting)}, diversification and hedging "
        f"{money(a.diversification)}, leaving {money(comparison.portfolio)}; safeguards add {money(a.safeguards)} to "
        f"reach {money(comparison.safeguarded)}. {percent(comparison.saved_pct)} is saved."
    )


def contributions_alt(comparison: Comparison) -> str:
    """The contributions in words, the first eight by name."""
    parts = [f"{p.symbol} {money(p.contribution)}" for p in comparison.positions[:8]]
    return f"Share of each position in the portfolio margin: {', '.join(parts)}."


def _survival(needed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step points (capital ascending, share of scenarios that need more), thinned to what a screen can show."""
    n = len(needed)
    capital = np.maximum(needed, 0.0)
    above = (n - np.arange(1, n + 1)) / n
    if n > CURVE_POINTS:
        tail = np.arange(n - 100, n)
        keep = np.unique(np.r_[np.linspace(0, n - 101, CURVE_POINTS - 100).astype(int), tail])
        capital, above = capital[keep], above[keep]
    share = np.concatenate([[np.mean(needed > 0)], np.maximum(above, 0.5 / n)])
    return np.round(np.concatenate([[0.0], capital]), 2), share


def _distinct(names: list[str]) -> list[str]:
    """Names made unique with invisible-free counters, so that two positions in one symbol stay two bars."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out
