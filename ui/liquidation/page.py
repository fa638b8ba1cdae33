"""The Liquidation page: where this book would be closed, what happens next, and what a market of such accounts does."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.liquidation.account import Frictions, Liquidation, rules_of, simulate, venues
from margin.liquidation.moves import FatalMove, fatal_moves, path_of, simulated_path
from margin.models.base import ClosingRules
from margin.sample.events import load_events
from margin.stress.shocks import StressBook, stress_book
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.charts import liquidation as charts_liquidation
from ui.liquidation import market as liquidation_market
from ui.shell.page import Seen
from ui.state import book, compute
from ui.state.compute import Answer
from ui.state.prices import ActivePrices

_book = compute.remembered(stress_book, 64)
_fatal = compute.remembered(fatal_moves, 256)
SHOCK_PATH = "A shock, then normal days"


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    share = st.slider(
        "Liquidated below, % of the requirement", 10, 100, 50, 5, key="liquidation_share", persist_state="session",
        help="Maintenance margin as a share of what each isolated account, or the pool, requires.",
    )  # fmt: skip
    try:
        held = _book(now.portfolio, active.market, seen.settings, share / 100.0)
    except InputError as error:
        refused(error)
        return
    rows = _room(held)
    _answer(held, rows)
    views: dict[str, Callable[[], None]] = {
        "Where": lambda: where(held, rows),
        "What happens next": lambda: what_next(now, active, share / 100.0),
        "A whole market": liquidation_market.market,
        "Loss allocation": liquidation_market.loss_allocation,
    }
    tabbed(views, "liquidation_view")


def _room(held: StressBook) -> list[tuple[str, FatalMove]]:
    """Pool first, then each isolated account: the moves of its own underlying and of all together."""
    rows = [("the pool", move) for move in _fatal(held)]
    for i, symbol in enumerate(held.symbols):
        own = held.comparison.book.exposures[i].instrument.base
        rows += [(symbol, move) for move in _fatal(held, i) if move.name == own]
    return rows


def _answer(held: StressBook, rows: list[tuple[str, FatalMove]]) -> None:
    """'A fall of 23% in all together liquidates ...; the pool lasts to ...'"""
    together = next(move for account, move in rows if account == "the pool" and move.name == "all together")
    alone = [(account, move) for account, move in rows if account != "the pool"]
    first = min(
        ((account, move, side) for account, move in alone for side in (move.fall, move.rise) if side is not None),
        key=lambda found: abs(found[2]),
        default=None,
    )
    if first is None:
        first_words = "No position is liquidated alone by any move of its own price"
    else:
        account, move, side = first
        word = "fall" if side < 0 else "rise"
        size = percent(100 * abs(side), 1)
        first_words = f"A {word} of {size} in {plain(move.name)} liquidates {plain(account)} in its isolated account"
    lasts = "no move of all prices together liquidates the pool"
    ends = [m for m in (together.fall, together.rise) if m is not None]
    if ends:
        nearest = min(ends, key=abs)
        word = "fall" if nearest < 0 else "rise"
        lasts = f"the pool lasts to a {word} of {percent(100 * abs(nearest), 1)} in all prices together"
    st.subheader(f"{first_words}; {lasts}.", anchor=False)
    if held.assumed_money:
        st.caption("The book posts no collateral: the money behind it is assumed to be exactly its isolated margin.")


def where(held: StressBook, rows: list[tuple[str, FatalMove]]) -> None:
    words = "; ".join(f"{account}, {move.name}: {_words(move)}" for account, move in rows)
    chart(charts_liquidation.room(rows), "liquidation_room", f"Moves that liquidate. {words}.")
    st.caption(
        "The move of one price, or of all together, at which liquidation starts. Pale: no move within ±100% does."
    )
    table = pd.DataFrame(
        [
            {
                "Account": account,
                "Price of": move.name,
                "Fall": "never" if move.fall is None else f"{100 * move.fall:.2f}%",
                "Liquidated below": "–" if move.price_below is None else money(move.price_below, cents=True),
                "Rise": "never" if move.rise is None else f"{100 * move.rise:.2f}%",
                "Liquidated above": "–" if move.price_above is None else money(move.price_above, cents=True),
            }
            for account, move in rows
        ]
    )
    st.dataframe(table, hide_index=True, key="liquidation_prices", alt="Liquidation prices")
    csv_button("This table", lambda: table, "liquidation_prices")


def _words(move: FatalMove) -> str:
    low = "no fall" if move.fall is None else f"a fall of {100 * abs(move.fall):.1f}%"
    high = "no rise" if move.rise is None else f"a rise of {100 * move.rise:.1f}%"
    return f"{low}, {high}"


def what_next(now: Answer, active: ActivePrices, share: float) -> None:
    """The account along a path: both modes, the log, and where the money went."""
    kept = tuple(p for p in now.portfolio.positions if not p.instrument.is_option)
    if not any(not p.owned for p in kept):
        st.info("The book holds options and owned coins only; they are not liquidated step by step here.")
        return
    if len(kept) < len(now.portfolio.positions):
        st.caption("Options are left out here: they are not liquidated step by step.")
    linear = Portfolio(kept, now.portfolio.collateral, now.portfolio.name)
    held = _book(linear, active.market, book.current().settings, share)
    first, second, third = st.columns(3)
    inside = [e for e in load_events() if active.first_day < e.start <= active.last_day]
    names = [f"{e.name} ({e.start})" for e in inside]
    with first:
        label = st.selectbox("Path", [SHOCK_PATH, *names], key="liquidation_path", persist_state="session")
        days = st.slider("Days", 2, 90, 30, key="liquidation_days", persist_state="session")
    with second:
        options = [r.name for r in venues()]
        venue = st.selectbox("Closed as", options, key="liquidation_venue", persist_state="session")
        fund = st.select_slider(
            "Insurance fund", (0.0, 1e3, 1e4, 1e5, 1e6, 1e7), 1e6, format_func=lambda v: f"${v:,.0f}",
            key="liquidation_fund", persist_state="session",
        )  # fmt: skip
    with third:
        if label == SHOCK_PATH:
            move = st.slider(
                "All prices move at once by, %", -95, 100, -40, key="liquidation_shock", persist_state="session"
            )
            seed = st.number_input("Path number", 1, 9999, 1, key="liquidation_seed", persist_state="session")
            path = simulated_path(held, int(days), (move / 100.0,), int(seed))
            labels = [f"day {i}" for i in range(len(path))]
        else:
            start = inside[names.index(label)].start
            path, labels = _recorded(held, active, start.isoformat(), int(days))
    rules = rules_of(venue)
    volumes = {a: active.market.median_volume(a, held.comparison.as_of) or 0.0 for a in held.comparison.book.assets}
    silent = [a for a, volume in volumes.items() if not volume]
    if silent:
        st.caption(f"No traded volume is known for {plain(', '.join(silent))}: closing it is charged no impact.")
    runs = [simulate(held, path, rules, mode, Frictions(volumes, 1.0, float(fund))) for mode in ("cross", "isolated")]
    _outcome(runs, labels, rules)


def _recorded(held: StressBook, active: ActivePrices, start: str, days: int) -> tuple[np.ndarray, list[str]]:
    dates, closes = active.market.aligned(held.comparison.book.assets)
    first = int(np.searchsorted(dates, np.datetime64(start)))
    stretch = slice(max(first - 1, 0), min(first + days, len(dates)))
    return path_of(closes[stretch]), [str(d)[:10] for d in dates[stretch]]


def _outcome(runs: list[Liquidation], labels: list[str], rules: ClosingRules) -> None:
    cross, isolated = runs
    said = [
        f"{'The pool' if run.mode == 'cross' else 'The isolated accounts'} {'are' if run.mode == 'isolated' else 'is'} "
        f"{'liquidated' if run.liquidated else 'never liquidated'} and "
        f"{'end' if run.mode == 'isolated' else 'ends'} with **{money(run.final)}**"
        for run in runs
    ]
    st.markdown(dollars(". ".join(said) + "."))
    words = f"The pool ends with {money(cross.final)}, the isolated accounts with {money(isolated.final)}."
    chart(charts_liquidation.along(runs, labels), "liquidation_along", f"Equity along the path. {words}")
    left, right = st.columns(2)
    with left:
        st.markdown("**Where the pool's money went**")
        ledger = cross.ledgers[0]
        chart(
            charts_liquidation.waterfall(ledger),
            "liquidation_money",
            f"Money of the pool: ends with {money(ledger.final)}.",
        )
    with right:
        st.markdown("**What happened**")
        rows = [
            {"When": labels[line.step], "Mode": run.mode, "Account": line.account, "What": f"{line.kind}: {line.words}"}
            for run in runs
            for line in run.log
        ]
        if rows:
            st.dataframe(pd.DataFrame(rows), hide_index=True, key="liquidation_log", alt="What happened, step by step")
            csv_button("This log", lambda: pd.DataFrame(rows), "liquidation_log")
        else:
            st.markdown("Nothing: no call, no liquidation.")
    st.caption(f"{plain(rules.name)}: {plain(rules.note)} Source: {plain(rules.source)}; read 2026-11-23.")
