"""Two accounts of the book beside each other: what each holds, needs and has, and where it is liquidated."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from margin.core.account import Account
from margin.core.settings import Settings
from margin.ladder.as_held import AccountHeld
from margin.ladder.compare import Comparison
from ui.blocks.exporting import csv_button
from ui.blocks.formats import money
from ui.blocks.tables import data_table
from ui.portfolio.accounts import near_text, nearest
from ui.state.accounts import labels, venue_title
from ui.state.prices import ActivePrices

SYMBOLS = 40  # rows of the table of positions


def side_panel(result: Comparison, accounts: tuple[Account, ...], settings: Settings, active: ActivePrices) -> None:
    """Closed until it is asked for, and only where there are two."""
    if len(accounts) < 2:
        return
    panel = st.expander("Compare two accounts", icon=":material/compare_arrows:", key="side_by_side", on_change="rerun")
    if panel.open:
        with panel:
            side_by_side(result, accounts, settings, active)


def side_by_side(result: Comparison, accounts: tuple[Account, ...], settings: Settings, active: ActivePrices) -> None:
    """Two choices, the figures of each and the difference, then what each holds."""
    names = [f"{i}. {name}" for i, name in enumerate(labels(accounts), start=1)]
    left, right = st.columns(2)
    with left:
        first = st.selectbox("Account", names, 0, key="side_first", bind="query-params", persist_state="session")
    with right:
        second = st.selectbox("beside", names, 1, key="side_second", bind="query-params", persist_state="session")
    chosen = [names.index(first), names.index(second)]
    assert result.as_held is not None
    rows = [result.as_held.accounts[i] for i in chosen]
    pair = [accounts[i] for i in chosen]
    of_each = gross(result, accounts)
    heads = [first, second if second != first else f"{second} (again)"]
    table = figures(rows, [of_each[i] for i in chosen], pair, heads, settings, active)
    data_table(table, key="side_table", alt=f"{first} beside {second}", width="stretch")
    for row, name in zip(rows, heads, strict=True):
        if row.error is not None:
            st.caption(f"{name} is not computed: {row.error}")
    data_table(holdings(pair, heads), key="side_holdings", alt="What each holds", width="stretch")
    csv_button("This table", lambda: table, "accounts_side_by_side")


def figures(
    rows: Sequence[AccountHeld],
    exposed: Sequence[float],
    pair: Sequence[Account],
    heads: Sequence[str],
    settings: Settings,
    active: ActivePrices,
) -> pd.DataFrame:
    """A row per figure, a column per account, and the second less the first where both are known."""
    lines: list[tuple[str, float | None, float | None, bool]] = [
        ("Equity", rows[0].equity, rows[1].equity, True),
        ("Initial margin", rows[0].initial, rows[1].initial, True),
        ("Maintenance margin", rows[0].maintenance, rows[1].maintenance, True),
        ("Free", rows[0].free, rows[1].free, True),
        ("Exposure, gross", exposed[0], exposed[1], True),
        ("Leverage", _ratio(exposed[0], rows[0].equity), _ratio(exposed[1], rows[1].equity), False),
        ("Health", rows[0].health, rows[1].health, False),
    ]
    out = [
        {
            "Figure": name, heads[0]: _text(a, dollars), heads[1]: _text(b, dollars),
            "Difference": _text(b - a if a is not None and b is not None else None, dollars),
        }
        for name, a, b, dollars in lines
    ]  # fmt: skip
    where = [
        venue_title(a.venue) + (f", {a.mode}" if a.mode else "") if a.venue else "our portfolio method" for a in pair
    ]
    near = [nearest(account, settings, active) for account in pair]
    told = [found if isinstance(found, str) else near_text(found) for found in near]
    return pd.DataFrame(
        [
            {"Figure": "Judged by", heads[0]: where[0], heads[1]: where[1], "Difference": ""},
            *out,
            {"Figure": "Nearest liquidation", heads[0]: told[0], heads[1]: told[1], "Difference": ""},
        ]
    )


def holdings(pair: Sequence[Account], heads: Sequence[str]) -> pd.DataFrame:
    """Units of every symbol and coin that one of the two holds."""
    found: dict[str, list[float]] = {}
    for i, account in enumerate(pair):
        held = [(p.symbol, p.quantity) for p in account.positions]
        held += [(f"{c.asset}, collateral", c.quantity) for c in account.collateral]
        for name, quantity in held:
            found.setdefault(name, [0.0, 0.0])[i] += quantity
    rows = [
        {"Held": name, heads[0]: f"{a:,.6g}" if a else "", heads[1]: f"{b:,.6g}" if b else ""}
        for name, (a, b) in list(found.items())[:SYMBOLS]
    ]
    return pd.DataFrame(rows or [{"Held": "nothing", heads[0]: "", heads[1]: ""}])


def _judge(account: Account) -> str:
    if not account.venue:
        return "our portfolio method"
    return f"{venue_title(account.venue)}, {account.mode}" if account.mode else venue_title(account.venue)


def gross(result: Comparison, accounts: Sequence[Account]) -> list[float]:
    """USD each account's margined positions move with, summed without their signs: its part of the book's exposure."""
    lines = iter(result.positions)
    return [sum(abs(next(lines).delta_usd) for _ in account.margined) for account in accounts]


def _ratio(gross: float, equity: float | None) -> float | None:
    return gross / equity if equity is not None and equity > 0 else None


def _text(value: float | None, dollars: bool) -> str:
    return "–" if value is None else money(value) if dollars else f"{value:,.2f}×"
