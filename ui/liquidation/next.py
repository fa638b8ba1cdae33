"""What happens next: the account along a path, recorded or simulated, closed step by step; where the money went."""

import numpy as np
import pandas as pd
import streamlit as st

from margin.liquidation.account import simulate
from margin.liquidation.closing import rules_of, venues
from margin.liquidation.frictions import frictions_of
from margin.liquidation.ledgers import Liquidation, apart
from margin.models.base import NOT_CARRIED, ClosingRules
from margin.models.funding import Funding
from margin.sample.events import load_events
from margin.stress.held import StressBook
from margin.stress.paths import PricePath, recorded_path, simulated_path
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import MINUS, money, true_minus
from ui.blocks.funding import of_path
from ui.blocks.text import dollars, plain
from ui.charts import liquidation as charts_liquidation
from ui.state.prices import ActivePrices

SHOCK_PATH = "A shock, then normal days"
ITS_OWN = "Its own margin model's rules"
SHOWN = 12  # lines of what happened, of each way of holding


def what_next(held: StressBook, active: ActivePrices) -> None:
    """Both ways of holding along one path: the log, and where the money went."""
    if not held.positions:
        st.info("The book holds owned coins only; they are not liquidated.")
        return
    paid: Funding | None = None
    first, second, third = st.columns(3)
    inside = [e for e in load_events() if active.first_day < e.start <= active.last_day]
    names = [f"{e.name} ({e.start})" for e in inside]
    with first:
        label = st.selectbox(
            "Path", [SHOCK_PATH, *names], key="liquidation_path", bind="query-params", persist_state="session"
        )
        days = st.slider("Days", 2, 90, 30, key="liquidation_days", bind="query-params", persist_state="session")
    with second:
        options = [ITS_OWN, *(r.name for r in venues())]
        closed_as = st.selectbox(
            "Closed as", options, key="liquidation_venue", bind="query-params", persist_state="session"
        )
        fund = st.select_slider(
            "Insurance fund", (0.0, 1e3, 1e4, 1e5, 1e6, 1e7), 1e6, format_func=lambda v: f"${v:,.0f}",
            key="liquidation_fund", bind="query-params", persist_state="session",
        )  # fmt: skip
    with third:
        if label == SHOCK_PATH:
            move = st.slider(
                "All prices move at once by, %",
                -95,
                100,
                -40,
                key="liquidation_shock",
                bind="query-params",
                persist_state="session",
            )
            seed = st.number_input(
                "Path number", 1, 9999, 1, key="liquidation_seed", bind="query-params", persist_state="session"
            )
            path = simulated_path(held, int(days), move / 100.0, int(seed))
        else:
            path = recorded_path(held, inside[names.index(label)].start, int(days))
            wanted = st.toggle(
                "Recorded funding", key="liquidation_funding", bind="query-params", persist_state="session",
                help="What perpetuals paid on those days, fetched from an exchange that publishes its history.",
            )  # fmt: skip
            paid = of_path(held, path) if wanted else None
    rules = None if closed_as == ITS_OWN else rules_of(closed_as)
    around = frictions_of(held, float(fund))
    silent = [a for a in held.moving if not around.daily_volume.get(a)]
    if silent:
        st.caption(f"No traded volume is known for {plain(', '.join(silent))}: closing it is charged no impact.")
    runs = [simulate(held, path, rules, mode, around, paid) for mode in ("held", "alone")]
    _outcome(runs, path)
    if paid is not None:
        left = [account.funding for account in runs[0].ledgers]
        word = "paid" if sum(left) >= 0 else "received"
        st.caption(
            dollars(f"Funding on this path, as held: {word} {money(abs(sum(left)))}. {plain(' '.join(paid.notes()))}")
        )
    used = [rules] if rules else list({h.model.closing.name: h.model.closing for h in held.held}.values())
    st.caption(dollars(" ".join([plain(path.looked_at), *(_source(r) for r in used)])))


