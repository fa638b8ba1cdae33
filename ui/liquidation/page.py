"""The Liquidation page: where this account would be closed, what happens next, what a market of such accounts does."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from margin.core.errors import InputError
from margin.liquidation.moves import ALL, FatalMove, nearest_fatal
from margin.stress.held import StressBook
from ui.blocks.exporting import chart, csv_button
from ui.blocks.formats import money, percent, price
from ui.blocks.maintenance import with_maintenance
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.blocks.views import refused, tabbed
from ui.charts import liquidation as charts_liquidation
from ui.liquidation import market as liquidation_market
from ui.liquidation import next as liquidation_next
from ui.shell.judge import judged_by
from ui.shell.page import Seen
from ui.state import compute


def page(seen: Seen) -> None:
    """The whole page below its heading."""
    active, now = seen.active, seen.now
    settings = with_maintenance(seen.settings, now.portfolio, seen.model)
    try:
        held = compute.judged(now.portfolio, active, settings, seen.model)
        rows = [*compute.fatal(held), *shown_alone(compute.fatal(held, True))]
    except InputError as error:
        refused(error)
        return
    st.header(dollars(headline(held, rows)), anchor=False)
    st.caption(dollars(f"Judged by {plain(judged_by(held))}. {plain(' '.join(held.notes))}"))
    views: dict[str, Callable[[], None]] = {
        "Where": lambda: where(rows),
        "What happens next": lambda: liquidation_next.what_next(held, active),
        "A whole market": liquidation_market.market,
        "Loss allocation": liquidation_market.loss_allocation,
    }
    tabbed(views, "liquidation_view")


def shown_alone(rows: list[FatalMove]) -> list[FatalMove]:
    """Of a position alone its own price says all."""
    return [move for move in rows if move.name != ALL]


def headline(held: StressBook, rows: list[FatalMove]) -> str:
    """'A fall of 23.1% in ETH liquidates the pool; so does one of 31.0% in all prices together. In an ...'"""
    if not held.positions:
        return "The book holds owned coins only: nothing of it can be liquidated."
    if held.dead:
        worst = min((h for h in held.held if h.name in held.dead), key=lambda h: h.equity)
        return (
            f"Liquidated before anything moves: {plain(worst.name)} has equity of {money(worst.equity)} and must keep "
            f"{money(worst.maintenance)}."
        )
    as_held = [move for move in rows if not move.alone]
    single, together = nearest_fatal(as_held), nearest_fatal(as_held, of_all=True)
    first = nearest_fatal([move for move in rows if move.alone])
    if single is not None:
        said = f"{_move(single)} in {plain(single.name)} liquidates {plain(single.account)}; "
        if together is None:
            said += "no move of all prices together does"
        elif together.account == single.account:
            said += f"so does {_by(together)}"
        else:
            said += f"{_by(together)} liquidates {plain(together.account)}"
    elif together is not None:
        said = f"No move of one price alone liquidates the account, but {_by(together)} does"
    else:
        said = "No move of one price, nor of all together, liquidates the account"
    alone = (
        "No position is liquidated alone by any move of its own price."
        if first is None
        else f"In an isolated account of its own {plain(first.account)} lasts to {_move(first).lower()}."
    )
    return f"{said}. {alone}"


def _by(move: FatalMove) -> str:
    return f"{_move(move).lower()} in all prices together"


def _move(move: FatalMove) -> str:
    nearest = move.nearest or 0.0
    return f"A {'fall' if nearest < 0 else 'rise'} of {percent(100 * abs(nearest), 1)}"


def where(rows: list[FatalMove]) -> None:
    """Chart and table of every price at which something is liquidated."""
    if not rows:
        st.info("The book holds owned coins only; nothing of it can be liquidated.")
        return
    words = "; ".join(f"{move.account}, {move.name}: {_words(move)}" for move in rows)
    if all(_already(move) for move in rows):
        st.caption("Everything here is liquidated already: there is no move left to draw.")
    else:
        chart(charts_liquidation.room(rows), "liquidation_room", f"Moves that liquidate. {words}.")
        st.caption(
            "The move of one price, or of all together, at which liquidation starts. Pale: no move within ±100% does."
        )
    table = pd.DataFrame(
        [
            {
                "Account": f"{move.account}, alone" if move.alone else move.account,
                "Price of": move.name,
                "Fall": "already" if _already(move) else "never" if move.fall is None else f"{100 * move.fall:.2f}%",
                "Liquidated below": "–" if _already(move) else price(move.price_below),
                "Rise": "already" if _already(move) else "never" if move.rise is None else f"{100 * move.rise:,.2f}%",
                "Liquidated above": "–" if _already(move) else price(move.price_above),
            }
            for move in rows
        ]
    )
    data_table(table, key="liquidation_prices", alt="Liquidation prices")
    csv_button("This table", lambda: table, "liquidation_prices")


def _already(move: FatalMove) -> bool:
    """Whether it is liquidated before anything moves."""
    return move.fall == 0.0 and move.rise == 0.0


def _words(move: FatalMove) -> str:
    if _already(move):
        return "liquidated already"
    low = "no fall" if move.fall is None else f"a fall of {100 * abs(move.fall):.1f}%"
    high = "no rise" if move.rise is None else f"a rise of {100 * move.rise:.1f}%"
    return f"{low}, {high}"
