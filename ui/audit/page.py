"""The Audit page: every account of a venue, how many would be closed, and whether the fund is enough."""

import streamlit as st

from margin.audit.report import AuditReport, market_depth, report
from ui.audit import accounts, books, views
from ui.audit.books import Audited
from ui.blocks.formats import percent, short_money, true_minus
from ui.blocks.text import dollars, plain
from ui.blocks.views import tabbed
from ui.shell.page import Seen
from ui.state import audited

FUNDS = (0.0, 1e5, 1e6, 5e6, 2e7, 1e8, 5e8)
MOVES = ("all -10%", "all -20%", "all -30%", "all +10%", "all +20%", "all +30%")


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    accounts.go_on()
    found = books.chosen(seen)
    if found is None:
        return
    audited.keep(audited.AuditedBook(name=found.name, key=found.key, plan=found.plan, accounts=found.held))
    first, second = st.columns(2)
    with first:
        move = st.segmented_control(
            "Shock",
            MOVES,
            default=MOVES[0],
            required=True,
            format_func=true_minus,
            key="audit_move",
            bind="query-params",
            wrap=True,
        )
    with second:
        fund = st.select_slider(
            "Insurance fund", FUNDS, 2e7, format_func=short_money, key="audit_fund", bind="query-params"
        )
    said = _report(seen, found, float(fund))
    st.header(dollars(headline(said, str(move))), anchor=False)
    for note in said.notes:
        st.caption(plain(note))
    tabbed(
        {
            "Shocks": lambda: views.shocks(said, str(move)),
            "Health": lambda: views.health(said),
            "Concentration": lambda: views.concentration(said),
            "Checks": lambda: views.checks(said),
            "One account": lambda: accounts.draw(seen, found),
        },
        "audit_view",
    )


def _report(seen: Seen, found: Audited, fund: float) -> AuditReport:
    volumes, vols = market_depth(seen.active.market, found.plan)
    return report(found.plan, found.summary, 0.0, fund, volumes, vols)


def headline(said: AuditReport, move: str) -> str:
    """'Of 437,000 accounts 2.1% would be closed at -10%; the $20M fund covers 96% of scenarios.'"""
    line = next(x for x in said.shocks if x.name == move)
    count = said.summary.accounts
    share = percent(100 * line.liquidated / count, 1) if count else "none"
    cover = percent(100 * said.fund.covered, 1)
    fund = f"the {short_money(said.fund.fund)} fund covers" if said.fund.fund else "without a fund nobody loses in"
    size = true_minus(move.removeprefix("all "))
    return f"Of {count:,} accounts {share} would be closed at {size}; {fund} {cover} of scenarios."
