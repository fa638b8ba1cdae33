"""The Stress page: what breaks the book? Recorded events, own shocks, dry markets, the smallest fatal move."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.core.instruments import USD_STABLECOINS
from margin.sample.events import load_events
from margin.stress.reverse import plausible, reverse_stress
from margin.stress.shocks import (
    NamedMove,
    StressBook,
    Stressed,
    counted_collateral,
    depeg,
    dried_up,
    everything,
    replay_events,
    replay_path,
    shock,
    shock_grid,
    stress_book,
)
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent, signed_money
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.charts import stress as charts_stress
from ui.correlations import own_book as correlations_margin
from ui.shell.page import Seen
from ui.state import book, compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

SPOT = (-0.6, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
VOL = (-0.5, -0.25, 0.0, 0.5, 1.0)
_book = compute.remembered(stress_book, 64)
_dry = compute.remembered(dried_up, 16)


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    share = st.slider(
        "Liquidated below, % of the requirement", 10, 100, 50, 5, key="stress_maintenance", persist_state="session",
        help="Of the margin each isolated account, or the pool, needs. Venues close positions below it.",
    )  # fmt: skip
    try:
        held = _book(now.portfolio, active.market, seen.settings, share / 100.0)
        found = replay_events(held, recorded())
    except InputError as error:
        refused(error)
        return
    _answer(held, found)
    views: dict[str, Callable[[], None]] = {
        "Named events": lambda: events(held, found),
        "Day by day": lambda: day_by_day(held, active),
        "Your own shock": lambda: own_shock(held),
        "Spot and volatility": lambda: grid(held),
        "Depeg and dry markets": lambda: thin(now, held, active),
        "Correlations break": lambda: correlations_margin.breaks(now, active),
        "What exhausts it": lambda: reverse(held),
    }
    tabbed(views, "stress_view")


def recorded() -> list[NamedMove]:
    """The events the project carries, in the engine's form."""
    return [
        NamedMove(
            e.name,
            e.start.isoformat(),
            e.end.isoformat(),
            {asset: move.close_to_close for asset, move in e.moves.items()},
            {asset: move.worst_low for asset, move in e.moves.items() if move.worst_low is not None},
        )
        for e in load_events()
    ]


def _answer(held: StressBook, found: list[Stressed]) -> None:
    """The worst event in one sentence, and the two kinds of liquidation."""
    if not found:
        st.subheader("No recorded event moves an asset of this book: try a shock of your own.", anchor=False)
        return
    worst = min(found, key=lambda s: s.pnl + s.collateral_change)
    lost = -(worst.pnl + worst.collateral_change)
    state = "liquidated" if worst.cross_liquidated else "survives"
    what = f"it would lose {money(lost)}" if lost > 0 else "it would lose nothing"
    st.subheader(
        dollars(f"Worst recorded event: {plain(worst.name)}; {what} of {money(held.money)}, and the pool {state}."),
        anchor=False,
    )
    isolated = sum(1 for s in found if s.only_alone)
    drags = sum(1 for s in found if s.dragged_down)
    st.markdown(
        f"In {isolated} of {len(found)} events a position is liquidated in its isolated account while the pool "
        "survives; in "
        f"{drags} the pool goes down and takes positions with it that would have survived alone."
    )
    if held.assumed_money:
        st.caption("The book posts no collateral: the money behind it is assumed to be exactly its isolated margin.")


def events(held: StressBook, found: list[Stressed]) -> None:
    """A heatmap of events by position; the table has equity, health and who is liquidated."""
    low = st.toggle(
        "To each asset's low within the event, not to its last close", key="stress_low", persist_state="session",
        help="Every asset at its own low at once: harsh on longs, kind to shorts. Lows are as recorded, single prints "
        "on one exchange included (USDC at −80% in December 2021).",
    )  # fmt: skip
    shown = replay_events(held, recorded(), True) if low else found
    words = "; ".join(f"{s.name} {signed_money(s.pnl + s.collateral_change)}" for s in shown)
    chart(charts_stress.events(shown, held.symbols), "stress_events", f"Profit and loss by event. {words}.")
    st.caption(
        "✕ the pool is liquidated   ! only isolated accounts are. Recorded moves; today's book, bought at the "
        "close before."
    )
    table = stressed_table(held, shown)
    st.dataframe(table, hide_index=True, key="stress_events_table", alt="Each event in figures", column_config=MONEY)
    csv_button("This table", lambda: table, "stress_events")
    missing = {a for s in shown for a in s.missing}
    if missing:
        st.caption(
            f"Without a recorded move in some events, and left unmoved there: {plain(', '.join(sorted(missing)))}."
        )


