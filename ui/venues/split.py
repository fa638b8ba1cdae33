"""The book split over venues by hand: each position at a venue, what each asks for its part, and the sum."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.portfolio import Portfolio, Position
from margin.models.marks import Marks
from margin.venues import accounts
from margin.venues.split import Part, Place, SplitBook, cheapest_alone, split_book
from margin.venues.survey import Survey
from ui.blocks.formats import money, quantity
from ui.blocks.tables import data_table
from ui.blocks.text import dollars, plain
from ui.state import book
from ui.state.rows import sentence

SliderSettings = dict[str, dict[str, float]]  # a venue's sliders by its name
MOST = 20  # positions that are placed by hand


def split_view(found: Survey, portfolio: Portfolio, marks: Marks, settings: SliderSettings, whole: bool) -> None:
    """A choice of venue per position, first the one that asks least for it alone; then each part and the sum.

    whole : the portfolio is the visitor's book, so that its accounts may be made of the split
    """
    positions = accounts.as_sub(portfolio).positions
    rulebooks = list(dict.fromkeys([*(a.rulebook for a in found.asked), *(r.rulebook for r in found.refused)]))
    rulebooks = [r for r in rulebooks if r.purpose == "venue"]
    if len(positions) < 2 or len(positions) > MOST or not rulebooks:
        st.info(f"A split needs 2 to {MOST} positions that are margined.", icon=":material/info:")
        return
    choices = [(r.name, mode) for r in rulebooks for mode in r.modes]
    titles = {f"{r.title}, {mode}": (r.name, mode) for r in rulebooks for mode in r.modes}
    names = {place: title for title, place in titles.items()}
    first = cheapest_alone(portfolio, marks, choices, rulebooks, settings)
    own = _as_held(portfolio, choices)
    places: list[Place] = []
    with st.grid(3, min_column_width=240):
        for i, position in enumerate(positions):
            start = own[i] or first[i] or choices[0]
            picked = st.selectbox(
                f"{plain(position.symbol)} {quantity(position.quantity)}",
                list(titles), list(titles).index(names[start]),
                key=f"split_{i}", bind="query-params", persist_state="session",
            )  # fmt: skip
            places.append(titles[picked])
    try:
        split = split_book(portfolio, marks, places, rulebooks, settings)
    except InputError as error:
        st.warning(plain(sentence(error)), icon=":material/warning:")
        return
    st.markdown(dollars(in_words(split, found, places)))
    dates = {(a.rulebook.name, a.margin.mode): a.rulebook.dated(a.margin) for a in found.asked}
    table = pd.DataFrame([_row(part, positions, dates) for part in split.parts])
    data_table(table, key="split_table", alt="What each venue asks for its part")
    st.caption("Of the positions alone, each at its own leverage or the same for all. Collateral is not moved by this.")
    if split.initial is not None and whole:
        st.button(
            "Make these my accounts", icon=":material/account_balance:", key="split_use", on_click=_use,
            args=(portfolio, split), help="One account per venue, collateral in proportion to what each asks. Undo "
            "brings the old accounts back.",
        )  # fmt: skip


def in_words(split: SplitBook, found: Survey, places: list[Place]) -> str:
    """'Split over 3 venues the book asks $11,000; in one account at Binance USD-M (cross) $9,000 ...'"""
    count = len(split.parts)
    if split.initial is None:
        out = [f"{plain(p.rulebook.title)}: {plain('; '.join(p.refused))}" for p in split.parts if p.refused]
        return f"The sum is not computed. {' '.join(out)}"
    said = f"Split over {count} venue{'s' if count != 1 else ''} the book asks **{money(split.initial)}** to open"
    whole = [a for a in found.asked if not a.left_out and (a.rulebook.name, a.margin.mode) in places]
    if not whole or count == 1:
        return f"{said}."
    best = min(whole, key=lambda a: a.margin.initial)
    more = split.initial - best.margin.initial
    where = f"{plain(best.margin.venue)} ({best.margin.mode})"
    return f"{said}; all of it at {where} asks {money(best.margin.initial)}: {_difference(more)}."


def _difference(more: float) -> str:
    if abs(more) < 0.5:
        return "no difference"
    return f"the split costs {money(more)} more" if more > 0 else f"the split asks {money(-more)} less"


def _row(part: Part, positions: tuple[Position, ...], dates: dict[Place, str]) -> dict[str, object]:
    return {
        "Venue": part.rulebook.title,
        "Mode": part.mode,
        "Positions": ", ".join(positions[i].symbol for i in part.rows),
        "Initial": "–" if part.initial is None else money(part.initial),
        "Maintenance": "–" if part.maintenance is None else money(part.maintenance),
        "Rules of": dates.get((part.rulebook.name, part.mode), part.rulebook.as_of),
        "Cannot hold": "; ".join(part.refused),
    }


def _as_held(portfolio: Portfolio, choices: list[Place]) -> list[Place | None]:
    """The venue and mode that each margined position is at now; None where that is none of the choices."""
    out: list[Place | None] = []
    for account in portfolio.accounts:
        at = next((c for c in choices if c == (account.venue, account.mode or "cross")), None)
        out += [at] * len(account.margined)
    return out


def _use(portfolio: Portfolio, split: SplitBook) -> None:
    """The book as one account per part; owned coins and collateral by each part's share of the margin."""
    positions = accounts.as_sub(portfolio).positions
    total = split.initial or 0.0
    held = portfolio.held
    made = []
    for part in split.parts:
        share = (part.initial or 0.0) / total if total > 0 else 1.0 / len(split.parts)
        made.append(
            Account(
                venue=part.rulebook.name,
                mode=part.mode,
                positions=tuple(positions[i] for i in part.rows),
                collateral=tuple(replace(c, quantity=c.quantity * share) for c in held if c.quantity * share),
            )
        )
    try:
        present = book.current()
        book.load(book.Book.of(Portfolio(accounts=made, name=portfolio.name), present.settings))
        st.toast("The split is your book now. Undo brings the old one back.", icon=":material/check:")
    except InputError as error:
        st.toast(plain(sentence(error)), icon=":material/error:")
