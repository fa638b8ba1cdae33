"""Within how many days odds are asked: one choice, the same on the Forecast and the Hedge page."""

from collections.abc import Sequence

import streamlit as st

KEY = "forecast_days"  # in the address, on either page


def within(label: str, days: Sequence[float], default: float) -> float:
    """The days chosen of those offered."""
    chosen = st.segmented_control(
        label, [f"{d:g}" for d in days], default=f"{default:g}", required=True, format_func=_days, key=KEY,
        bind="query-params", persist_state="session",
    )  # fmt: skip
    return float(chosen or default)


def _days(text: str) -> str:
    return "1 day" if text == "1" else f"{text} days"
