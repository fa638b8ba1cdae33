"""The rules side by side: the frontier of capital and expected shortfall, and who is paid what after a fall."""

import pandas as pd
import streamlit as st

from margin.forecast.results import printed
from margin.protocols.paid import Paid, paid
from margin.protocols.sharing import opened
from margin.protocols.wallet import NAMES, Rule
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money
from ui.blocks.tables import data_table
from ui.blocks.text import dollars
from ui.charts import protocols as charts
from ui.protocols.wallets import RULES_SHOWN, Asked, Compared


def draw(wanted: Asked, found: Compared) -> None:
    """Left the rules, right what a fall does under the chosen one."""
    left, right = st.columns(2, gap="medium")
    with left:
        rule: Rule = st.radio(
            "Rule of sharing", RULES_SHOWN, RULES_SHOWN.index("unified"), format_func=NAMES.__getitem__,
            key="protocols_rule", bind="query-params", horizontal=True,
        )  # fmt: skip
        lines = found.equal.rules
        said = "; ".join(
            f"{NAMES[x.rule]}: {money(x.capital)} and {money(x.expected_shortfall, cents=True)}" for x in lines
        )
        chart(charts.frontier(lines, rule), "protocols_frontier", f"Capital and expected shortfall. {said}.")
        st.caption("Further left needs less capital; higher leaves others more expected loss. All at the same odds.")
    with right:
        fall = st.slider("All prices move by, %", -95, 50, -40, key="protocols_fall", bind="query-params")
        _after(wanted, found, rule, fall / 100.0)
    _table(found)


def _after(wanted: Asked, found: Compared, rule: Rule, move: float) -> None:
    wallet = opened(found.told.wallet, rule, found.equal.of(rule).buffer, wanted.theta)
    now = paid(wallet, rule, dict.fromkeys(wallet.assets, move), wanted.theta)
    with st.container(horizontal=True, gap="medium"):
        one = rule == "unified"
        st.metric("The account's gap" if one else "Lender's gap", money(now.lender_gap), _word(now.lender_called),
                  delta_color="off", delta_arrow="off", width="content")  # fmt: skip
        if not one:
            st.metric("Venue's gap", money(now.venue_gap), _word(now.venue_called), delta_color="off",
                      delta_arrow="off", width="content")  # fmt: skip
        lost = now.lender_short + now.venue_short
        st.metric("Others lose", money(lost), "of what they are owed" if lost else None, delta_color="off",
                  delta_arrow="off", width="content")  # fmt: skip
    chart(charts.paid(now), "protocols_paid", f"Who is paid what. {alt(now)}")


def _word(called: bool) -> str:
    return "calls" if called else "does not call"


def alt(now: Paid) -> str:
    """The waterfall in words."""
    return (
        f"Collateral {money(now.collateral)}, cash {money(now.cash)}, positions {money(now.result)}, "
        f"lender's claim {money(now.debt)}, liquidators {money(now.bonus)}; the lender is left short "
        f"{money(now.lender_short)}, the venue {money(now.venue_short)}; the wallet keeps {money(now.wallet)}."
    )


def _table(found: Compared) -> None:
    rows = []
    for line, other in zip(found.equal.rules, found.same.rules, strict=True):
        note = "below the odds asked for with its least buffer" if line.least else ""
        rows.append(
            {
                "Rule": NAMES[line.rule],
                "Capital": money(line.capital),
                "Freed": money(found.equal.saved(line.rule)),
                "Buffer": f"{line.buffer:.2f}",
                "Odds: lender, venue": f"{printed(line.odds_lender)}, {printed(line.odds_venue)}",
                "Expected loss: lender, venue": f"{money(line.expected_lender)}, {money(line.expected_venue)}",
                "99%: lender, venue": f"{money(line.worst_lender)}, {money(line.worst_venue)}",
                "At one buffer of 1.25: called": printed(other.odds),
                "At one buffer of 1.25: frees": money(found.same.saved(other.rule)),
                "Note": note,
            }
        )
    table = pd.DataFrame(rows)
    if not table["Note"].any():
        table = table.drop(columns="Note")
    data_table(table, key="protocols_table", alt="Every rule of sharing")
    csv_button("This table", lambda: table, "protocols_rules")
    coins = "; ".join(
        f"{p.asset}: lent {p.ltv:.1%}, counted {p.threshold:.1%}, by the venue {p.weight:.1%}"
        for p in found.told.wallet.collateral
    )
    perps = "; ".join(
        f"{q.asset} {money(q.notional)}: {q.initial:.1%} to open, {q.maintenance:.2%} to keep"
        for q in found.told.wallet.perps
    )
    st.caption(
        dollars(
            f"{coins}. {perps}. {found.equal.paths:,} windows of recorded days, {found.equal.steps // 24} days each, "
            "hour by hour with bridges between the closes; a sale an hour after a call; 5% to liquidators."
        )
    )
