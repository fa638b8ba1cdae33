"""Below the figures: why, by method, at equal risk, what the freed capital could do, and how it is computed.

Only the tab that is open is computed and drawn.
"""

from collections.abc import Callable
from html import escape

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.ladder import explain
from margin.ladder.compare import Comparison
from margin.ladder.equal_risk import EqualRisk, equal_risk
from margin.ladder.freed_capital import freed_capital
from ui import charts
from ui.blocks.exporting import chart
from ui.blocks.formats import money, percent
from ui.blocks.tables import Format, data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import tabbed
from ui.portfolio.options import payoff_and_greeks
from ui.portfolio.settings_panel import ESTIMATOR_NAMES
from ui.state import compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.rows import sentence

_equal_risk = compute.remembered(equal_risk)


def explanations(now: Answer, active: ActivePrices) -> None:
    """The tabs. `now.comparison` must not be None."""
    assert now.comparison is not None
    comparison = now.comparison
    views: dict[str, Callable[[], None]] = {
        "Why": lambda: why(comparison),
        "By method": lambda: by_method(now, active),
        "At equal risk": lambda: at_equal_risk(comparison),
        "Freed capital": lambda: freed(comparison),
        "Payoff and greeks": lambda: payoff_and_greeks(now),
        "How it is computed": lambda: computed(comparison),
    }
    tabbed(views, "view")


def why(comparison: Comparison) -> None:
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Who needs the margin**")
        st.caption("Filled: its part of the pool, below zero where it hedges the rest. Outline: what it needs alone.")
        chart(charts.contributions(comparison), "chart_contributions", charts.contributions_alt(comparison))
        st.markdown("**What the pool can lose**")
        chart(charts.loss_distribution(comparison), "chart_losses", losses_alt(comparison))
    with right:
        st.markdown("**Safeguards, one by one**")
        st.html(safeguards_table(comparison))


def safeguards_table(comparison: Comparison) -> str:
    """A plain table: Streamlit's own would have the browser load a megabyte of scripts for five rows."""
    rows = (
        f'<tr><th scope="row">{escape(line.label)}<span>{escape(line.detail)}</span></th>'
        f"<td>{('–' if line.amount is None else escape(money(line.amount))) if line.enabled else 'off'}</td></tr>"
        for line in comparison.safeguard_lines
    )
    return f'<table class="safeguards" aria-label="What each safeguard adds">{"".join(rows)}</table>'


def by_method(now: Answer, active: ActivePrices) -> None:
    assert now.comparison is not None
    settings = now.comparison.settings
    results = compute.methods(now.portfolio, settings, active)
    good = [(name, c) for name, c in results if isinstance(c, Comparison)]
    rows = [
        {
            "Method": ESTIMATOR_NAMES[name] + (" (chosen)" if name == settings.estimator else ""),
            "Isolated": c.isolated,
            "Netted": c.netted,
            "Portfolio": c.portfolio,
            "With safeguards": c.safeguarded,
            "Saved": c.saved,
            "Saved, %": c.saved_pct,
        }
        for name, c in good
    ]
    written: dict[str, Format] = dict.fromkeys(("Isolated", "Netted", "Portfolio", "With safeguards", "Saved"), money)
    written |= {"Saved, %": lambda value: percent(value, 1)}
    data_table(pd.DataFrame(rows), key="table_methods", alt="Margin under every method", formats=written)
    for name, error in results:
        if isinstance(error, InputError):
            st.caption(f"{ESTIMATOR_NAMES[name]}: {plain(sentence(error))}")
    if good:
        least, most = (f(c.saved_pct or 0.0 for _, c in good) for f in (min, max))
        alt = f"Margin under {len(good)} methods; the saving runs from {least:.0f}% to {most:.0f}%."
        chart(charts.methods(good), "chart_methods", alt)


