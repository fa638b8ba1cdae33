"""The choice in the header: which account the page answers for, and which margin model judges it."""

import streamlit as st

from margin import models
from margin.ladder.names import ours
from margin.stress.held import StressBook
from ui.blocks.text import plain
from ui.state import book, choice


def judge() -> None:
    """A quiet button that says who is judged by whom, and opens the two choices. One choice serves every page."""
    now = book.current()
    numbers = [choice.ALL, *(str(i) for i in range(len(now.accounts)))]
    keys = [choice.OWN, *ours(), *sorted((key for key in models.keys() if ":" in key), key=name_of)]  # noqa: SIM118
    for key, options in (("account", numbers), ("model", keys)):
        if st.session_state.get(key) not in options:
            st.session_state.pop(key, None)
    number, model = choice.account(now), choice.model()
    whom = "All accounts" if number is None else plain(choice.account_name(now.accounts, number))
    whom = "" if len(now.accounts) == 1 else f"{whom} \u00b7 "
    with st.popover(f"{whom}{name_of(model or choice.OWN)}", icon=":material/gavel:", type="tertiary"):
        if len(now.accounts) > 1:
            st.selectbox(
                "Account", numbers, key="account", persist_state="session",
                format_func=lambda n: "All accounts" if n == choice.ALL else choice.account_name(now.accounts, int(n)),
            )  # fmt: skip
        st.selectbox(
            "Margin model", keys, format_func=name_of, key="model", persist_state="session",
            help="Who judges the account. As held: each account by its own venue's rules and mode; one without a venue "
            "by our portfolio method. Choose a venue to see whether it would have closed this book.",
        )  # fmt: skip


def judged_by(held: StressBook) -> str:
    """The margin models of a book as it is held: 'Hyperliquid, cross; Binance USD-M, cross'; ours by what it is."""
    return "; ".join(dict.fromkeys(title_of(h.model.key, h.model.title) for h in held.held))


def title_of(key: str, title: str) -> str:
    """A margin model in a sentence."""
    called = ours().get(key, "").removeprefix("Ours: ")
    return f"our own method ({called})" if called else title


def name_of(key: str) -> str:
    """A margin model as a reader sees it."""
    if key == choice.OWN:
        return "As held"
    return ours().get(key) or str(models.get(key).title)
