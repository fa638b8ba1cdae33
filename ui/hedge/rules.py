"""Would acting by a rule have worked for this book? Every past start, against doing nothing."""

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.hedge.outcomes import Interval, Outcome, Policy
from margin.hedge.rule import usual_rules
from margin.models.funding import Daily, a_day
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import moved
from ui.blocks.funding import recorded
from ui.blocks.tables import data_table
from ui.blocks.text import plain
from ui.blocks.views import refused
from ui.charts import hedge as charts_hedge
from ui.hedge import asked as asked_for
from ui.hedge.asked import Asked
from ui.shell.page import Seen

AS_TODAY = "today's equity"
STARTS = (AS_TODAY, "3", "5", "8")


def check(seen: Seen, asked: Asked) -> None:
    """Two choices, one sentence, a chart and the table of the rules."""
    one, two, three, four = st.columns([2, 2, 3, 2])
    with one:
        trigger = st.slider(
            "Act below, daily sigmas",
            1.0,
            6.0,
            2.5,
            0.5,
            key="hedge_trigger",
            format="%g",
            bind="query-params",
            persist_state="session",
        )
    with two:
        back = st.slider(
            "Back to, daily sigmas",
            2.0,
            12.0,
            4.0,
            0.5,
            key="hedge_back",
            format="%g",
            bind="query-params",
            persist_state="session",
        )
    with three:
        start = st.segmented_control(
            "Every start stands", STARTS, default=AS_TODAY, required=True, key="hedge_start",
            bind="query-params", persist_state="session",
            format_func=lambda s: s if s == AS_TODAY else f"{s} \u03c3 away",
        )  # fmt: skip
    with four:
        funding = st.slider(
            "Funding longs pay, % a day", -0.1, 0.1, 0.0, 0.01, key="hedge_funding",
            bind="query-params", persist_state="session",
            help="0.03% a day is 0.01% every 8 hours. Perpetuals that are short receive it.",
        )  # fmt: skip
        wanted = st.toggle(
            "Recorded funding", key="hedge_recorded", bind="query-params", persist_state="session",
            help="Fetched from an exchange that publishes its history; the rate above stands in where there is none.",
        )  # fmt: skip
    if back <= trigger:
        st.info("Back to must lie above the trigger.", icon=":material/info:")
        return
    rules = usual_rules(trigger, back)
    hedge = asked.hedges[0] if asked.hedges else None
    known: Daily = ()
    if wanted:
        payments, why = recorded(seen.now.portfolio, seen.active, (hedge,) if hedge else ())
        for line in why:
            st.caption(plain(line))
        known = a_day(payments, seen.active.market.dates, funding / 100.0)
    sigmas = None if start in (None, AS_TODAY) else float(str(start))
    try:
        found = asked_for.policy(
            seen.now.portfolio, seen.active.market, seen.settings, seen.model, asked.account, sigmas, rules, hedge,
            funding / 100.0, known,
        )  # fmt: skip
    except InputError as error:
        refused(error)
        return
    draw(found)


def draw(found: Policy) -> None:
    """The answer."""
    nothing, cut = found.outcomes[0], found.outcomes[1]
    st.markdown(
        f"Doing nothing, {nothing.liquidated:.1%} of {found.starts:,} past starts were liquidated within {found.days} "
        f"days; cutting, {cut.liquidated:.1%}. Cutting changed the return on equity by {_span(cut.against_nothing)} "
        "points."
    )
    said = "; ".join(f"{o.rule.title}: {o.liquidated:.1%}" for o in found.outcomes)
    chart(charts_hedge.liquidated(found.outcomes), "hedge_rules", f"Share of past starts liquidated. {said}.")
    table = pd.DataFrame([_row(o) for o in found.outcomes])
    data_table(table, key="hedge_policy", alt="Rules on every past start")
    csv_button("This table", lambda: table, "hedge_rules")
    st.caption(
        f"From {found.first} to {found.last}; only {found.independent} windows of {found.days} days do not overlap, so "
        f"intervals (95%) draw whole months, {found.months} of them. Regret: return less that of the best of these "
        "rules, known afterwards."
    )
    for note in found.notes:
        st.caption(plain(note))


def _span(x: Interval) -> str:
    return f"{_points(x.mean)} [{_points(x.low)}, {_points(x.high)}]"


def _row(o: Outcome) -> dict[str, str]:
    return {
        "Rule": o.rule.title[:1].upper() + o.rule.title[1:],
        "Liquidated": f"{o.liquidated:.1%}",
        "Cost, bp of gross": f"{o.cost_bp:.2f}",
        "Turnover": f"{o.turnover:.2f}",
        "Mean return": f"{o.mean:+.1%}",
        "5% quantile": f"{o.q05:+.1%}",
        "Worst 5%": f"{o.worst_5:+.1%}",
        "Less nothing's, points": _span(o.against_nothing),
        "Regret, points": _span(o.regret),
    }


def _points(share: float) -> str:
    """Percentage points with their sign, one digit."""
    return moved(share, 1).removesuffix("%")
