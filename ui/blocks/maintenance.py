"""The share of the requirement below which our own methods liquidate; a venue's rules have their own maintenance."""

from dataclasses import replace

import streamlit as st

from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from ui.state import book

__all__ = ["with_maintenance"]
_KEY = "maintenance_share"


def with_maintenance(settings: Settings, portfolio: Portfolio, model: str | None) -> Settings:
    """The settings, after a slider for that share where one of our methods judges. model: the key chosen.

    The share is a setting of the book, so every page answers with the same one.
    """
    ours = any(not account.venue for account in portfolio.accounts) if model is None else ":" not in model
    if not ours:
        return settings
    now = st.session_state[_KEY] = round(100 * settings.maintenance)
    st.slider(
        "Liquidated below, % of the requirement", min(10, now), 100, step=5, key=_KEY, on_change=_chosen,
        help="Maintenance margin as a share of what our method asks, on every page. A venue's rules have their own.",
    )  # fmt: skip
    return settings


def _chosen() -> None:
    now = book.current()
    settings = now.settings.with_(maintenance=st.session_state[_KEY] / 100.0)
    book.edit(replace(now, settings=settings), (_KEY,))