def _outcome(runs: list[Liquidation], path: PricePath) -> None:
    held, alone = runs
    whole = "account" if len(held.accounts) == 1 else "book"
    st.markdown(dollars(f"As held the {whole} {_fate(held, path)}. Position by position it {_fate(alone, path)}."))
    why = reasons(held, alone)
    if why:
        st.caption(dollars(why))
    words = f"As held it ends with {money(held.final)}, in isolated accounts with {money(alone.final)}."
    labels = list(path.labels)
    if any((np.abs(run.equity) >= 0.005).any() for run in runs):
        chart(charts_liquidation.along(runs, labels), "liquidation_along", f"Equity along the path. {words}")
    else:
        st.caption("Nothing is left to follow: either way of holding is over before anything moves.")
    st.markdown("**Where the money went, as held**")
    chart(
        charts_liquidation.waterfall(held.ledgers),
        "liquidation_money",
        f"Money of the account: ends with {money(held.final)}.",
    )
    st.markdown("**What happened**")
    rows = [
        {
            "When": f"{labels[line.step]}, {line.when}",
            "Held": "as it is" if run.mode == "held" else "alone",
            "Account": line.account,
            "What": f"{line.kind}: {line.words}",
        }
        for run in runs
        for line in run.log
    ]
    if not rows:
        st.markdown("Nothing: no call, no liquidation.")
        return
    for mode, title in (("as it is", "As it is held"), ("alone", "In isolated accounts of their own")):
        mine = [row for row in rows if row["Held"] == mode]
        lines = [
            f"- {plain(row['When'])}, **{plain(row['Account'])}**: {plain(true_minus(row['What']))}"
            for row in mine[:SHOWN]
        ]
        lines += [f"- and {len(mine) - SHOWN} more, all in the log"] if len(mine) > SHOWN else []
        if lines:
            st.markdown(dollars("\n".join([f"{title}:", *lines])))
    csv_button("This log", lambda: pd.DataFrame(rows), "liquidation_log")


def reasons(held: Liquidation, alone: Liquidation) -> str:
    """Why position by position ends with another sum than as held; "" where there is no difference to speak of."""
    found = apart(held, alone)
    if abs(found.total) < 1.0:
        return ""
    coins = sum(ledger.coins for ledger in held.ledgers)
    borne, lone = (money(sum(ledger.borne for ledger in run.ledgers)) for run in (held, alone))
    parts = (
        (
            found.coins,
            "isolated accounts hold money, not the coins of the collateral, which "
            f"{'fell' if coins < 0 else 'rose'} by {money(abs(coins))}",
        ),
        (found.borne, f"an account loses no more than it has: others bear {borne} as held, {lone} by position"),
        (found.closed, "positions are closed at other times, and then earn and lose no more"),
        (found.charges, "funding, impact and fees differ"),
    )
    said = [f"- {MINUS if usd < 0 else '+'}{money(abs(usd))}: {why}." for usd, why in parts if abs(usd) >= 1.0]
    beside = "more" if found.total > 0 else "less"
    head = f"Position by position ends with {money(abs(found.total))} {beside} than as held:"
    return "\n".join([head, "", *said])


def _fate(run: Liquidation, path: PricePath) -> str:
    first = run.first
    if first is None:
        return f"is never liquidated and ends with **{money(run.final)}**"
    what = "" if len(run.accounts) == 1 else f" ({plain(first.account)} first)"
    return f"is liquidated on {path.labels[first.step]}, {first.when}{what}, and ends with **{money(run.final)}**"


def _source(rules: ClosingRules) -> str:
    if rules.source == NOT_CARRIED:
        return (
            f"How {plain(rules.name)} closes an account is not carried here: everything is closed at once, at no fee, "
            "and with no insurance fund. Under Closed as you can take another venue's rules."
        )
    if not (rules.insurance or rules.adl or rules.socialised):
        return (
            "Our own methods close everything at once, at no cost, and have no insurance fund: choose a venue's rules."
        )
    note = f" {plain(rules.note)}" if rules.note else ""
    return f"{plain(rules.name)}:{note} Source: {plain(rules.source)}."
