"""The report drawn: shocks and the ladder, health, concentration, and the audit of the audit."""

import numpy as np
import pandas as pd
import streamlit as st

from margin.audit.report import AuditReport, equity_to_tvl
from margin.audit.shocks import SINGLE_MOVES
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent, short_money, true_minus
from ui.blocks.tables import data_table
from ui.blocks.text import dollars
from ui.charts import audit as charts


def shocks(said: AuditReport, move: str) -> None:
    """Left the heat map of shortfalls, right the ladder of one asset, below every shock."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Shortfall: which asset moves, by how much**")
        names, table = grid(said)
        worst = float(table.max())
        alt = f"Shortfall by asset and move; the largest {money(worst)}."
        chart(charts.shortfalls(names, SINGLE_MOVES, table), "audit_heat", alt)
    with right:
        held = sorted(said.assets, key=lambda a: -(a.long + a.short))
        asset = st.selectbox("Ladder of", [a.asset for a in held], key="audit_ladder", bind="query-params")
        steps, down, up = said.ladder(str(asset))
        ten, thirty = money(float(down[:20].sum())), money(float(down[:60].sum()))
        words = f"A market fall of 10% closes {ten} of {asset}, of 30% {thirty}."
        chart(charts.ladder(steps, down, up), "audit_ladder_chart", f"Closed by a move of the market. {words}")
        st.caption(dollars(words))
    line = next(x for x in said.shocks if x.name == move)
    forced = sorted(line.forced.items(), key=lambda item: -abs(item[1]))[:10]
    if forced:
        flows = "; ".join(f"{a} {money(v)}" for a, v in forced)
        st.markdown(f"**Bought (right) and sold (left) by force at {true_minus(move.removeprefix('all '))}**")
        chart(charts.forced(forced), "audit_forced", f"Forced flow. {flows}.")
    table_of = pd.DataFrame(
        {
            "Shock": [x.name for x in said.shocks],
            "Closed": [f"{x.liquidated:,}" for x in said.shocks],
            "Notional": [money(x.notional) for x in said.shocks],
            "Shortfall": [money(x.shortfall) for x in said.shocks],
            "Fund left": [money(max(x.fund_left, 0.0)) for x in said.shocks],
            "Beyond the fund": [money(x.beyond_fund) for x in said.shocks],
        }
    )
    data_table(table_of, key="audit_shocks", alt="Every shock")
    csv_button("This table", lambda: table_of, "audit_shocks")
    st.caption("Beyond the fund: what deleveraging (ADL) or everybody else would have to bear.")


def grid(said: AuditReport) -> tuple[list[str], np.ndarray]:
    """(assets by open interest, (k, moves) USD of shortfall when each moves alone), the largest twelve."""
    by_name = {x.name: x.shortfall for x in said.shocks}
    held = sorted(said.assets, key=lambda a: -(a.long + a.short))[:12]
    names = [a.asset for a in held]
    return names, np.array([[by_name[f"{name} {size:+.0%}"] for size in SINGLE_MOVES] for name in names])


def health(said: AuditReport) -> None:
    """Accounts by health band."""
    bands = said.bands
    words = "; ".join(f"{name}: {count:,}" for name, count, _ in bands)
    st.markdown(
        dollars(
            f"**{money(said.summary.near / 100.0)}** of positions stands below a health of 1.1. Margin account by "
            f"account {money(said.es['sum'])}; of all in one pool {money(said.es['pooled'])}."
        )
    )
    called = ", ".join(
        f"{count:,.0f} within {days:g} day{'s' if days > 1 else ''}" for days, count in said.expected_calls
    )
    st.markdown(f"Expected to be called: **{called}** (closed form, no drift).")
    chart(charts.bands(bands), "audit_health", f"Accounts by health. {words}.")
    fund = said.fund
    st.caption(
        dollars(
            f"The fund of {short_money(fund.fund)} {'is' if fund.adequate else 'is not'} enough for 99.5% of "
            f"scenarios, which need {money(fund.quantile)}; the largest account alone {money(fund.cover_one)}, "
            f"the largest two {money(fund.cover_two)}; {money(fund.expected, cents=True)} on average."
        )
    )


def concentration(said: AuditReport) -> None:
    """Who and what is large."""
    share = percent(100 * (said.top_share or 0.0), 1)
    st.markdown(f"**The ten largest accounts hold {share} of open interest.**")
    left, right = st.columns(2, gap="medium")
    top = said.top[:10]
    with left:
        words = "; ".join(f"{name}: {money(usd)}" for name, usd in top)
        if top:
            chart(charts.amounts(top), "audit_top", f"Largest accounts by gross. {words}.")
    with right:
        rows = sorted(said.assets, key=lambda a: -(a.long + a.short))
        table = pd.DataFrame(
            {
                "Asset": [a.asset for a in rows],
                "Open interest": [money(a.long) for a in rows],
                "HHI": ["–" if a.hhi is None else f"{a.hhi:.5f}" for a in rows],
                "As many equal accounts": ["–" if a.effective is None else f"{a.effective:,.0f}" for a in rows],
                "R0": ["–" if a.reproduction is None else f"{a.reproduction:.3f}" for a in rows],
            }
        )
        data_table(table, key="audit_assets", alt="Concentration by asset")
        csv_button("This table", lambda: table, "audit_concentration")
    st.markdown("**Held together**: how much of the smaller position stands in accounts that hold both")
    order = [said.plan.assets.index(a.asset) for a in rows[:12]]
    names, table_of = [said.plan.assets[i] for i in order], said.overlap[np.ix_(order, order)]
    off = table_of - np.eye(len(order))
    most = np.unravel_index(int(off.argmax()), off.shape)
    words = f"Most of all {names[most[0]]} and {names[most[1]]}: {percent(100 * float(off.max()))}."
    chart(charts.overlap(names, table_of), "audit_overlap", f"Overlap of assets. {words}")
    st.caption(words)
    _spots(said)
    st.caption("R0: what the fall closes, sold by the square-root law, adds to the fall; 1 or more feeds on itself.")


def _spots(said: AuditReport) -> None:
    """What makes the worst shock as bad as it is."""
    short = [spot for spot in said.hot_spots if spot.shortfall > 0][:5]
    if short:
        words = "; ".join(f"{spot.asset} {money(spot.shortfall)}" for spot in short)
        st.caption(
            dollars(
                f"Hot spots, by the shortfall of the worst shock that would not be there without them: {words}. "
                f"Halving the positions of one account would take {money(said.halved)} off."
            )
        )
    if said.short_top_share is not None:
        st.caption(
            f"The ten accounts short most make {percent(100 * said.short_top_share, 1)} of all shortfall (each in its "
            f"worst shock; HHI {said.short_hhi:.5f})."
        )
    if said.crowding is not None:
        st.caption(
            f"One-way crowding: {percent(100 * said.crowding, 1)} of what the largest tenth of accounts holds is long."
        )


def checks(said: AuditReport) -> None:
    """The audit of the audit."""
    c, s = said.checks, said.summary
    told = st.number_input(
        "Value that the venue reports, $", min_value=1.0, value=None, step=1e6, format="%.0f", key="audit_tvl",
        bind="query-params", placeholder="e.g. its TVL", width=320,
        help="Set beside the sum of all equities: far from it, accounts are missing or counted twice.",
    )  # fmt: skip
    own = c["reported_liquidation_prices"]
    rows = [
        ("Open interest nets to zero", "yes" if c["nets_to_zero"] else f"no: {', '.join(c['does_not_net'])}"),
        ("Equity of all accounts", money(s.equity / 100.0)),
        *([] if told is None else [("Beside what the venue reports", f"{equity_to_tvl(s, told):+.1%}")]),
        ("Accounts below zero", f"{c['negative_equity']:,}"),
        ("Closed already", f"{c['closed_already']:,}"),
        ("Without a position", f"{c['empty_accounts']:,}"),
        ("Rows set aside", f"{sum(s.set_aside.values()):,}"),
        ("Positions without history", f"{sum(s.unknown.values()):,}"),
        (
            "Our close beside the printed",
            "none is printed" if not own["compared"] else f"median {_part(own, 'median')}",
        ),
    ]
    table = pd.DataFrame(rows, columns=["Check", "Found"])
    data_table(table, key="audit_checks", alt="Checks of the book and of the audit")
    if s.set_aside:
        aside = pd.DataFrame(sorted(s.set_aside.items()), columns=["Set aside because of", "Rows"])
        data_table(aside, key="audit_aside", alt="Rows set aside, by reason")
    if own["compared"]:
        far = f"95% of them lie within {_part(own, 'p95')} of ours."
        st.caption(f"The file prints {own['compared']:,} liquidation prices of accounts of one position: {far}")
    st.caption("A complete perpetuals book nets to zero: every buyer has a seller.")


def _part(own: dict[str, float | int | None], name: str) -> str:
    return f"{100 * float(own[name] or 0):.1f}%"
