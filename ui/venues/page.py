"""The Venues page: the visitor's book under each venue's own rules, in every mode, and why some cannot hold it."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from data.exchange import tiers
from data.fetch.live_tiers import fetch_all_tiers
from data.universe import is_offline
from margin import venues
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from margin.core.words import by_reason
from margin.venues import Marks
from margin.venues.families.perpetuals import FIRST_LEVERAGE, PerpetualVenue, as_perpetuals
from margin.venues.survey import Asked, Refused, Survey, recent_gain, survey
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, share, times
from ui.blocks.tables import Format, data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused
from ui.charts import venues as charts_venues
from ui.shell.page import Seen
from ui.state import book
from ui.state.compute import Answer
from ui.venues import detail as venues_detail
from ui.venues import safety
from ui.venues import split as venues_split

OWN_LEVERAGE = "its own"
LEVERAGES: dict[str, float | None] = {
    OWN_LEVERAGE: None, **{f"{x}×": float(x) for x in (1, 2, 3, 5, 10, 20, 25, 50, 100)}
}  # fmt: skip
ON_PERPETUALS = "Hold my spot positions as perpetuals of the same coin"


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    portfolio = _at_leverage(_as_asked(now))
    try:
        marks = Marks.of_market(active.market, portfolio, seen.settings.as_of)
    except InputError as error:
        refused(error)
        return
    rulebooks = [venues.rulebook(name) for name in venues.names()]
    chosen = {r.name: venues_detail.settings(r) for r in rulebooks}
    tiers_of = tuple(r.live_source for r in rulebooks if isinstance(r, PerpetualVenue))
    key = ("venues", portfolio, marks.as_of, str(chosen), tiers_of)
    found = active.market.remember(
        key, lambda: survey(portfolio, marks, chosen, rulebooks, recent_gain(portfolio, active.market, marks))
    )
    needed = safety.capital(found, chosen, portfolio, active.market, seen.settings)
    asked = [a for a in found.asked if a.rulebook.purpose != "comparison" and not a.left_out]
    if not asked:
        st.header("No venue reproduced here can hold this book.", anchor=False)
    else:
        safety.answer(asked, needed)
        _answer(now, asked)
    _table(found, needed)
    panel = st.expander(
        "Split this book over venues", icon=":material/call_split:", key="venues_split", on_change="rerun"
    )
    if panel.open:
        with panel:
            mine = book.current().portfolio.positions
            whole = [(p.symbol, p.quantity) for p in portfolio.positions] == [(p.symbol, p.quantity) for p in mine]
            venues_split.split_view(found, portfolio, marks, chosen, whole)
    _live_tiers(portfolio)
    if found.asked:
        venues_detail.draw(found, portfolio, marks, active.market)


def _as_asked(now: Answer) -> Portfolio:
    """The book, with spot positions as perpetuals where the visitor wishes it: most venues here hold no spot."""
    spot = [p for p in now.portfolio.positions if p.instrument.kind == "spot"]
    if not spot or not st.toggle(ON_PERPETUALS, key="venues_perpetuals", bind="query-params", persist_state="session"):
        return now.portfolio
    return as_perpetuals(now.portfolio)


def _at_leverage(portfolio: Portfolio) -> Portfolio:
    """Every perpetual and future opened at one leverage where the visitor wishes it; a venue's own limit stays."""
    said = st.select_slider(
        "Leverage of every position", list(LEVERAGES), OWN_LEVERAGE, key="venues_leverage",
        bind="query-params", persist_state="session", width=360,
        help="The same leverage at every venue, or the highest that it allows. Its own: what each position names, "
        f"else {FIRST_LEVERAGE:g} times.",
    )  # fmt: skip
    leverage = LEVERAGES[said]
    if leverage is None:
        return portfolio
    accounts = [
        replace(
            account,
            positions=tuple(
                replace(p, leverage=leverage) if p.instrument.kind in ("perpetual", "future") else p
                for p in account.positions
            ),
        )
        for account in portfolio.accounts
    ]
    return Portfolio(accounts=accounts, name=portfolio.name)


def _answer(now: Answer, asked: list[Asked]) -> None:
    """One sentence, the chart of each venue's cheapest mode, and how that compares with the engine's own methods."""
    assert now.comparison is not None
    ordered = sorted(asked, key=lambda a: (a.margin.initial, -venues_detail.room(a)))
    best = list({a.rulebook.name: a for a in reversed(ordered)}.values())
    best.sort(key=lambda a: a.margin.initial)
    least, most = best[0].margin, best[-1].margin
    words = f"{plain(least.venue)} ({least.mode}) asks least to open this book: {money(least.initial)}"
    if len(best) > 1:
        words += f"; {plain(most.venue)} asks at least {money(most.initial)}"
    st.markdown(
        dollars(
            f"{words}. Margin Lab's own portfolio margin for the same book is {money(now.comparison.portfolio)}, its "
            f"isolated margin {money(now.comparison.isolated)}. A low requirement is not a safe one."
        )
    )
    said = "; ".join(f"{a.margin.venue} {a.margin.mode}: {money(a.margin.initial)}" for a in best)
    chart(
        charts_venues.asked([a.margin for a in best]),
        "venues_chart",
        f"Initial and maintenance margin of each venue in the mode that asks least. {said}.",
    )
    st.caption(
        f"Each venue in the mode that asks least. A position without a leverage of its own is opened at "
        f"{FIRST_LEVERAGE:g} times, or the most its venue allows. Figures use the rules of the date in the table, not "
        f"today's, where a venue does not publish them freely."
    )


