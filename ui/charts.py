"""Plotly figures from engine results. Colours come from the visitor's theme, texts and numbers from the result."""

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


def layout(figure: go.Figure, colours: Palette, height: int) -> go.Figure:
    """The look every chart shares: no frame, quiet grid, nothing that jumps when a figure changes."""
    axis = {"gridcolor": colours.grid, "zerolinecolor": colours.grid, "linecolor": colours.grid, "automargin": True}
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": colours.text, "size": 13},
        xaxis=axis,
        yaxis=axis,
        showlegend=False,
        uirevision="constant",
        hoverlabel={"align": "left"},
        dragmode=False,
        bargap=0.28,
    )


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
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=names,
            x=[round(a, 2) for a in amounts],
            measure=measures,
            text=texts,
            textposition="outside",
            cliponaxis=False,
            textfont={"color": colours.text},
            decreasing={"marker": {"color": colours.gain}},
            increasing={"marker": {"color": colours.loss}},
            totals={"marker": {"color": colours.total}},
            connector={"line": {"color": colours.grid, "width": 1}},
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    layout(figure, colours, 40 + BAR_HEIGHT * len(steps))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(
        range=[0, max(c.isolated, c.safeguarded, 1e-9) * 1.18], tickprefix="$", tickformat="~s", nticks=5
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
    figure = go.Figure(
        [
            go.Bar(
                orientation="h",
                y=names,
                x=[round(p.standalone, 2) for p in rows],
                marker={"color": "rgba(0,0,0,0)", "line": {"color": colours.muted, "width": 1}},
                hovertemplate="%{y} alone: %{x:$,.0f}<extra></extra>",
                name="alone",
            ),
            go.Bar(
                orientation="h",
                y=names,
                x=[round(v, 2) for v in parts],
                marker={"color": [colours.loss if v > 0 else colours.gain for v in parts]},
                text=[("▲ " if v > 0 else "▼ " if v < 0 else "") + short_money(abs(v)) for v in parts],
                textposition="outside",
                cliponaxis=False,
                textfont={"color": colours.text},
                hovertemplate="%{y} in the pool: %{x:$,.0f}<extra></extra>",
                name="in the pool",
            ),
        ]
    )
    figure.update_layout(barmode="overlay")
    layout(figure, colours, 70 + BAR_HEIGHT * len(rows))
    widest = max([abs(v) for v in parts] + [p.standalone for p in rows] + [1e-9])
    low = min([*parts, 0.0])
    figure.update_xaxes(
        range=[low - 0.25 * widest if low < 0 else 0, 1.2 * widest], tickprefix="$", tickformat="~s", nticks=5
    )
    return figure.update_yaxes(showgrid=False)


def equal_risk(curve: EqualRisk, probability: float | None = None) -> go.Figure:
    """Capital (x) against the probability that it runs out (y); the gap at one probability is the capital saved."""
    colours = palette()
    figure = go.Figure()
    for name, needed, colour in (
        ("isolated", curve.isolated, colours.loss),
        ("pooled", curve.pooled, colours.gain),
    ):
        capital, above = _survival(needed)
        figure.add_scatter(
            x=capital,
            y=above,
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2.5, "dash": "solid" if name == "pooled" else "dash"},
            name=name,
            hovertemplate=f"{name}: %{{x:$,.0f}} runs out in %{{y:.1%}}<extra></extra>",
        )
    most = max(float(curve.isolated[-1]), float(curve.pooled[-1]), 1e-9)
    layout(figure, colours, 340)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.08, "x": 0})
    figure.update_xaxes(
        range=[0, most * 1.03], tickprefix="$", tickformat="~s", title={"text": "capital held"}, nticks=6
    )
    figure.update_yaxes(
        type="log",
        range=[np.log10(0.7 / len(curve.pooled)), 0.05],
        tickformat="~%",
        tickvals=[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0],
        title={"text": "probability it runs out"},
    )
    if probability is not None:
        isolated, pooled = curve.capital(probability)
        figure.add_scatter(
            x=[pooled, isolated],
            y=[probability, probability],
            mode="lines+markers+text",
            line={"color": colours.text, "width": 1.5},
            marker={"size": 8, "color": colours.text, "symbol": ["triangle-left", "triangle-right"]},
            text=["", f"{short_money(isolated - pooled)} saved at {probability:.1%}"],
            textposition="top left",
            textfont={"color": colours.text},
            hoverinfo="skip",
            showlegend=False,
        )
    return figure


