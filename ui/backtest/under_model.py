"""The Backtest page's view of the chosen margin model: was its margin enough, and where would it have been closed?"""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from margin.backtest.under_model import ModelBacktest, Opening, backtest_model, default_model
from margin.core.portfolio import Portfolio
from margin.core.settings import Settings
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.funding import recorded
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.charts import backtest as charts_backtest
from ui.state import longwork
from ui.state.prices import ActivePrices

Money = Literal["asked", "own"]
Rates = float | Mapping[str, float | pd.Series]
MONEY: dict[Money, str] = {"asked": "What it asks", "own": "My own collateral"}
SHOWN_NOTES = 6


def under_model(portfolio: Portfolio, model: str | None, settings: Settings, active: ActivePrices, days: int) -> None:
    """The whole view. model: the key chosen in the header; None follows the account's own venue."""
    key = model or default_model(portfolio)
    hold, opened_with, funding = _controls(portfolio, active)
    found = longwork.done(
        ("under model", portfolio, key, settings, active, days, hold, opened_with, _hashable(funding)),
        "Walking under the margin model",
        lambda progress: backtest_model(
            portfolio, active.market, key, settings, days=days, hold=hold, money=opened_with, funding=funding,
            progress=progress,
        ),
    )  # fmt: skip
    st.markdown(in_words(found))
    with st.grid(4, min_column_width=150, key="model_cards"):
        st.metric("Asked, on average", money(float(found.initial.mean())), border=True, height="stretch")
        st.metric("Days beyond", f"{int(found.hits.sum())} of {len(found.hits):,}", border=True, height="stretch")
        st.metric("Worst beyond", money(float(found.uncovered.max())), border=True, height="stretch")
        st.metric("Openings closed", f"{len(found.liquidated)} of {len(found.openings)}", border=True, height="stretch")
    chart(charts_backtest.openings(found), "backtest_model", f"Money left by opening. {in_words(found)}")
    st.caption(
        f"Opened every {hold} closes and left alone; ✕ marks openings in which something was closed by force. "
        + _looked_at(found)
    )
    table = opening_table(found)
    data_table(table, key="model_table", alt="Every opening")
    csv_button("Every opening", lambda: table, "backtest_model")
    for note in found.notes[:SHOWN_NOTES]:
        st.caption(plain(note))


def _controls(portfolio: Portfolio, active: ActivePrices) -> tuple[int, Money, Rates]:
    first, second, third = st.columns(3)
    with first:
        hold = st.slider(
            "Held for, closes", 5, 365, 30, 5, key="model_hold", bind="query-params", persist_state="session"
        )
    with second:
        opened_with = st.segmented_control(
            "Opened with", list(MONEY), default="asked", required=True, format_func=MONEY.__getitem__,
            key="model_money", bind="query-params", persist_state="session",
            help="What it asks: exactly the initial margin of the day. My own collateral: what the account holds.",
        )  # fmt: skip
    with third:
        rate = st.slider(
            "Funding longs pay, % a day", -0.1, 0.1, 0.03, 0.01, key="model_funding", bind="query-params",
            persist_state="session",
            help="Where no record is used. On perpetuals; shorts receive it.",
        )  # fmt: skip
        wanted = st.toggle(
            "Recorded funding", key="model_recorded", bind="query-params", persist_state="session",
            help="Fetched from an exchange that publishes its history, for the days walked.",
        )  # fmt: skip
    if not wanted:
        return hold, opened_with or "asked", rate / 100.0
    records, why = recorded(portfolio, active)
    for line in why:
        st.caption(plain(line))
    perpetuals = {p.underlying for p in portfolio.positions if p.instrument.kind == "perpetual"}
    return hold, opened_with or "asked", dict.fromkeys(perpetuals, rate / 100.0) | records


def _hashable(funding: Rates) -> object:
    if not isinstance(funding, Mapping):
        return funding
    return tuple(
        (name, rate if not isinstance(rate, pd.Series) else (len(rate), float(rate.sum()), str(rate.index[-1])))
        for name, rate in sorted(funding.items())
    )


def in_words(found: ModelBacktest) -> str:
    """'Under Binance USD-M, cross losses passed the initial margin on 1 of 1,500 days. 6 of 50 were closed.'"""
    first = (
        f"Under **{found.title}** losses passed the {'initial margin' if found.money == 'asked' else 'account'} on "
        f"**{int(found.hits.sum())} of {len(found.hits):,}** days ({percent(100 * found.rate, 2)})."
    )
    if not found.liquidated:
        return f"{first} None of {len(found.openings)} openings was closed by force."
    last = found.liquidated[-1]
    return (
        f"{first} **{len(found.liquidated)} of {len(found.openings)}** openings were closed by force, the last on "
        f"{str(last.closed)[:10]} ({plain(', '.join(last.names))})."
    )


def _looked_at(found: ModelBacktest) -> str:
    if not found.extremes:
        return "Looked at by closes alone: these prices have no highs and lows, and days hold more than their closes."
    return (
        f"Looked at by closes and by each day's adverse extremes, all at once, of {plain(', '.join(found.extremes))}."
    )


def opening_table(found: ModelBacktest) -> pd.DataFrame:
    """One row per opening, newest first."""
    return pd.DataFrame([_row(o) for o in reversed(found.openings)])


def _row(o: Opening) -> dict[str, str]:
    return {
        "Opened": str(o.opened)[:10],
        "With": money(o.started),
        "Margin call": "yes" if o.called else "no",
        "Closed by force": "–" if o.closed is None else f"{str(o.closed)[:10]}, {o.at}",
        "What": ", ".join(o.names) or "–",
        "Left": money(o.final),
        "Uncovered": money(o.uncovered),
    }