def at_equal_risk(comparison: Comparison) -> None:
    try:
        curve: EqualRisk = _equal_risk(comparison)
    except InputError as error:
        st.info(plain(sentence(error)))
        return
    options = [p for p in (0.1, 0.05, 0.025, 0.01, 0.005) if p * len(curve.pooled) >= 1] or [0.1]
    probability = st.segmented_control(
        "Probability of running out",
        options,
        default=0.05 if 0.05 in options else options[0],
        required=True,
        format_func=lambda p: f"{100 * p:g}%",
        key="equal_risk_probability",
        bind="query-params",
    )
    isolated, pooled = curve.capital(probability)
    saved = f"{money(isolated - pooled)} less" if isolated > pooled else "no less"
    text = (
        f"To run out on at most **{100 * probability:g}%** of days, isolated accounts need **{money(isolated)}** "
        "and one pooled "
        f"account **{money(pooled)}**: {saved} for the same safety."
    )
    st.markdown(dollars(text.replace("days", _periods(comparison))))
    at = f"{money(isolated)} isolated, {money(pooled)} pooled"
    alt = f"Capital against the probability of running out. At {100 * probability:g}%: {at}."
    chart(charts.equal_risk(curve, probability), "chart_equal_risk", alt)


def _periods(comparison: Comparison) -> str:
    horizon = comparison.settings.horizon
    return "days" if horizon == 1 else f"{horizon}-day periods"


def freed(comparison: Comparison) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="freed_inputs"):
        basis = st.segmented_control(
            "Freed against",
            ["Portfolio margin", "With safeguards"],
            default="With safeguards",
            required=True,
            key="freed_basis",
            bind="query-params",
        )
        rate = st.number_input(
            "Yield, % a year", 0.0, 100.0, 5.0, 0.5, key="freed_rate", bind="query-params", width=160
        )
        wanted = st.number_input(
            "Return wanted on margin, %", 0.0, 500.0, 20.0, 1.0, key="freed_return", bind="query-params", width=200
        )
        turnover = st.number_input(
            "Turnover, × book a day", 0.01, 100.0, 1.0, 0.5, key="freed_turnover", bind="query-params", width=180
        )
    uses = freed_capital(comparison, rate / 100, wanted / 100, turnover, safeguarded=basis == "With safeguards")
    if uses.freed <= 0:
        st.info("Nothing is freed on this basis, so there is nothing to use elsewhere.", icon=":material/info:")
        return
    with st.grid(5, min_column_width=150, key="freed_cards"):
        st.metric("Freed", money(uses.freed), border=True, height="stretch")
        st.metric(
            "The book, larger",
            "unlimited" if uses.scale is None else f"{uses.scale:.2f}×",
            help="How much larger the same book could be before it needs the isolated margin again.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Extra exposure",
            "unlimited" if uses.extra_exposure is None else money(uses.extra_exposure),
            help="Gross exposure that this adds at the same safety.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Yield in a year",
            money(uses.yearly_yield),
            help="The freed capital at the yield set above.",
            border=True,
            height="stretch",
        )
        st.metric(
            "Maker's spread",
            f"{uses.spread_pooled_bps:.2f} bp",
            f"{uses.spread_isolated_bps:.2f} bp isolated",
            delta_color="off",
            delta_arrow="off",
            help="The spread a maker could quote: on traded volume it earns the wanted return on the margin.",
            border=True,
            height="stretch",
        )
    if uses.scale is None:
        st.caption(
            "No margin is asked for this book on this basis, so its size has no limit here. Real venues ask something."
        )


def computed(comparison: Comparison) -> None:
    for step in explain.steps(comparison):
        with st.container(border=True):
            st.markdown(f"**{step.title}**")
            st.latex(step.formula)
            st.markdown(dollars(step.numbers.replace("*", r"\*").replace("_", r"\_")))
            st.caption(dollars(step.words))
    if comparison.notes:
        st.markdown("**Good to know**\n" + "\n".join(f"- {dollars(plain_colons(note))}" for note in comparison.notes))


def plain_colons(text: str) -> str:
    return text.replace(":", r"\:").replace("*", r"\*").replace("_", r"\_").replace("[", r"\[")


def losses_alt(comparison: Comparison) -> str:
    return (
        f"Distribution of the book's profit and loss over {comparison.scenarios} scenarios; "
        f"the portfolio margin is {money(comparison.portfolio)}."
    )
