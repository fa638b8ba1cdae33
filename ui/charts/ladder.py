"""The ladder drawn: from isolated to safeguarded margin, who contributes, and the same under every method."""

from collections.abc import Collection
from typing import Any

import plotly.graph_objects as go

from margin.ladder.compare import Comparison
from margin.risk.estimators import estimators
from ui.blocks.formats import money, percent, short_money, signed_money
from ui.blocks.theme import Palette, palette
from ui.charts.base import BAR_HEIGHT, CLEAR, DOLLARS, amount_column, column_width, drawn, name_axis, safe, symbol_name

SAFEGUARD_SHORT = {
    "offset_cap": "Cap on offsets",
    "stressed": "Stressed period",
    "correlation_break": "Correlation break",
    "liquidity": "Liquidity",
    "procyclicality": "Anti-procyclical",
    "cap_at_isolated": "Isolated is the most",
}
METHODS_SHORT = {row.key: row.short for row in estimators()}
NAMED_IN_ALT = 8


def ladder_steps(comparison: Comparison, even_zero: Collection[str] = ()) -> list[tuple[str, bool, float, str]]:
    """(name, whether it is a total, USD: the total or the signed change, plain words) from isolated to safeguarded.

    even_zero : keys of the safeguards that are named although they add nothing
    """
    c = comparison
    steps = [
        ("Isolated", True, c.isolated, "every position on its own"),
        ("Netting", False, -c.attribution.netting, "long and short in one underlying offset"),
        ("Diversification", False, -c.attribution.diversification, "one asset's loss is another's gain"),
        ("Portfolio", True, c.portfolio, "one pooled account"),
    ]
    least = 1e-9 * max(c.isolated, 1.0)
    added = [
        (SAFEGUARD_SHORT.get(line.key, line.label), False, line.amount, line.detail)
        for line in c.safeguard_lines
        if line.enabled and line.amount is not None and (abs(line.amount) > least or line.key in even_zero)
    ]
    return [*steps, *added, ("With safeguards", True, c.safeguarded, "what a careful clearing house would charge")]


def waterfall(comparison: Comparison) -> go.Figure:
    """From isolated to safeguarded margin, every effect by name, its amount and its sign."""
    return waterfall_of(ladder_steps(comparison))


def waterfall_of(steps: list[tuple[str, bool, float, str]], size: int = 13, rows: int = 0) -> go.Figure:
    """A waterfall of named steps as `ladder_steps` gives them, `size` its type, with room for at least `rows`."""
    colours = palette()
    amounts = [amount for _, _, amount, _ in steps]
    texts = [short_money(a) if total else signed_money(a) for _, total, a, _ in steps]
    levels, at = [0.0], 0.0
    for _, total, amount, _ in steps:
        at = amount if total else at + amount
        levels.append(at)
    bars = {
        "type": "waterfall",
        "orientation": "h",
        "y": list(range(len(steps))),
        "x": [round(a, 2) for a in amounts],
        "measure": ["absolute" if total else "relative" for _, total, _, _ in steps],
        "customdata": [[name, text, safe(words)] for (name, _, _, words), text in zip(steps, texts, strict=True)],
        "decreasing": {"marker": {"color": colours.gain}},
        "increasing": {"marker": {"color": colours.loss}},
        "totals": {"marker": {"color": colours.total}},
        "connector": {"line": {"color": colours.muted, "width": 1}},
        "hovertemplate": "<b>%{customdata[0]} %{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
    }
    names = [f"<b>{name}</b>" if total else name for name, total, _, _ in steps]
    column = amount_column(texts, colours, [total for _, total, _, _ in steps], size)
    rows = max(rows, len(steps))
    return drawn(
        colours,
        36 + BAR_HEIGHT * rows,
        [bars],
        xaxis={**DOLLARS, "title": "margin", "range": [min(0.0, *levels), max(1e-9, *levels) * 1.02]},
        yaxis=name_axis(names, colours, tickfont={"color": colours.text, "size": size}, range=[rows - 0.45, -0.55]),
        margin={"r": column_width(texts, size)},
        annotations=column,
        hoverlabel={"align": "left", "namelength": -1},
    )


def waterfall_alt(comparison: Comparison) -> str:
    """The waterfall in words, each safeguard by name."""
    a = comparison.attribution
    added = [f"{name} {signed_money(x)}" for name, total, x, _ in ladder_steps(comparison)[4:] if not total]
    safeguards = f"safeguards change it by {signed_money(a.safeguards)}" if added else "no safeguard adds anything"
    by_name = f" ({', '.join(added)})" if added else ""
    saved = f" {percent(comparison.saved_pct)} is saved." if comparison.saved_pct is not None else ""
    return (
        f"From isolated {money(comparison.isolated)}: netting takes {money(a.netting)}, diversification and hedging "
        f"{money(a.diversification)}, leaving {money(comparison.portfolio)}; {safeguards}{by_name}, "
        f"so that {money(comparison.safeguarded)} is asked.{saved}"
    )


