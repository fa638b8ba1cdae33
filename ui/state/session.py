"""The start of a visit: the book of the link, or the first preset; and the messages left for the next run."""

import streamlit as st

from margin.core.errors import InputError
from margin.core.portfolio import Portfolio
from ui.state import book, choice, leaving, presets, prices, share, view

_MESSAGES, _LINKED = "messages", "opened_by_link"


def open_session() -> None:
    """Put a book into a new session; later runs only follow the browser's history."""
    leaving.watch()
    view.new_run()
    if book.started():
        if view.went_back():
            choice.follow_history(st.query_params)
        return
    prices.keep_fresh()
    prices.choose_first()
    opened = share.Opened(None)
    if share.PARAMETER in st.query_params:
        opened = share.decode(st.query_params[share.PARAMETER])
    choice.open_choice(st.query_params)
    view.open_view(st.query_params)
    for message in opened.messages:
        tell(message)
    if opened.origin == "sample":
        prices.choose("sample")
    elif opened.origin == "upload":
        tell("This link was made with an uploaded price file, which a link cannot carry: numbers may differ.")
    if opened.book is not None:
        st.session_state[_LINKED] = True
    book.start(opened.book if opened.book is not None else default_book(prices.active()))


def opened_by_link() -> bool:
    return _LINKED in st.session_state


def default_book(active: prices.ActivePrices) -> book.Book:
    """The first preset at the latest of these prices; an empty book where not even those are there."""
    for preset in presets.offered(active.market):
        try:
            return book.Book.of(presets.build(preset, active.market, active.last_day))
        except InputError:
            continue
    return book.Book.of(Portfolio())


def tell(message: str) -> None:
    """Leave a line for the visitor; it stays until it is closed."""
    kept = st.session_state.setdefault(_MESSAGES, [])
    if message not in kept:
        kept.append(message)
        del kept[:-5]


def messages() -> tuple[str, ...]:
    """The lines not closed yet, oldest first."""
    return tuple(st.session_state.get(_MESSAGES, ()))


def dismiss(number: int) -> None:
    kept = st.session_state.get(_MESSAGES, [])
    if number < len(kept):
        del kept[number]
