"""The share of the requirement below which our own methods liquidate; a venue's rules have their own maintenance."""

import streamlit as st

from margin.core.portfolio import Portfolio
from margin.core.settings import Settings

__all__ = ["with_maintenance"]


def with_maintenance(settings: Settings, portfolio: Portfolio, model: str | None) -> Settings:
    """The settings with the share that is chosen; asked only where one of our methods judges. model: the key chosen."""
    ours = any(not account.venue for account in portfolio.accounts) if model is None else ":" not in model
    if not ours:
        return settings
    share = st.slider(
        "Liquidated below, % of the requirement", 10, 100, round(100 * settings.maintenance), 5,
        key="maintenance_share", bind="query-params", persist_state="session",
        help="Maintenance margin as a share of what our method asks. A venue's rules have their own.",
    )  # fmt: skip
    return settings.with_(maintenance=share / 100.0)
