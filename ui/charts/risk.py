"""What the pool can lose, and how much capital makes running out equally unlikely."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from margin.ladder.compare import Comparison
from margin.ladder.equal_risk import EqualRisk
from margin.risk.tail import expected_shortfall, value_at_risk
from ui.blocks.formats import money, percent, short_money
from ui.blocks.theme import palette
from ui.charts.base import DOLLARS, drawn

CURVE_POINTS = 300
LEAST_SHARE = 0.7  # of one scenario: where the probability axis ends


def loss_distribution(comparison: Comparison) -> go.Figure:
    """Histogram of the book's profit and loss over the scenarios, the tail in another colour, VaR and ES marked."""
    colours = palette()
    losses = comparison.losses.sum(axis=1)
    var, es = tail_marks(comparison)
    counts, edges = np.histogram(-losses, bins=min(60, max(10, len(losses) // 10)))
    centres = (edges[1:] + edges[:-1]) / 2
    bars = {
        "type": "bar",
        "x": np.round(centres, 2).tolist(),
        "y": np.round(100 * counts / len(losses), 3).tolist(),
        "width": round(float(edges[1] - edges[0]), 2),
        "marker": {"color": [colours.loss if x < -var else colours.total for x in centres], "line": {"width": 0}},
        "hovertemplate": "around %{x:$,.0f}: %{y:.1f}% of scenarios<extra></extra>",
    }
    level = f"{100 * comparison.settings.level:g}%"
    marks = ((f"{level} ES {short_money(es)}", -es, "solid", 30), (f"{level} VaR {short_money(var)}", -var, "dot", 10))
    return drawn(
        colours,
        300,
        [bars],
        xaxis={**DOLLARS, "title": "profit or loss over the horizon"},
        yaxis={"ticksuffix": "%", "title": "share of scenarios", "nticks": 5},
        margin={"t": 46},
        bargap=0,
        shapes=[
            {
                "type": "line",
                "yref": "paper",
                "y0": 0,
                "y1": 1 + rise / 246,
                "x0": x,
                "x1": x,
                "line": {"color": colours.text, "width": 1.5, "dash": dash},
            }
            for _, x, dash, rise in marks
        ],
        annotations=[
            {
                "x": x,
                "y": 1,
                "yref": "paper",
                "yshift": rise,
                "text": text,
                "showarrow": False,
                "xanchor": "left",
                "xshift": 3,
                "yanchor": "middle",
                "font": {"color": colours.text},
            }
            for text, x, _, rise in marks
        ],
    )


def tail_marks(comparison: Comparison) -> tuple[float, float]:
    """(VaR, ES) USD of the pool. The one that is the margin is taken from the result, so that both say the same."""
    losses, s = comparison.losses.sum(axis=1), comparison.settings
    var, es = float(value_at_risk(losses, s.level)), float(expected_shortfall(losses, s.level))
    return (var, comparison.portfolio) if s.measure == "es" else (comparison.portfolio, es)


def loss_distribution_alt(comparison: Comparison) -> str:
    """The distribution in words."""
    losses = comparison.losses.sum(axis=1)
    var, es = tail_marks(comparison)
    level = f"{100 * comparison.settings.level:g}%"
    return (
        f"Profit and loss of the pool over {len(losses)} scenarios, from {money(-float(losses.max()))} to "
        f"{money(-float(losses.min()))}. {level} VaR {money(var)}, ES {money(es)}; the portfolio margin is "
        f"{money(comparison.portfolio)}."
    )


def equal_risk(curve: EqualRisk, probability: float | None = None) -> go.Figure:
    """Capital (x) against the probability that it runs out (y); the gap at one probability is the capital saved."""
    colours = palette()
    lines: list[dict[str, Any]] = []
    for name, needed, colour, dash in (
        ("isolated accounts", curve.isolated, colours.loss, "dash"),
        ("one pool", curve.pooled, colours.gain, "solid"),
    ):
        capital, above = survival(needed)
        lines.append(
            {
                "type": "scatter",
                "x": capital.tolist(),
                "y": above.tolist(),
                "mode": "lines",
                "line": {"shape": "hv", "color": colour, "width": 2.5, "dash": dash},
                "name": name,
                "hovertemplate": f"{name} with %{{x:$,.0f}}: runs out in %{{y:.1%}} of cases<extra></extra>",
            }
        )
    most = max(float(curve.isolated[-1]), float(curve.pooled[-1]), 1e-9)
    labels = ["╌╌ isolated", "── one pool"]
    tints = [colours.loss_text, colours.gain]
    if probability is not None:
        isolated, pooled = curve.capital(probability)
        lines.append(
            {
                "type": "scatter",
                "x": [round(pooled, 2), round(isolated, 2)],
                "y": [probability, probability],
                "mode": "lines+markers",
                "line": {"color": colours.text, "width": 1.5},
                "marker": {"size": 9, "color": colours.text, "symbol": ["triangle-left", "triangle-right"]},
                "hoverinfo": "skip",
            }
        )
        labels = [f"╌╌ isolated {short_money(isolated)}", f"── one pool {short_money(pooled)}"]
        labels.append(f"<b>{_gap(isolated, pooled)} at {100 * probability:g}%</b>")
        tints.append(colours.text)
    return drawn(
        colours,
        340,
        lines,
        xaxis={**DOLLARS, "range": [0, most * 1.03], "title": "capital held"},
        yaxis={
            "type": "log",
            "range": [np.log10(LEAST_SHARE / len(curve.pooled)), 0.05],
            "tickformat": "~%",
            "tickvals": [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0],
            "title": "probability it runs out",
        },
        annotations=[
            {
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "y": 1,
                "yref": "paper",
                "yanchor": "top",
                "yshift": -22 * i,
                "text": text,
                "showarrow": False,
                "font": {"color": tint, "size": 14},
                "bgcolor": colours.paper,
                "borderpad": 2,
            }
            for i, (text, tint) in enumerate(zip(labels, tints, strict=True))
        ],
    )


def _gap(isolated: float, pooled: float) -> str:
    return f"{short_money(abs(isolated - pooled))} {'less' if isolated >= pooled else 'more'}"


def equal_risk_alt(curve: EqualRisk, probability: float) -> str:
    """The two capitals at one probability in words."""
    isolated, pooled = curve.capital(probability)
    saved = f", {percent(100 * (1 - pooled / isolated))} less" if isolated > pooled else ""
    return (
        f"Capital against the probability that it runs out. At {100 * probability:g}%: {money(isolated)} in "
        "isolated accounts, "
        f"{money(pooled)} in one pool{saved}."
    )


def survival(needed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step points (capital ascending, share of scenarios that need more), thinned to what a screen can show.

    needed : (n,) USD ascending. The last hundred, the tail, are kept whole.
    """
    n = len(needed)
    capital = np.maximum(needed, 0.0)
    above = (n - np.arange(1, n + 1)) / n
    if n > CURVE_POINTS:
        tail = np.arange(n - 100, n)
        keep = np.unique(np.r_[np.linspace(0, n - 101, CURVE_POINTS - 100).astype(int), tail])
        capital, above = capital[keep], above[keep]
    share = np.concatenate([[np.mean(needed > 0)], np.maximum(above, 0.5 / n)])
    return np.round(np.concatenate([[0.0], capital]), 2), np.round(share, 6)
