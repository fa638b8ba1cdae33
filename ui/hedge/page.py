"""The Hedge page: does a hedge count here, what do cutting, hedging and both cost, and the orders to copy."""

from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.core.words import by_reason
from margin.forecast.results import printed
from margin.hedge.accounts import Judged
from margin.hedge.answer import DEAD, Hedge, Standing, Way
from margin.hedge.frontier import Frontier
from margin.hedge.odds_frontier import OddsFrontier
from margin.hedge.tickets import Ticket, stale, tickets
from ui.blocks.copy_button import copy_button
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, times
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.charts import hedge as charts_hedge
from ui.hedge import asked as asked_for
from ui.hedge import rules
from ui.hedge.asked import Asked
from ui.shell.judge import title_of
from ui.shell.page import Seen

COLUMNS = ("cut", "hedge", "mix")


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    market, portfolio, model = seen.active.market, seen.now.portfolio, seen.model
    accounts = asked_for.accounts(portfolio, market, seen.settings, model)
    if not accounts:
        st.info("Nothing here is margined: owned coins and dollars need no margin.", icon=":material/info:")
        return
    asked = asked_for.controls(accounts, market)
    try:
        chosen, found = asked_for.answer(portfolio, market, seen.settings, model, asked)
    except InputError as error:
        refused(error)
        if error.field == "odds":  # met already, or none known: money and rules can still be asked
            tabbed({"Money instead": lambda: money_instead(seen, asked),
                    "Would the rule have worked": lambda: rules.check(seen, asked)}, "hedge_view")  # fmt: skip
        elif error.value == "only balances":  # at a lender: what the sentence points to
            tabbed({"Money instead": lambda: money_instead(seen, asked)}, "hedge_view")
        return
    headline(found, seen.model)
    columns(found)
    views: dict[str, Callable[[], None]] = {
        "What each dollar buys": lambda: bought(seen, found, asked),
        "Orders to copy": lambda: orders(found, chosen),
        "Money instead": lambda: money_instead(seen, asked),
        "Would the rule have worked": lambda: rules.check(seen, asked),
        "What it costs": lambda: bill(found, asked),
    }
    tabbed(views, "hedge_view")
    notes = [note for note in found.notes if note != DEAD]
    for note in [*notes, *(f"Without {said}." for said in by_reason(found.menu.left_out))]:
        st.caption(dollars(plain(note)))


def headline(found: Hedge, model: str | None = None) -> None:
    """The answer in one sentence, and first of all whether a hedge counts here. model: the key chosen, if any.

    Where a stricter method than the account's own judges the hedge, its health is left out: the account's stands above.
    """
    if DEAD in found.notes:
        st.error(DEAD, icon=":material/error:")
    if found.credit.frees is False:
        st.warning(dollars(plain(found.credit.why)), icon=":material/block:")
    st.header(dollars(plain(found.headline)), anchor=False)
    if found.credit.frees is not False:
        st.caption(dollars(plain(found.credit.why)))
    standing = "" if found.before.odds is None else f", {printed(found.before.odds)} odds of liquidation"
    stricter = model is None and found.model.key == "safeguarded"
    health = "" if found.before.health is None or stricter else f", health {times(found.before.health)}"
    who = plain(f"{_capital(found.sub.name)}, judged by {title_of(found.model.key, found.model.title)}")
    margin = f"{found.figure} margin {money(found.before.margin)} now"
    st.markdown(dollars(f"{who}: {margin}{health}{standing} within {found.days:g} days."))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def columns(found: Hedge) -> None:
    """Cut, hedge and both, side by side."""
    with st.grid(len(COLUMNS), min_column_width=260, key="hedge_ways"):
        for key in COLUMNS:
            way = found.way(key)
            with st.container(border=True, height="stretch", key=f"hedge_way_{key}"):
                _column(found, way)


