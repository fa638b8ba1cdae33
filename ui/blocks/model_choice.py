"""Which margin model judges the account: its own venue's, one of our methods, or any venue's rules."""

import streamlit as st

from margin import models
from margin.core.settings import Settings

__all__ = ["MaintenanceChoice", "choose_model", "choose_rules"]

OWN = "as held"
KEY = "margin_model"
OURS = {
    "portfolio": "Ours: portfolio",
    "safeguarded": "Ours: portfolio with safeguards",
    "netted": "Ours: netted by underlying",
    "isolated": "Ours: isolated",
}
MaintenanceChoice = tuple[str | None, Settings]


def choose_model() -> str | None:
    """The chosen model's key; None: every account by its own venue and mode, without a venue by our portfolio method.

    One choice serves every page that has it.
    """
    options = [OWN, *OURS, *sorted((key for key in models.keys() if ":" in key), key=_name)]  # noqa: SIM118
    picked = st.selectbox(
        "Margin model", options, format_func=_name, key=KEY, persist_state="session",
        help="Who judges the account. As held: each account by its own venue's rules and mode; an account without a "
        "venue by our portfolio method. Choose a venue to see whether it would have closed this book.",
    )  # fmt: skip
    return None if picked == OWN else picked


def choose_rules(settings: Settings, own_needs_share: bool) -> MaintenanceChoice:
    """(model key, settings with the maintenance share): the share is asked for where one of our methods judges.

    own_needs_share : whether an account of the book has no venue, so that our method judges it as held
    """
    left, right = st.columns([3, 2])
    with left:
        key = choose_model()
    ours = own_needs_share if key is None else ":" not in key
    if ours:
        with right:
            share = st.slider(
                "Liquidated below, % of the requirement", 10, 100, round(100 * settings.maintenance), 5,
                key="maintenance_share", persist_state="session",
                help="Maintenance margin as a share of what our method asks. A venue's rules have their own.",
            )  # fmt: skip
        settings = settings.with_(maintenance=share / 100.0)
    return key, settings


def _name(key: str) -> str:
    if key == OWN:
        return "As held (own venue, else ours)"
    return OURS.get(key) or models.get(key).title
