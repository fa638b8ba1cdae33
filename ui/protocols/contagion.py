"""What spreads: a shock through a network of debts under three models, and where a crowd of wallets tips over."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.protocols.branching import cascade, square_root_impact
from margin.protocols.events import events
from margin.protocols.network import Network, clear_network, rank_network, read_network, sell_network, stylised
from margin.protocols.population import Crowd, Tipping, tipping
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import protocols as charts
from ui.shell.page import Seen
from ui.state.compute import remembered

MADE_UP, OWN = "A made-up network", "Your file"
MODELS = {"clearing": "Clearing", "debtrank": "DebtRank", "fire-sales": "Fire sales", "cascade": "Cascade of wallets"}
MOST_BYTES = 20_000_000
MOST_SHOWN = 30


def draw(seen: Seen) -> None:
    """Model, network and shock above; the matrix and the losses below."""
    with st.container():
        model = st.segmented_control(
            "What spreads by", list(MODELS), default="clearing", required=True, format_func=MODELS.__getitem__,
            key="protocols_model", bind="query-params", wrap=True,
        )  # fmt: skip
    if model == "cascade":
        _crowd_tips(seen)
        return
    first, second, third = st.columns(3)
    with first:
        network = _network()
    if network is None:
        return
    moves = _shock(network, second, third)
    for note in network.notes:
        st.caption(plain(note))
    if model == "clearing":
        _cleared(network, moves)
    elif model == "debtrank":
        _ranked(network, moves)
    else:
        _sold(network, moves, seen)


def _network() -> Network | None:
    named = {e.title: e.network for e in events() if e.network is not None}
    which = st.selectbox("Network", [MADE_UP, *named, OWN], key="protocols_network", bind="query-params")
    if which == MADE_UP:
        return stylised()
    if which != OWN:
        return named[str(which)]
    files = st.file_uploader(
        "Network: JSON, or a CSV of claims (source, target, size)", ["json", "csv"], key="protocols_network_file",
        accept_multiple_files=True,
        help="docs/protocols.md gives the form. DeXposure's weekly snapshots are read as published; its meta_df.csv "
        "beside them gives the names.",
    )  # fmt: skip
    if not files:
        st.info("Choose a file: nothing of it is stored.", icon=":material/upload_file:")
        return None
    size = sum(file.size for file in files)
    if size > MOST_BYTES:
        raise InputError(
            files[0].name,
            f"{size:,} bytes",
            f"is larger than {MOST_BYTES:,}",
            "Use `python -m margin protocols network`.",
        )
    names = [file for file in files if _gives_names(file.getvalue())]
    networks = [file for file in files if file not in names]
    if len(networks) != 1 or len(names) > 1:
        raise InputError(
            "network", f"{len(networks)} networks", "must be one file, and perhaps one of names", "Leave one of each."
        )
    date = st.text_input(
        "Snapshot (empty: the last)", key="protocols_network_date", placeholder="2025-06", bind="query-params"
    )
    return read_network(networks[0].getvalue(), date.strip() or None, names[0].getvalue() if names else None)


def _gives_names(content: bytes) -> bool:
    """Whether the file is a table of ids and names."""
    header = {name.strip().lower() for name in content[:200].decode("utf-8-sig", "replace").split("\n")[0].split(",")}
    return {"id", "name"} <= header


def _shock(network: Network, left: Any, right: Any) -> dict[str, float]:
    held = [a for a in network.assets if a != "USD"]
    if not held:
        st.caption("No node holds an asset with a price: what is short is short already.")
        return {}
    asset = left.selectbox("Shock to", ["all assets", *held], key="protocols_shocked", bind="query-params")
    move = right.slider("moves by, %", -95, 50, -30, key="protocols_shock", bind="query-params") / 100.0
    return dict.fromkeys(held, move) if asset == "all assets" else {str(asset): move}


def _cleared(network: Network, moves: dict[str, float]) -> None:
    alpha = st.slider(
        "Left of assets and claims in a default, %", 10, 100, 100, 5, key="protocols_alpha", bind="query-params",
        help="100: nothing is lost to costs of default (Eisenberg and Noe); less: Rogers and Veraart.",
    )  # fmt: skip
    found = clear_network(network, moves, alpha / 100.0, alpha / 100.0)
    after, lost = found.after, found.losses
    owed = float((after.owed - after.paid).sum())
    new = len(found.new_defaults)
    words = f"{new} of {len(network.ids)} cannot pay any more" if new else "Nobody stops paying"
    st.header(
        dollars(f"{words}: {money(float(lost.sum()))} of equity is gone and {money(owed)} of debts is not paid."),
        anchor=False,
    )
    short = lost + (found.before.paid - after.paid).clip(min=0.0)
    order = np.argsort(-short, kind="stable")[:MOST_SHOWN]
    order = order[np.argsort(-lost[order], kind="stable")]  # who is shown, in the order of the bars
    _pair(network, order, lost, after.defaults, "$", "equity lost")
    table = pd.DataFrame(
        {
            "Node": [network.ids[i] for i in order],
            "Owes": [money(float(after.owed[i])) for i in order],
            "Pays": [money(float(after.paid[i])) for i in order],
            "Recovery": [percent(100 * float(after.recovery[i]), 1) if after.owed[i] > 0 else "–" for i in order],
            "Equity": [money(float(after.equity[i])) for i in order],
            "Equity lost": [money(float(lost[i])) for i in order],
            "Defaults": ["yes" if after.defaults[i] else "no" for i in order],
        }
    )
    data_table(table, key="protocols_cleared", alt="Who pays what after the shock")
    csv_button("This table", lambda: table, "protocols_clearing")
    if found.loans:
        pledged = pd.DataFrame(
            [
                {"Loan of": x.borrower, "From": x.lender, "Owed": money(x.owed), "Paid": money(x.paid),
                 "Collateral": money(x.collateral)}
                for x in found.loans
            ]
        )  # fmt: skip
        st.caption("Loans without recourse: paid out of their collateral alone.")
        data_table(pledged, key="protocols_loans", alt="What each loan without recourse pays")
    lost_to = money(after.value_lost)
    st.caption(
        dollars(
            "The greatest clearing vector; outside debts first, so who owes nobody here can default on those. "
            f"Lost to costs of default: {lost_to}. ◆: defaults."
        )
    )


def _ranked(network: Network, moves: dict[str, float]) -> None:
    found = rank_network(network, moves)
    calm = "it fades out" if found.stable else "a small shock grows until somebody defaults"
    times = f", {found.amplification:.2f} times the shock" if found.amplification is not None else ""
    st.header(
        dollars(
            f"Distress travels: {percent(100 * found.impact, 1)} of all equity is lost beyond the shock itself{times}; "
            f"{calm}."
        ),
        anchor=False,
    )
    order = np.argsort(-found.distress, kind="stable")[:MOST_SHOWN]
    _pair(network, order, found.distress, found.distress >= 1.0, "%", "share of equity lost")
    st.caption(f"Spectral radius of the leverage matrix {found.radius:.3f}: below 1 a small shock stays small.")


def _sold(network: Network, moves: dict[str, float], seen: Seen) -> None:
    volume = st.select_slider(
        "A sale of $1M moves the price by, %", (0.01, 0.05, 0.1, 0.5, 1.0), 0.05, key="protocols_impact",
        bind="query-params",
    )  # fmt: skip
    impact = dict.fromkeys((a for a in network.assets if a != "USD"), float(volume) / 100.0 / 1e6)
    found = sell_network(network, moves, impact)
    st.header(
        dollars(
            f"Holders sell {money(float(np.abs(found.sales).sum()))} to keep their leverage; that alone costs "
            f"{percent(100 * found.vulnerability, 1)} of all equity."
        ),
        anchor=False,
    )
    order = np.argsort(-np.abs(found.sales), kind="stable")
    names = [network.assets[i] for i in order]
    values = [float(found.sales[i]) for i in order]
    said = "; ".join(f"{n} {money(v)}" for n, v in zip(names, values, strict=True))
    chart(charts.losses(names, values, [False] * len(names)), "protocols_sales", f"Sold of each asset. {said}.")
    ends = found.total_moves
    table = pd.DataFrame(
        {
            "Asset": names,
            "Shock": [percent(100 * moves.get(n, 0.0), 1) for n in names],
            "Sold": [money(v) for v in values],
            "One round adds": [f"{100 * float(found.price_moves[i]):.2f}%" for i in order],
            "All rounds end at": ["do not end" if ends is None else f"{100 * float(ends[i]):.2f}%" for i in order],
        }
    )
    data_table(table, key="protocols_firesale", alt="What is sold and what it does to prices")
    st.caption(f"Spectral radius of a round {found.radius:.3f}: below 1 the rounds die out.")


def _pair(network: Network, order: np.ndarray, values: np.ndarray, marked: np.ndarray, unit: str, what: str) -> None:
    left, right = st.columns(2, gap="medium")
    names = [network.ids[i] for i in order]
    shown = [float(values[i]) for i in order]
    with left:
        st.markdown(f"**{what.capitalize()}**")
        said = "; ".join(
            f"{n} {money(v) if unit == '$' else percent(100 * v, 1)}"
            for n, v in zip(names[:10], shown[:10], strict=True)
        )
        chart(
            charts.losses(names, shown, [bool(marked[i]) for i in order], unit), "protocols_losses", f"{what}: {said}."
        )
    with right:
        st.markdown(dollars(f"**Who (row) owes whom (column), {charts.debt_unit(network)[1]}**"))
        alt = f"Debts among {len(order)} nodes, largest loss first; {money(float(network.debts.sum()))} in all."
        chart(charts.matrix(network, order.tolist()), "protocols_matrix", alt)
    if len(network.ids) > len(order):
        st.caption(f"The {len(order)} nodes that lose most of {len(network.ids):,}.")


@remembered
def _tips(crowd: Crowd, volume: float) -> tuple[Tipping, np.ndarray, np.ndarray, float]:
    impact = square_root_impact(crowd.volatilities[0], volume)
    found = tipping(crowd, impact)
    shocks = np.linspace(0.0, 0.5, 101)
    ends = np.array([cascade(found.ladder, impact, float(s)).total for s in shocks])
    return found, shocks, ends, float(found.r0[: int(0.5 * len(found.r0))].max(initial=0.0))


def _crowd_tips(seen: Seen) -> None:
    first, second = st.columns(2)
    twice = first.slider("Wallets counted twice, %", 0, 100, 30, 10, key="protocols_twice", bind="query-params") / 100.0
    volume = second.select_slider(
        "Traded a day", (1e8, 1e9, 3e9, 1e10, 3e10), 3e9, format_func=lambda v: f"${v / 1e9:g}B",
        key="protocols_volume", bind="query-params",
    )  # fmt: skip
    crowd = Crowd(wallets=20_000).with_double(twice)
    found, shocks, ends, r0 = _tips(crowd, float(volume))
    tip = found.critical
    if tip is None:
        words = "No shock up to 100% tips this crowd over: every cascade fades."
    else:
        words = f"A shock of {percent(100 * tip[0], 1)} tips it over: the fall then runs to {percent(100 * tip[1], 1)}."
    st.markdown(f"**{plain(words)}** R0 at its steepest: {r0:.2f}.")
    said = "; ".join(f"{s:.0%} ends at {e:.0%}" for s, e in zip(shocks[::20], ends[::20], strict=True))
    chart(charts.branching(found, ends, shocks), "protocols_branching", f"Shock and where it ends. {said}.")
    st.caption(
        dollars(
            "20,000 made-up wallets; calls sell, and the square-root law moves the price. R0: fall that one more unit "
            "of fall brings about; 1 or more feeds on itself for as long as it lasts. Over a narrow step the fall "
            "stops soon after; the crowd tips where it jumps by 1% of the price or more."
        )
    )
