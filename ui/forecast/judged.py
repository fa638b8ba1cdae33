"""Which forecast is meant: the margin model, what is watched for and within how many days, and its cached answer."""

from dataclasses import dataclass

import streamlit as st

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from margin.forecast.capital import Capital, same_safety
from margin.forecast.engine import HORIZONS, forecast
from margin.forecast.gap import Target
from margin.forecast.results import Forecast
from margin.ladder.names import METHODS
from ui.blocks.within import aimed, within
from ui.state import compute

RULES = {row.key: row.title for row in METHODS if row.key != "safeguarded"}
RECALIBRATE = "forecast_own"
TARGETS: dict[str, str] = {"liquidation": "Liquidation", "call": "Margin call"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The visitor's choice; who judges is chosen in the header."""

    target: Target
    days: float
    line: float


def controls() -> Asked:
    """One row of choices; they stay in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="forecast_controls"):
        target = st.segmented_control(
            "Odds of", list(TARGETS), default="liquidation", required=True, format_func=TARGETS.__getitem__,
            key="forecast_target", bind="query-params", persist_state="session",
            help="Liquidation: equity falls to the maintenance margin. Margin call: to the initial margin.",
        )  # fmt: skip
        days = within("Within", HORIZONS, HORIZONS[1])
        line = aimed("The odds that money, size and capital are named for.")
    chosen: Target = "call" if target == "call" else "liquidation"
    return Asked(target=chosen, days=days, line=line)


def _forecast(
    portfolio: Portfolio, market: Market, settings: Settings, model: str | None, target: Target, own: bool = False
) -> Forecast:
    """own : corrected on this book's own past instead of the stored table."""
    return forecast(portfolio, market, settings, model=model, target=target, calibration="own" if own else "table")


def recalibrated() -> bool:
    """Whether the visitor asked for a correction on the book's own past (a switch of the tab "Can I trust it")."""
    return bool(st.session_state.get(RECALIBRATE, False))


answer = compute.remembered(_forecast, 64)
_safety = compute.remembered(same_safety, 16)


def rules(
    portfolio: Portfolio, market: Market, settings: Settings, found: Forecast
) -> dict[str, Forecast | InputError]:
    """The same book isolated, netted and pooled, or why not."""
    pooled = Portfolio(accounts=(portfolio.pooled,))
    out: dict[str, Forecast | InputError] = {}
    for key, name in RULES.items():
        if key == found.model and len(portfolio.accounts) == 1:
            continue
        try:
            out[name] = answer(pooled, market, settings, key, found.target)
        except InputError as error:
            out[name] = error
    return out


def safety(portfolio: Portfolio, market: Market, settings: Settings, line: float) -> tuple[Capital, ...]:
    """Capital for the same safety under every rule."""
    found: tuple[Capital, ...] = _safety(portfolio, market, settings, odds=line)
    return found
