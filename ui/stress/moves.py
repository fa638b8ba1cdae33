"""The Stress page's instant moves: named events, own shock, spot and volatility, depeg and dry markets, reverse."""

import pandas as pd
import streamlit as st

from margin.core.instruments import USD_STABLECOINS
from margin.stress.events import recorded, replay_events
from margin.stress.held import StressBook
from margin.stress.reverse import NoSuchMove, ReverseStress, plausible, reverse_stress
from margin.stress.shocks import Stressed, depeg, dried_up, everything, shock, shock_grid
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import listed, money, moved, percent, signed_money, times, true_minus
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.charts import stress as charts_stress
from ui.state import book, compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.rows import sentence

SPOT = (-0.6, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
VOL = (-0.5, -0.25, 0.0, 0.5, 1.0)
FACTORS = (1.0, 2.0, 5.0, 10.0, 20.0)
MARKS = "✕: liquidated as it is held. !: only in isolated accounts of their own."
_dry = compute.remembered(dried_up, 16)
_reverse = compute.remembered(reverse_stress, 64)
MONEY = dict.fromkeys(("Profit or loss", "Of positions", "Of collateral", "Equity after", "Maintenance after"), money)


def events(held: StressBook, found: list[Stressed], beta: bool) -> None:
    """A heatmap of events by position; the table has equity, health and who is liquidated."""
    low = st.toggle(
        "To each asset's low within the event, not to its last close", key="stress_low",
        bind="query-params", persist_state="session",
        help="Every asset at its own low at once: harsh on longs, kind to shorts. Lows are as recorded, single prints "
        "on one exchange included; stablecoins' are those against dollars.",
    )  # fmt: skip
    shown = replay_events(held, recorded(), True, beta) if low else found
    words = "; ".join(f"{s.name} {signed_money(s.change)}" for s in shown)
    chart(charts_stress.events(shown, held.symbols), "stress_events", f"Profit and loss by event. {words}.")
    st.caption(f"{MARKS} Dollars. Recorded moves; today's book, as if bought at the close before.")
    table = stressed_table(held, shown)
    data_table(table, key="stress_events_table", alt="Each event in figures", formats=MONEY)
    csv_button("This table", lambda: table, "stress_events")


def stressed_table(held: StressBook, found: list[Stressed]) -> pd.DataFrame:
    """One row per move. Health is equity / maintenance, the lowest of the sub-accounts'."""
    rows = []
    for s in found:
        alone = [sym for sym, dead in zip(held.symbols, s.liquidated_alone, strict=True) if dead]
        rows.append(
            {
                "Event": s.name,
                "Profit or loss": s.change,
                "Of positions": s.pnl,
                "Of collateral": s.collateral_change,
                "Equity after": s.equity,
                "Maintenance after": s.maintenance,
                "Health": times(s.health),
                "As held": f"liquidated: {', '.join(s.liquidated_held)}" if s.liquidated else "survives",
                "Liquidated alone": ", ".join(alone) or "none",
                "Taken down by the pool": s.dragged_down,
                "By beta": ", ".join(f"{a} {moved(m)}" for a, m in s.by_beta.items()) or "–",
                "Not moved": ", ".join(s.missing) or "–",
            }
        )
    return pd.DataFrame(rows)


def own_shock(held: StressBook) -> None:
    """Sliders for every asset of the book and its collateral, and for volatility."""
    together = st.slider(
        "Everything but stablecoins, %",
        -100,
        100,
        -20,
        1,
        key="shock_all",
        bind="query-params",
        persist_state="session",
    )
    moves = everything(held, together / 100.0)
    with st.expander("Each asset by itself, besides", key="shock_each"), st.grid(3, min_column_width=200):
        for asset in held.assets:
            more = st.slider(
                f"{plain(asset)}, %",
                -100,
                100,
                0,
                1,
                key=f"shock_{asset}",
                bind="query-params",
                persist_state="session",
            )
            moves[asset] = max((1.0 + moves.get(asset, 0.0)) * (1.0 + more / 100.0) - 1.0, -1.0)
    vol = 0
    if held.has_options:
        vol = st.slider(
            "Implied volatility, %", -90, 300, 0, 5, key="shock_vol", bind="query-params", persist_state="session"
        )
    found = shock(held, moves, vol / 100.0, "Your shock")
    _figures(held, found)
    names = [*held.symbols, "collateral"]
    amounts = [*found.by_position, found.collateral_change]
    table = pd.DataFrame({"position": names, "profit_usd": amounts})
    said = ", ".join(f"{s} {signed_money(a)}" for s, a in zip(names, amounts, strict=True))
    chart(charts_stress.profits(names, amounts), "shock_chart", f"Profit and loss by position: {said}.")
    st.caption("Profit above zero, loss below: the same sign as in Named events.")
    csv_button("This shock", lambda: table, "stress_shock")


def _figures(held: StressBook, found: Stressed) -> None:
    with st.grid(4, min_column_width=150):
        st.metric("Profit or loss", money(found.change), border=True, height="stretch")
        st.metric(
            "Equity after",
            money(found.equity),
            f"of {money(held.money)}",
            "off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric("Health after", times(found.health), border=True, height="stretch")
        st.metric("As held", "liquidated" if found.liquidated else "survives", border=True, height="stretch")
    if len(held.held) > 1 and found.liquidated:
        st.markdown(f"As held, {went(found)}.")
    alone = [plain(s) for s, dead in zip(held.symbols, found.liquidated_alone, strict=True) if dead]
    st.markdown(f"Liquidated in isolated accounts of their own: {', '.join(alone) if alone else 'none'}.")


def went(s: Stressed) -> str:
    """'Bybit and OKX are liquidated', 'the pool survives': what a move does to the accounts as they are held."""
    if not s.liquidated:
        return "the pool survives" if len(s.held) == 1 else "all of it survives"
    return f"{plain(listed(s.liquidated_held))} {'is' if len(s.liquidated_held) == 1 else 'are'} liquidated"


def grid(held: StressBook) -> None:
    """All prices together against volatility."""
    vols = VOL if held.has_options else (0.0,)
    found = shock_grid(held, SPOT, vols)
    worst = float(found.change.min())
    chart(charts_stress.grid(found), "stress_grid", f"Profit and loss on a grid; the worst cell is {money(worst)}.")
    note = "" if len(vols) > 1 else " The book holds no options, so volatility changes nothing."
    st.caption(f"Dollars. Every price but stablecoins' moves alike; ✕: liquidated as it is held.{note}")
    table = pd.DataFrame(found.change, [f"{s:+.0%}" for s in SPOT], [f"vol {v:+.0%}" for v in vols])
    csv_button("This grid", lambda: table.rename_axis("spot").reset_index(), "stress_grid")


def thin(now: Answer, held: StressBook, active: ActivePrices) -> None:
    """Stablecoins below par, and markets that trade a fraction of what they did."""
    left, right = st.columns(2)
    with left:
        st.markdown("**Stablecoins fall**")
        fall = st.slider(
            "By, %",
            0,
            100,
            13,
            1,
            key="stress_depeg",
            bind="query-params",
            persist_state="session",
            help="USDC fell to 0.87 in March 2023.",
        )
        found = depeg(held, fall / 100.0)
        stables = [a for a in found.moves if a in USD_STABLECOINS]
        if not stables:
            st.info("The book and its collateral hold no stablecoin.")
        else:
            st.markdown(
                dollars(
                    f"{plain(', '.join(stables))} at {percent(100 - fall)} of par: equity {money(held.money)} → "
                    f"**{money(found.equity)}**; as it is held {went(found)}."
                )
            )
    with right:
        st.markdown("**Markets dry up**")
        dried = _dry(now.portfolio, active.market, book.current().settings, FACTORS)
        costs = [d.closing_cost for d in dried]
        if any(cost is None for cost in costs):
            st.info("The cost of closing is not computed: no traded volume for these assets, or its safeguard is off.")
        else:
            names = ["as now", *(f"1/{f:g} of the volume" for f in FACTORS[1:])]
            amounts = [float(cost or 0.0) for cost in costs]
            words = ", ".join(f"{n} {money(a)}" for n, a in zip(names, amounts, strict=True))
            chart(charts_stress.costs(names, amounts), "stress_dry", f"Cost of closing the book: {words}.")
            st.caption("Cost of closing everything, by the square-root law of impact.")
        table = pd.DataFrame(
            [
                {
                    "volume_divided_by": d.factor,
                    "closing_cost": d.closing_cost,
                    "safeguarded": d.safeguarded,
                    "collateral_value": d.collateral_value,
                }
                for d in dried
            ]
        )
        csv_button("This table", lambda: table, "stress_dry")


def _what_goes(found: ReverseStress, until: str) -> str:
    """'uses up the $15,006 of Bybit': of several accounts the one that goes, and its own money."""
    held = found.stressed.held
    mine = next((h for h in held if h.name == found.account), None)
    if len(held) == 1 or mine is None:
        return "liquidates the account" if until == "liquidated" else f"uses up {money(found.stressed.equity_before)}"
    name = plain(found.account)
    return f"liquidates {name}" if until == "liquidated" else f"uses up the {money(mine.equity_before)} of {name}"


def reverse(held: StressBook) -> None:
    """The smallest plausible move that liquidates the account, and the one that uses it up."""
    words = {"liquidated": "Until it is liquidated", "exhausted": "Until nothing is left"}
    until = st.segmented_control(
        "How far", list(words), default="exhausted", required=True, format_func=words.__getitem__,
        key="reverse_until", bind="query-params", persist_state="session",
    )  # fmt: skip
    try:
        found = _reverse(held, until)
    except NoSuchMove as none:
        st.success(plain(true_minus(sentence(none))), icon=":material/verified_user:")
        return
    st.markdown(f"**The nearest move that {dollars(_what_goes(found, until))} is {plausible(found)}.**")
    prices = {a: m for a, m in found.moves.items() if m}
    said = ", ".join(f"{a} {moved(m)}" for a, m in prices.items())
    chart(charts_stress.moves(prices), "stress_reverse", f"Moves of the reverse stress test: {said}.")
    proof = "" if found.exact else f"{found.tried:,} nearer moves in all directions were tried, and none does it. "
    st.caption(
        f"Nearest by Mahalanobis distance in the joint distribution of the last daily returns. {proof}"
        f"The worst day in this price history was {found.worst_seen:.1f} standard deviations for this account: tails "
        "are fatter than normal."
    )
    table = pd.DataFrame({"asset": list(prices), "move": list(prices.values())})
    csv_button("These moves", lambda: table, "reverse_stress")
