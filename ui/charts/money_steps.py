"""Money followed step by step: bars from what there was to what is left, the amount at the end of each."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ui.blocks.formats import short_money, signed_money
from ui.blocks.theme import Palette
from ui.charts.base import DOLLARS, amount_column, column_width, drawn, name_axis

HALF_A_CENT = 0.005  # a step below it is left out


def money_steps(steps: Sequence[tuple[str, float, str]], title: str, colours: Palette) -> go.Figure:
    """steps : (name, USD, "absolute", "relative" or "total") from above; title: of the axis of money."""
    steps = [step for step in steps if step[2] != "relative" or abs(step[1]) >= HALF_A_CENT]
    texts = [signed_money(usd) if kind == "relative" else short_money(usd) for _, usd, kind in steps]
    bars = {
        "type": "waterfall",
        "orientation": "h",
        "y": list(range(len(steps))),
        "x": [round(usd, 2) for _, usd, _ in steps],
        "measure": [kind for *_, kind in steps],
        "connector": {"line": {"color": colours.grid, "width": 1}},
        "increasing": {"marker": {"color": colours.gain}},
        "decreasing": {"marker": {"color": colours.loss}},
        "totals": {"marker": {"color": colours.total}},
        "hovertemplate": "%{x:$,.0f}<extra></extra>",
    }
    return drawn(
        colours,
        50 + 34 * len(steps),
        [bars],
        xaxis={**DOLLARS, "title": title},
        yaxis=name_axis([name for name, *_ in steps], colours),
        margin={"r": column_width(texts)},
        annotations=amount_column(texts, colours),
    )