def _column(found: Hedge, way: Way) -> None:
    best = found.best
    mark = " :material/check_circle: cheapest" if best is not None and best.key == way.key else ""
    st.markdown(f"**{way.title}**{mark}")
    if way.after is None:
        st.caption(dollars(plain(way.why)))
        return
    bought = _freed(found, way) if found.odds is None else _less_likely(found, way)
    st.metric("Cost", money(way.cost, cents=True), bought, delta_color="off", delta_arrow="off")
    for trade in way.trades[:4]:
        st.markdown(dollars(f"{plain(_capital(trade.words))} for {money(trade.usd)}"))
    if len(way.trades) > 4:
        st.markdown(f"and {len(way.trades) - 4} more orders")
    if way.key == "mix" and all(t.cut for t in way.trades):
        st.caption("A hedge would not make it cheaper: the same as cutting.")
    st.markdown(dollars("  \n".join(f"{name}: {value}" for name, value in _lines(found.before, way))))


def _freed(found: Hedge, way: Way) -> str:
    assert way.after is not None
    freed = found.before.margin - way.after.margin
    per = f", {money(freed / way.cost)} per dollar" if way.cost > 0 else ""
    return f"frees {money(freed)}{per}"


def _less_likely(found: Hedge, way: Way) -> str:
    assert way.after is not None
    if found.before.odds is None or way.after.odds is None:
        return ""
    points = 100 * (found.before.odds - way.after.odds)
    per = f", {points / way.cost:,.2f} per dollar" if way.cost > 0 else ""
    return f"{points:.1f} points of odds less{per}"


def _lines(before: Standing, way: Way) -> list[tuple[str, str]]:
    after = way.after
    assert after is not None
    out = [("Margin", f"{money(before.margin)} → {money(after.margin)}")]
    if after.odds is not None and before.odds is not None:
        out.append(("Odds of liquidation", f"{printed(before.odds)} → {printed(after.odds)}"))
    out.append(("Gross", f"{money(before.gross)} → {money(after.gross)}"))
    if way.held is not None:
        out.append(("Other days' loss / margin", f"{way.held.before:.2f} → {way.held.ratio:.2f}"))
    return out


def bought(seen: Seen, found: Hedge, asked: Asked) -> None:
    """What each dollar buys of what is aimed at: margin, or odds."""
    inputs = seen.now.portfolio, seen.active.market, seen.settings, seen.model, asked
    curve = None if asked.odds is None else asked_for.odds_curve(*inputs)
    if curve is None:
        frontier(found, asked_for.curve(*inputs))
    else:
        odds_frontier(found, curve)


def odds_frontier(found: Hedge, curve: OddsFrontier) -> None:
    """Cost against odds, and where the ways stand."""
    assert found.odds is not None
    ways = {w.title: (w.cost, w.after.odds) for w in found.ways if w.after is not None and w.after.odds is not None}
    if len(curve.points) < 2:
        st.info("No such trade lowers the odds of liquidation.", icon=":material/info:")
        return
    said = "; ".join(f"{name} {money(cost, cents=True)} for {printed(odds)}" for name, (cost, odds) in ways.items())
    chart(charts_hedge.odds_frontier(curve, ways, found.odds), "hedge_odds_frontier", f"Cost against odds. {said}.")
    first = curve.per_dollar or 0.0
    limit = "any number of orders" if found.orders is None else f"at most {found.orders} orders"
    st.caption(
        dollars(
            f"Odds of liquidation within {curve.days:g} days, by the forecast, after the cheapest trades found; the "
            f"dashed line is what is aimed at. The first dollar takes off {first:.2f} points; the lowest reached is "
            f"{printed(curve.lowest)}. The curve allows {limit}; found by search, not proven optimal."
        )
    )


def frontier(found: Hedge, curve: Frontier) -> None:
    """Cost against margin, and where the ways stand."""
    ways = {w.title: (w.cost, w.after.margin) for w in found.ways if w.after is not None}
    if len(curve.points) < 2:
        st.info(dollars(f"These trades free nothing: the floor is {money(curve.floor)}."), icon=":material/info:")
        return
    said = "; ".join(f"{name} {money(cost, cents=True)} for {money(margin)}" for name, (cost, margin) in ways.items())
    chart(charts_hedge.frontier(curve, ways), "hedge_frontier", f"Cost against margin. {said}.")
    first = curve.per_dollar
    start = "" if first is None else f"The first dollar frees {money(first)} of margin. "
    limit = "any number of orders" if found.planner.exact else "as many orders as allowed"
    st.caption(
        dollars(
            f"{start}The floor is {money(curve.floor)}. The curve allows {limit}. Other days' loss / margin: sized on "
            "odd days, the tail loss on even days per dollar of margin; a way that raises it leans on the days it was "
            "fitted to."
        )
    )