MONEY = {
    name: st.column_config.NumberColumn(format="dollar") for name in ("Profit or loss", "Collateral", "Equity after")
}


def stressed_table(held: StressBook, found: list[Stressed]) -> pd.DataFrame:
    rows = []
    for s in found:
        alone = [sym for sym, dead in zip(held.symbols, s.liquidated_alone, strict=True) if dead]
        rows.append(
            {
                "Event": s.name,
                "Profit or loss": s.pnl,
                "Collateral": s.collateral_change,
                "Equity after": s.equity,
                "Health": "–" if s.health is None else f"{s.health:.2f}",
                "Pool": "liquidated" if s.cross_liquidated else "survives",
                "Liquidated alone": ", ".join(alone) or "none",
                "Taken down by the pool": s.dragged_down,
                "Not recorded": ", ".join(s.missing),
            }
        )
    return pd.DataFrame(rows)


def day_by_day(held: StressBook, active: ActivePrices) -> None:
    """Today's book along a stretch of the prices in use."""
    inside = [e for e in load_events() if active.first_day < e.start <= active.last_day]
    left, right = st.columns([3, 1])
    with left:
        if inside:
            names = [f"{e.name} ({e.start})" for e in inside]
            picked = st.selectbox(
                "From the close before", names, len(names) - 1, key="stress_event", persist_state="session"
            )
            start = inside[names.index(picked)].start
        else:
            start = st.date_input("From the close before", active.last_day, active.first_day, active.last_day)
    with right:
        days = st.slider("Days", 5, 180, 30, 5, key="stress_days", persist_state="session")
    found = replay_path(held, active.market, start, days)
    health = found.health
    lowest = "" if health is None else f" At worst its health is {health.min():.2f}."
    died = (
        "is never liquidated"
        if found.closed_cross is None
        else f"is liquidated on {str(found.dates[found.closed_cross])[:10]}"
    )
    alone = [
        f"{plain(sym)} on {str(found.dates[at])[:10]}"
        for sym, at in zip(held.symbols, found.closed_alone, strict=True)
        if at is not None
    ]
    st.markdown(
        f"The pool **{died}**.{lowest} Alone: {', '.join(alone) if alone else 'no position'} "
        f"{'would be' if alone else 'is'} liquidated."
    )
    alt = f"Health of the pool and of each isolated account over {len(found.dates)} days from {start}. The pool {died}."
    chart(charts_stress.path(found, held.symbols, held.maintenance), "stress_path", alt)
    origin = "the bundled sample, partly simulated" if active.origin == "sample" else "the prices in use"
    st.caption(
        f"Closes of {origin}. Each line is equity over what it requires; dashed: liquidation. Nothing is topped up."
    )
    table = pd.DataFrame({"date": pd.DatetimeIndex(found.dates).strftime("%Y-%m-%d"), "pool_equity": found.cross})
    for i, symbol in enumerate(held.symbols):
        table[f"isolated {symbol}"] = found.silos[:, i]
    csv_button("Every day", lambda: table, "stress_path")


def own_shock(held: StressBook) -> None:
    """Sliders for every asset of the book and its collateral, and for volatility."""
    c = held.comparison
    names = [a for a in dict.fromkeys([*c.book.assets, *counted_collateral(c)]) if a != "USD"]
    together = st.slider("Everything but stablecoins, %", -100, 100, -20, 1, key="shock_all", persist_state="session")
    moves = everything(held, together / 100.0)
    with st.expander("Each asset by itself, besides", key="shock_each"), st.grid(3, min_column_width=200):
        for asset in names:
            more = st.slider(f"{plain(asset)}, %", -100, 100, 0, 1, key=f"shock_{asset}", persist_state="session")
            moves[asset] = max((1.0 + moves.get(asset, 0.0)) * (1.0 + more / 100.0) - 1.0, -1.0)
    vol = 0
    if c.book.has_options:
        vol = st.slider("Implied volatility, %", -90, 300, 0, 5, key="shock_vol", persist_state="session")
    found = shock(held, moves, vol / 100.0, "Your shock")
    _figures(held, found)
    table = pd.DataFrame(
        {"position": held.symbols, "profit_usd": found.by_position, "isolated_equity_usd": found.silos}
    )
    amounts = [-p for p in found.by_position]
    chart(
        charts_stress.losses(list(held.symbols), amounts),
        "shock_chart",
        "Loss by position: " + ", ".join(f"{s} {money(a)}" for s, a in zip(held.symbols, amounts, strict=True)),
    )
    st.caption("Loss by position; below zero it gains.")
    csv_button("This shock", lambda: table, "stress_shock")


