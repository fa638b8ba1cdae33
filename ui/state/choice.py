"""What every page answers for: one account or all of them, and the margin model that judges."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from margin import models
from margin.core.account import Account
from ui.state.accounts import labels
from ui.state.book import Book

ALL, OWN = "all", "own"
KEYS = ("account", "model")  # in the session under these keys, in the address under the same


def open_choice(address: Mapping[str, str]) -> None:
    """What a link asks for, at the start of a visit; what is not known is left at its default."""
    if address.get("account", "").isdecimal():
        st.session_state["account"] = address["account"]
    asked = address.get("model")
    if asked and asked in models.keys():  # noqa: SIM118  (of the registry; asking loads every venue's rules)
        st.session_state["model"] = asked


def follow_history(address: Mapping[str, str]) -> None:
    """Back or Forward was pressed: what the address now says is chosen, the defaults where it says nothing."""
    st.session_state["account"], st.session_state["model"] = ALL, OWN
    open_choice(address)


def model() -> str | None:
    """The chosen margin model's key; None: each account's own venue and mode, else our portfolio method."""
    key = str(st.session_state.get("model", OWN))
    return None if key == OWN else key


def account(book: Book) -> int | None:
    """The chosen account's number; None for all of them."""
    said = str(st.session_state.get("account", ALL))
    return int(said) if said.isdecimal() and int(said) < len(book.accounts) else None


def chosen(book: Book) -> Book:
    """The book of the chosen account alone; the whole book where all are meant.

    Of several accounts each has a name, the one it has in the header: so no page calls it otherwise.
    """
    number = account(book)
    if len(book.accounts) > 1:
        named = zip(book.accounts, labels(book.accounts), strict=True)
        book = replace(book, accounts=tuple(replace(a, name=name) for a, name in named))
    return book if number is None else book.only(number)


def in_address() -> dict[str, str]:
    """What differs from the defaults, for the address."""
    kept = {key: str(st.session_state.get(key, "")) for key in KEYS}
    return {key: value for key, value in kept.items() if value not in ("", ALL, OWN)}


def account_name(accounts: tuple[Account, ...], number: int) -> str:
    """How an account is called: its own name, else its venue's, else its number."""
    return labels(accounts)[number]