MEANING = {
    safety.COLUMN: "Equity at which a liquidation within 7 days has odds of 5%: the fair comparison",
    "Initial": "Asked to open the book, USD",
    "Maintenance": "Asked to keep it, USD",
    "Nearest liquidation": "The smallest move of one price that liquidates",
    "Health": "Equity / maintenance margin; liquidated below 1",
    "30-day return on margin": "What the book as it stands gained over the last 30 days, of the initial margin",
    "Rules of": "The date of the rules, or the day they were read where they have none",
}
DOLLARS = (safety.COLUMN, "Initial", "Maintenance", "Collateral counts", "Free to open more")


def _table(found: Survey, needed: safety.Needed) -> None:
    """Least capital for the same safety first, then by what is asked; who holds only a part of the book comes after."""
    order = sorted(
        found.asked, key=lambda a: (bool(a.left_out), safety.of(needed, a) or float("inf"), a.margin.initial)
    )
    rows = [_row(a, safety.of(needed, a)) for a in order]
    table = pd.DataFrame([*rows, *map(_no_row, found.refused)])
    if not any(safety.of(needed, a) for a in order):
        table = table.drop(columns=safety.COLUMN, errors="ignore")
    written: dict[str, Format] = dict.fromkeys(DOLLARS, money)
    written |= {"Health": times, "30-day return on margin": share}
    data_table(
        table, key="venues_table", alt="Every venue and mode", formats=written,
        column_config={name: st.column_config.Column(help=what) for name, what in MEANING.items()},
    )  # fmt: skip
    csv_button("This table", lambda: table, "venues")


def _row(a: Asked, capital: float | None) -> dict[str, object]:
    m = a.margin
    kind = {"venue": "", "lending": " (lending)", "comparison": " (comparison)"}[a.rulebook.purpose]
    return {
        "Venue": m.venue + kind,
        "Mode": m.mode,
        safety.COLUMN: capital,
        "Initial": m.initial,
        "Maintenance": m.maintenance,
        "Nearest liquidation": venues_detail.nearest(a),
        "Collateral counts": m.collateral_value,
        "Free to open more": m.free,
        "Health": m.health,
        "30-day return on margin": a.return_on_margin,
        "Rules of": a.rulebook.dated(m).removeprefix("undated, "),
        "Status": a.rulebook.status or "",
        "Cannot hold": "; ".join(by_reason((u.symbol, u.reason) for u in a.left_out)),
    }


def _no_row(r: Refused) -> dict[str, object]:
    about = {"Rules of": r.rulebook.as_of, "Status": r.rulebook.status or "", "Cannot hold": "; ".join(r.reasons)}
    return {"Venue": r.rulebook.title, "Mode": r.mode or "any", **about}


def _live_tiers(portfolio: Portfolio) -> None:
    """Fetch what venues publish without a key; kept on this machine with its date."""
    names = [venues.rulebook(name).title for name in tiers.PUBLISHERS]
    kept = [t for t in map(tiers.load_tiers, tiers.PUBLISHERS) if t is not None]
    if kept:
        said = ", ".join(f"{venues.rulebook(t.venue).title} of {t.date} ({', '.join(sorted(t.rows))})" for t in kept)
        st.caption(f"Live tiers in use: {plain(said)}.")
    if is_offline():
        st.caption("Working offline: tiers are those carried with Margin Lab, or fetched earlier.")
        return
    if st.button(f"Fetch today's tiers of {', '.join(names)}", key="venues_fetch", icon=":material/refresh:"):
        _fetch([a for a in portfolio.assets if a])
        st.rerun()
    for problem in st.session_state.pop("venues_problems", []):
        st.warning(plain(problem), icon=":material/warning:")


def _fetch(wanted: list[str]) -> None:
    """Ask every venue side by side, at most ten seconds; each one's tiers are kept as they come, also after a stop."""
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Asking the venues …")
        st.button("Stop", key="venues_stop", icon=":material/stop_circle:")  # any click ends the run at the next bar
    problems = []

    def keep(found: tiers.LiveTiers) -> None:
        try:
            tiers.save_tiers(found)
        except OSError as error:
            problems.append(f"{venues.rulebook(found.venue).title}: {error}")

    def show(share: float) -> None:
        bar.progress(share, "Asking the venues …")

    answers = fetch_all_tiers(tiers.PUBLISHERS, wanted, arrived=keep, progress=show)
    problems += [f"{venues.rulebook(name).title}: {reason}" for name, reason in answers.failures.items()]
    place.empty()
    st.session_state["venues_problems"] = problems
