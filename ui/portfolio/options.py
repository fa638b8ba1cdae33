"""Payoff and greeks: profit today, on a chosen day and at expiry; greeks by position and in all."""

import math

import pandas as pd
import streamlit as st

from margin.ladder.compare import Comparison
from margin.ladder.payoff import last_expiry_days, payoff, underlyings
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, number, percent
from ui.blocks.tables import Format, data_table
from ui.charts.payoff import payoff_alt, payoff_lines
from ui.state.compute import Answer

HINT = " Change IV in the table of positions."
GREEKS: dict[str, Format] = {
    "Delta": lambda value: number(value, 4),
    "Delta, USD": money,
    "Gamma": lambda value: "0" if value == 0 else number(value, 6),
    "Vega": money,
    "Theta": money,
}
CURVED = ("Gamma", "Vega", "Theta")  # of options only: a book without any has no such columns
MEANING = {
    "Delta": "Units of the underlying it behaves like",
    "Delta, USD": "Dollars that move one for one with the underlying",
    "Gamma": "Change of delta per dollar",
    "Vega": "Dollars per volatility point",
    "Theta": "Dollars a day",
}


def payoff_and_greeks(now: Answer) -> None:
    """The tab. `now.comparison` must not be None."""
    assert now.comparison is not None
    comparison = now.comparison
    names = underlyings(comparison)
    if not names:
        st.info("Nothing in this book moves with a price, so there is no payoff to draw.", icon=":material/info:")
        return
    underlying = names[0]
    if len(names) > 1:
        picked = st.segmented_control(
            "Underlying", names, default=names[0], required=True, key="payoff_underlying", bind="query-params"
        )
        underlying = picked if picked in names else names[0]
    end = last_expiry_days(comparison, underlying)
    days: tuple[float, ...] = (0.0,)
    titles: tuple[str, ...] = ("today",)
    if end > 0:
        last = max(1, math.ceil(end))
        day = st.slider(
            "Days from as-of", 0, last, min(last, last // 2), key=f"payoff_day_{underlying}", bind="query-params",
            help="Volatility and the other prices stay; what has expired by then is worth its intrinsic value.",
        )  # fmt: skip
        days, titles = (0.0, float(day), end), ("today", f"in {day} days", "at the last expiry")
    optional = any(p.implied_vol is not None for p in comparison.positions)
    found = payoff(comparison, underlying, days)
    chart(payoff_lines(found, titles), "chart_payoff", payoff_alt(found, titles))
    st.caption(
        "Profit since the entry where a position has one, else since as-of; coins of this underlying count from "
        f"today's price. Upright: today's price.{HINT if optional else ''}"
    )
    table = greeks(comparison)
    data_table(
        table, key="greeks_table", alt="Greeks of every position and underlying",
        formats={name: write for name, write in GREEKS.items() if name in table.columns},
        column_config={name: st.column_config.Column(help=MEANING[name]) for name in table.columns if name in MEANING},
    )  # fmt: skip
    csv_button("Greeks, CSV", lambda: greeks(comparison), "greeks")


def greeks(comparison: Comparison) -> pd.DataFrame:
    """A row per position, then a sum per underlying. Delta in units, gamma per USD, vega per vol point, theta a day."""
    rows = [
        {
            "Position": p.symbol,
            "IV": "" if p.implied_vol is None else percent(100.0 * p.implied_vol, 1),
            "Delta": p.delta,
            "Delta, USD": p.delta_usd,
            "Gamma": p.gamma,
            "Vega": p.vega,
            "Theta": p.theta,
        }
        for p in comparison.positions
    ]
    for u in comparison.underlyings:
        theta = sum(p.theta for p in comparison.positions if p.underlying == u.underlying)
        rows.append(
            {
                "Position": f"All of {u.underlying}", "IV": "", "Delta": u.delta, "Delta, USD": u.delta_usd,
                "Gamma": u.gamma, "Vega": u.vega, "Theta": theta,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    return table if comparison.book.has_options else table.drop(columns=["IV", *CURVED])
