"""Within how many days odds are asked, and which odds are aimed at: the same choices on Forecast and Hedge."""

from collections.abc import Sequence

import streamlit as st

KEY = "forecast_days"  # in the address, on either page
LINES = {"1%": 0.01, "5%": 0.05, "10%": 0.10, "20%": 0.20}


def within(label: str, days: Sequence[float], default: float) -> float:
    """The days chosen of those offered."""
    chosen = st.segmented_control(
        label, [f"{d:g}" for d in days], default=f"{default:g}", required=True, format_func=_days, key=KEY,
        bind="query-params", persist_state="session",
    )  # fmt: skip
    return float(chosen or default)


def aimed(help: str) -> float:
    """The odds aimed at, 0..1."""
    line = st.segmented_control(
        "Odds aimed at", list(LINES), default="5%", required=True, key="forecast_line", bind="query-params",
        persist_state="session", help=help,
    )  # fmt: skip
    return LINES[line or "5%"]


def _days(text: str) -> str:
    return "1 day" if text == "1" else f"{text} days"
