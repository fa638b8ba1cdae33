"""What a visitor takes away from a page: any chart as a PNG, any table as CSV."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ui.blocks.formats import true_minus


def chart(figure: go.Figure, key: str, alt: str, **more: Any) -> None:
    """A chart with one button, shown when it is pointed at or touched: save it as a PNG, drawn in the browser."""
    st.plotly_chart(figure, key=key, alt=true_minus(alt), config=_config(key), **more)


def _config(name: str) -> dict[str, Any]:
    return {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


def csv_button(label: str, make: Callable[[], pd.DataFrame], name: str) -> None:
    """A button that saves a table; it is made when the button is pressed. `name` is the file's, without its ending."""
    st.download_button(
        label,
        lambda: _csv(make()),
        f"{name}.csv",
        "text/csv",
        on_click="ignore",
        key=f"save_{name}",
        icon=":material/download:",
        type="tertiary",
    )


def _csv(table: pd.DataFrame) -> str:
    out = io.StringIO()
    table.to_csv(out, index=False, lineterminator="\n")
    return out.getvalue()