def orders(found: Hedge, chosen: Judged) -> None:
    """Tickets of the cheapest way, as text."""
    best = found.best
    if best is None:
        st.info("There is no trade to copy.", icon=":material/info:")
        return
    made = tickets(best.trades, found.marks, chosen.account.venue)
    if stale(found.marks.as_of.to_pydatetime(), datetime.now(UTC).replace(tzinfo=None)):
        st.warning(f"Stale: the prices are of {made[0].as_of}. Look at the market before you use these.",
                   icon=":material/schedule:")  # fmt: skip
    st.caption(
        "Arguments of ccxt's create_order. Nothing is sent from here: no key is held, no trading client is loaded."
    )
    for number, ticket in enumerate(made):
        _ticket(number, ticket)


def _ticket(number: int, ticket: Ticket) -> None:
    st.code(ticket.text, language=None, wrap_lines=True)  # coloured code is too pale to read
    copy_button("Copy this order", ticket.text, key=f"hedge_ticket_{number}")
    st.caption(dollars(plain(" ".join(ticket.notes))))


def money_instead(seen: Seen, asked: Asked) -> None:
    """Moves of collateral, ranked by odds bought per dollar."""
    ranked = asked_for.moves(seen.now.portfolio, seen.active.market, seen.settings, seen.model, asked.days, asked.odds)
    if asked.odds is not None and ranked.before <= asked.odds:
        st.info(f"Odds of {printed(asked.odds)} within {ranked.days:g} days are met already: no money is needed.",
                icon=":material/info:")  # fmt: skip
        return
    st.markdown(
        f"Odds that any account is liquidated within {ranked.days:g} days: **{printed(ranked.before)}**. Each move is "
        f"the smallest that brings them down to {printed(ranked.wanted)}, or where none does, the one that helps most."
    )
    if not ranked.rows:
        st.info("No move of collateral lowers them.", icon=":material/info:")
    else:
        table = pd.DataFrame(
            [
                {
                    "Move": r.what[:1].upper() + r.what[1:], "Cost": money(r.cost, cents=True),
                    "Odds then": printed(r.odds), "Points of odds per dollar": f"{100 * r.per_dollar:,.2f}",
                    "Enough": "yes" if r.reaches else "no",
                }
                for r in ranked.rows
            ]
        )  # fmt: skip
        best = ranked.rows[0]
        st.markdown(
            dollars(f"Best: {plain(best.what)}. Odds then {printed(best.odds)}, for {money(best.cost, cents=True)}.")
        )
        data_table(table, key="hedge_moves", alt="Moves of collateral, best first")
        csv_button("This table", lambda: table, "collateral_moves")
    for note in ranked.notes:
        st.caption(dollars(plain(note)))
    st.caption(
        dollars(
            "Cost: $1 a transfer, fee and spread where something is traded, and 10% a year on money brought in, for "
            "the days shown. Odds are the Forecast page's, on the same paths; it says how far to trust them."
        )
    )


def bill(found: Hedge, asked: Asked) -> None:
    """Every order of every way with its costs line by line."""
    rows = [
        {
            "Way": w.title, "Order": t.words, "Notional": money(t.usd),
            "Fee": money(t.bill.fee, cents=True), "Spread": money(t.bill.spread, cents=True),
            "Impact": money(t.bill.impact, cents=True), "Unwind": money(t.bill.unwind, cents=True),
            "Funding": money(t.bill.funding, cents=True), "Frees": money(t.freed),
            "Per dollar": "–" if t.freed_per_dollar is None else money(t.freed_per_dollar),
        }
        for w in found.ways for t in w.trades
    ]  # fmt: skip
    if not rows:
        st.info("There is no trade to charge for.", icon=":material/info:")
        return
    table = pd.DataFrame(rows)
    data_table(table, key="hedge_bill", alt="Every order with its costs")
    csv_button("This table", lambda: table, "hedge")
    st.caption(
        "Assumed: fee 4.5 bp, half spreads by asset, impact by the square-root law; a hedge is unwound, so it pays fee "
        "and spread twice. Funding is charged where a rate is known and never credited."
    )