def methods(rows: list[tuple[str, Comparison]]) -> go.Figure:
    """Isolated, portfolio and safeguarded margin under every estimator."""
    colours = palette()
    names = [METHODS_SHORT.get(name, name) for name, _ in rows]
    figure = go.Figure()
    for label, values, colour, pattern in (
        ("isolated", [c.isolated for _, c in rows], colours.total, ""),
        ("with safeguards", [c.safeguarded for _, c in rows], colours.loss, "/"),
        ("portfolio", [c.portfolio for _, c in rows], colours.gain, ""),
    ):
        figure.add_bar(
            x=names,
            y=[round(v, 2) for v in values],
            name=label,
            marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate=f"%{{x}}, {label}: %{{y:$,.0f}}<extra></extra>",
        )
    layout(figure, colours, 340)
    figure.update_layout(barmode="group", showlegend=True, legend={"orientation": "h", "y": 1.1, "x": 0})
    figure.update_xaxes(showgrid=False)
    return figure.update_yaxes(tickprefix="$", tickformat="~s", rangemode="tozero")


def loss_distribution(comparison: Comparison) -> go.Figure:
    """Histogram of the book's profit and loss over the scenarios, with VaR and ES marked."""
    colours = palette()
    losses = comparison.losses.sum(axis=1)
    level = comparison.settings.level
    counts, edges = np.histogram(-losses, bins=min(60, max(10, len(losses) // 10)))
    centres = (edges[1:] + edges[:-1]) / 2
    var, es = float(value_at_risk(losses, level)), float(expected_shortfall(losses, level))
    figure = go.Figure(
        go.Bar(
            x=np.round(centres, 2),
            y=100 * counts / len(losses),
            width=edges[1] - edges[0],
            marker={"color": [colours.loss if x < -var else colours.total for x in centres]},
            hovertemplate="around %{x:$,.0f}: %{y:.1f}% of scenarios<extra></extra>",
        )
    )
    layout(figure, colours, 280)
    for name, value, position, shift in (("VaR", -var, "top right", 1.0), ("ES", -es, "top left", 0.86)):
        figure.add_vline(
            x=value, line={"color": colours.text, "width": 1.5, "dash": "dot" if name == "VaR" else "solid"}
        )
        figure.add_annotation(
            x=value,
            y=shift,
            yref="paper",
            text=f"{name} {short_money(value)}",
            showarrow=False,
            xanchor="left" if "right" in position else "right",
            font={"color": colours.text},
        )
    figure.update_layout(bargap=0)
    figure.update_xaxes(tickprefix="$", tickformat="~s", nticks=6, title={"text": "profit or loss over the horizon"})
    return figure.update_yaxes(ticksuffix="%", title={"text": "share of scenarios"})


def coverage(prices: PriceSet) -> go.Figure:
    """From when to when each asset has closes; holes longer than a weekend are left open."""
    colours = palette()
    figure = go.Figure()
    assets = list(prices.closes.columns)[::-1]
    for asset in assets:
        held = prices.closes[asset].dropna().index
        if not len(held):
            continue
        breaks = np.flatnonzero(np.diff(held.to_numpy()) > np.timedelta64(4, "D"))
        starts, ends = np.r_[0, breaks + 1], np.r_[breaks, len(held) - 1]
        x = [stamp for s, e in zip(starts, ends, strict=True) for stamp in (held[s], held[e], None)]
        figure.add_scatter(
            x=x,
            y=[asset] * len(x),
            mode="lines",
            line={"color": colours.gain, "width": 9},
            connectgaps=False,
            hovertemplate=f"{asset}: %{{x|%Y-%m-%d}}<extra></extra>",
        )
    layout(figure, colours, 60 + 22 * max(len(assets), 3))
    return figure.update_yaxes(showgrid=False, type="category", tickfont={"size": 12})


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