def contributions(comparison: Comparison) -> go.Figure:
    """What each position adds to the pool (right) or takes off it (left), beside what it needs alone (outline)."""
    colours = palette()
    rows = sorted(comparison.positions, key=lambda p: -p.contribution)
    places = list(range(len(rows)))
    alone = [round(p.standalone, 2) for p in rows]
    parts = [round(p.contribution, 2) for p in rows]
    texts = [f"{_arrow(v)} {signed_money(v)}" for v in parts]
    words = ["adds" if v > 0 else "takes off, as a hedge of the rest," for v in parts]
    outline = {
        "type": "bar",
        "orientation": "h",
        "y": places,
        "x": alone,
        "marker": {"color": CLEAR, "line": {"color": colours.muted, "width": 1}},
        "hoverinfo": "skip",
        "name": "alone",
    }
    pooled = {
        "type": "bar",
        "orientation": "h",
        "y": places,
        "x": parts,
        "marker": {"color": [colours.loss if v > 0 else colours.gain for v in parts]},
        "customdata": [
            [safe(p.symbol), money(p.standalone), word, money(abs(p.contribution))]
            for p, word in zip(rows, words, strict=True)
        ],
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>alone it needs %{customdata[1]}"
            "<br>in the pool it %{customdata[2]} %{customdata[3]}<extra></extra>"
        ),
        "name": "in the pool",
    }
    return drawn(
        colours,
        40 + BAR_HEIGHT * max(len(rows), 2),
        [outline, pooled],
        xaxis={**DOLLARS, "title": "margin", "zerolinecolor": colours.muted},
        yaxis=name_axis([symbol_name(p.symbol) for p in rows], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
        barmode="overlay",
    )


def contributions_alt(comparison: Comparison) -> str:
    """The contributions in words, the largest by name."""
    rows = sorted(comparison.positions, key=lambda p: -abs(p.contribution))
    parts = [f"{p.symbol} {signed_money(p.contribution)}" for p in rows[:NAMED_IN_ALT]]
    more = f", and {len(rows) - NAMED_IN_ALT} smaller ones" if len(rows) > NAMED_IN_ALT else ""
    return f"Share of each position in the portfolio margin: {', '.join(parts)}{more}. A minus is a hedge."


def _arrow(amount: float) -> str:
    return "▲" if amount > 0 else "▼" if amount < 0 else "="


def methods(rows: list[tuple[str, Comparison]]) -> go.Figure:
    """One row per method: isolated as outline, portfolio as filled bar, safeguarded as a mark, the saving as text."""
    colours = palette()
    texts = [f"−{percent(c.saved_pct)}" if c.saved_pct and c.saved_pct >= 0.05 else "0%" for _, c in rows]
    data = [
        _method_bars(rows, colours, "isolated"),
        _method_bars(rows, colours, "portfolio"),
        {
            "type": "scatter",
            "mode": "markers",
            "y": list(range(len(rows))),
            "x": [round(c.safeguarded, 2) for _, c in rows],
            "marker": {
                "symbol": "diamond",
                "size": 11,
                "color": colours.loss,
                "line": {"color": colours.paper, "width": 1.5},
            },
            "hoverinfo": "skip",
            "name": "with safeguards",
        },
    ]
    return drawn(
        colours,
        66 + BAR_HEIGHT * len(rows),
        data,
        xaxis={**DOLLARS, "title": "margin", "rangemode": "tozero"},
        yaxis=name_axis([METHODS_SHORT.get(name, safe(name)) for name, _ in rows], colours),
        margin={"r": column_width(texts), "t": 34},
        annotations=[*amount_column(texts, colours, [True] * len(texts)), _key(column_width(texts), colours)],
        barmode="overlay",
    )


def _key(width: float, colours: Palette) -> dict[str, Any]:
    """What outline, bar and diamond mean, in one line over the chart (plotly's own legend folds on a phone)."""
    text = (
        f'<span style="color:{colours.muted}">□</span> isolated  '
        f'<span style="color:{colours.gain}">■</span> portfolio  '
        f'<span style="color:{colours.loss}">◆</span> with safeguards'
    )
    place = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": width, "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {**place, "yshift": 8, "text": text, "showarrow": False, "font": {"color": colours.text, "size": 13}}


def _method_bars(rows: list[tuple[str, Comparison]], colours: Palette, which: str) -> dict[str, Any]:
    fill = {"color": colours.gain} if which == "portfolio" else {"color": CLEAR}
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(rows))),
        "x": [round(getattr(c, which), 2) for _, c in rows],
        "marker": {**fill, "line": {"color": colours.muted, "width": 1}},
        "name": which,
        "hoverinfo": "skip",
    }
    if which == "isolated":
        bars.pop("hoverinfo")
        bars["customdata"] = [
            [
                METHODS_SHORT.get(name, safe(name)),
                money(c.isolated),
                money(c.portfolio),
                money(c.safeguarded),
                percent(c.saved_pct),
            ]
            for name, c in rows
        ]
        bars["hovertemplate"] = (
            "<b>%{customdata[0]}</b><br>isolated %{customdata[1]}<br>portfolio %{customdata[2]}"
            "<br>with safeguards %{customdata[3]}<br>saved %{customdata[4]}<extra></extra>"
        )
    return bars


def methods_alt(rows: list[tuple[str, Comparison]]) -> str:
    """Every method's isolated and portfolio margin in words."""
    parts = [
        f"{METHODS_SHORT.get(name, name)} {money(c.isolated)} isolated, {money(c.portfolio)} pooled, "
        f"{money(c.safeguarded)} with safeguards"
        for name, c in rows
    ]
    return f"Margin by method: {'; '.join(parts)}."
