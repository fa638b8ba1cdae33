"""What price history there is."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from data.model import PriceSet
from ui.blocks.theme import palette
from ui.charts.base import amount_column, column_heading, column_width, drawn, name_axis, safe

ROW = 22
HOLE = np.timedelta64(4, "D")  # longer than any weekend: a hole
STATUS_WORDS = {
    "live": "fetched now",
    "stored": "stored, up to date",
    "stale": "stored, waiting for a refresh",
    "sample": "bundled sample, partly simulated",
    "upload": "your file",
    "ended": "ended",
}


def coverage(prices: PriceSet) -> go.Figure:
    """From when to when each asset has closes, and how many; holes longer than a weekend are left open."""
    colours = palette()
    assets = list(prices.closes.columns)
    fresh: dict[str, list[Any]] = {"x": [], "y": [], "customdata": []}
    stale: dict[str, list[Any]] = {"x": [], "y": [], "customdata": []}
    counts = []
    for row, asset in enumerate(assets):
        held = prices.closes.index[prices.closes[asset].notna().to_numpy()].to_numpy()
        counts.append(f"{len(held):,}")
        known = prices.provenance.get(asset)
        old = known is not None and known.status == "stale"
        words = f"{safe(asset)}: {STATUS_WORDS[prices.word_of(asset)]}" if known is not None else safe(asset)
        breaks = np.flatnonzero(np.diff(held) > HOLE)
        spans = zip(np.r_[0, breaks + 1], np.r_[breaks, len(held) - 1], strict=True) if len(held) else ()
        target = stale if old else fresh
        for start, end in spans:
            target["x"] += [str(held[start])[:10], str(held[end])[:10], None]
            target["y"] += [row, row, None]
            target["customdata"] += [words, words, None]
    lines = [
        {
            "type": "scatter",
            **points,
            "mode": "lines",
            "line": {"color": colour, "width": 9},
            "connectgaps": False,
            "hovertemplate": "%{customdata}<br>%{x|%d %b %Y}<extra></extra>",
        }
        for points, colour in ((fresh, colours.gain), (stale, colours.loss))
        if points["x"]
    ]
    width = column_width([*counts, "closes"])
    column = [{**note, "xshift": width} for note in amount_column(counts, colours)]
    names = [f"{safe(a)} ◷" if _stale(prices, a) else safe(a) for a in assets]
    return drawn(
        colours,
        66 + ROW * max(len(assets), 3),
        lines,
        xaxis={"type": "date"},
        yaxis=name_axis(names, colours),
        margin={"r": width, "t": 26},
        annotations=[*column, column_heading("closes", width, colours)],
    )


def _stale(prices: PriceSet, asset: str) -> bool:
    known = prices.provenance.get(asset)
    return known is not None and known.status == "stale"


def coverage_alt(prices: PriceSet) -> str:
    """First and last close of the assets in words."""
    parts = []
    for asset in prices.closes.columns:
        held = prices.closes.index[prices.closes[asset].notna().to_numpy()]
        parts.append(f"{asset} {held[0]:%Y-%m-%d} to {held[-1]:%Y-%m-%d}" if len(held) else f"{asset} no closes")
    return f"Price history of {len(parts)} assets: {'; '.join(parts[:40])}."