def _figures(held: StressBook, found: Stressed) -> None:
    with st.grid(4, min_column_width=150):
        st.metric("Profit or loss", money(found.pnl + found.collateral_change), border=True)
        st.metric("Equity after", money(found.equity), f"of {money(held.money)}", "off", delta_arrow="off", border=True)
        st.metric("Health after", "–" if found.health is None else f"{found.health:.2f}×", border=True)
        st.metric("Pool", "liquidated" if found.cross_liquidated else "survives", border=True)
    alone = [plain(s) for s, dead in zip(held.symbols, found.liquidated_alone, strict=True) if dead]
    st.markdown(f"Liquidated in isolated accounts: {', '.join(alone) if alone else 'none'}.")


def grid(held: StressBook) -> None:
    """All prices together against volatility."""
    vols = VOL if held.comparison.book.has_options else (0.0,)
    found = shock_grid(held, SPOT, vols)
    worst = found.pnl.min()
    chart(
        charts_stress.grid(found), "stress_grid", f"Profit and loss on a grid; the worst cell is {money(float(worst))}."
    )
    note = "" if len(vols) > 1 else " The book holds no options, so volatility changes nothing."
    st.caption(f"Every price but stablecoins' moves alike; ✕ equity below zero.{note}")
    table = pd.DataFrame(found.pnl, [f"{s:+.0%}" for s in SPOT], [f"vol {v:+.0%}" for v in vols])
    csv_button("This grid", lambda: table.rename_axis("spot").reset_index(), "stress_grid")


def thin(now: Answer, held: StressBook, active: ActivePrices) -> None:
    """Stablecoins below par, and markets that trade a fraction of what they did."""
    left, right = st.columns(2)
    with left:
        st.markdown("**Stablecoins fall**")
        fall = st.slider(
            "By, %", 0, 100, 13, 1, key="stress_depeg", persist_state="session", help="USDC fell to 0.87 in March 2023."
        )
        found = depeg(held, fall / 100.0)
        stables = [a for a in found.moves if a in USD_STABLECOINS]
        if not stables:
            st.info("The book and its collateral hold no stablecoin.")
        else:
            state = "liquidated" if found.cross_liquidated else "survives"
            st.markdown(
                dollars(
                    f"{plain(', '.join(stables))} at {percent(100 - fall)} of par: equity {money(held.money)} → "
                    f"**{money(found.equity)}**; the pool {state}."
                )
            )
    with right:
        st.markdown("**Markets dry up**")
        factors = (1.0, 2.0, 5.0, 10.0, 20.0)
        dried = _dry(now.portfolio, active.market, book.current().settings, factors)
        costs = [d.closing_cost for d in dried]
        if any(cost is None for cost in costs):
            st.info("The cost of closing is not computed: no traded volume for these assets, or its safeguard is off.")
        else:
            names = ["as now", *(f"1/{f:g} of the volume" for f in factors[1:])]
            amounts = [float(cost or 0.0) for cost in costs]
            words = ", ".join(f"{n} {money(a)}" for n, a in zip(names, amounts, strict=True))
            chart(charts_stress.losses(names, amounts), "stress_dry", f"Cost of closing the book: {words}.")
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


def reverse(held: StressBook) -> None:
    """The smallest plausible move that uses up the account."""
    found = reverse_stress(held)
    st.markdown(f"**The nearest move that uses up {dollars(money(held.money))} is {plausible(found)}.**")
    words = ", ".join(f"{a} {100 * m:+.0f}%" for a, m in found.moves.items())
    chart(charts_stress.moves(found.moves), "stress_reverse", f"Moves that exhaust the account: {words}.")
    st.caption(
        "Nearest by Mahalanobis distance in the joint distribution of the last daily returns. The worst day in this "
        f"price history was {found.worst_seen:.1f} standard deviations for this book: tails are fatter than normal."
    )
    table = pd.DataFrame({"asset": list(found.moves), "move": list(found.moves.values())})
    csv_button("These moves", lambda: table, "reverse_stress")
