"""The accounts of the book: a line and a margin bar each, ours beside what the venue said; add, name, copy, move."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from margin.core.account import Account
from margin.core.errors import InputError
from margin.core.settings import Settings
from margin.ladder.as_held import AccountHeld, AsHeld
from margin.liquidation.nearest import Nearest, nearest_liquidation
from margin.venues.check import check
from margin.venues.checked import Checked
from ui.blocks.exporting import chart
from ui.blocks.formats import away, money, price
from ui.blocks.text import dollars, plain
from ui.charts.accounts import margin_bars, margin_bars_alt
from ui.state import accounts as edits
from ui.state import book
from ui.state.accounts import labels, venue_title
from ui.state.compute import remembered
from ui.state.prices import ActivePrices
from ui.state.rows import sentence

MODES = {"": "cross", "isolated": "isolated", "portfolio": "portfolio margin"}
FIGURES = {
    "equity": "equity", "initial": "initial margin", "maintenance": "maintenance margin", "free": "free equity",
    "withdrawable": "withdrawable", "liquidation_prices": "liquidation price of",
    "position_initial": "initial margin of", "position_maintenance": "maintenance margin of",
}  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """Ours beside the venue's, or why there is nothing to compare."""

    checked: Checked | None
    why: str = ""


@partial(remembered, size=256)
def nearest(account: Account, settings: Settings, active: ActivePrices) -> Nearest | str | None:
    """The account's nearest liquidation; None where no price liquidates; text: why it is not computed."""
    try:
        return nearest_liquidation(account, active.market, settings)
    except InputError as error:
        return sentence(error)


def nearest_of_all(
    accounts: tuple[Account, ...], settings: Settings, active: ActivePrices
) -> tuple[str, Nearest] | str | None:
    """(account's name, its nearest liquidation) of the account that is nearest; text: why it is not computed."""
    best: tuple[str, Nearest] | None = None
    for name, account in zip(labels(accounts), accounts, strict=True):
        found = nearest(account, settings, active)
        if isinstance(found, str):
            return found
        if found is not None and (best is None or abs(found.move) < abs(best[1].move)):
            best = (name if len(accounts) > 1 or account.venue else "", found)
    return best


@partial(remembered, size=256)
def beside(account: Account, settings: Settings) -> Beside:
    """Our figures at the venue's own marks beside what it said."""
    if not account.venue_says:
        return Beside(None)
    try:
        return Beside(check(account, settings.as_of if account.as_of is None else None))
    except InputError as error:
        return Beside(None, sentence(error))


def account_lines(
    held: AsHeld, accounts: tuple[Account, ...], whole: tuple[Account, ...], settings: Settings, active: ActivePrices
) -> None:
    """The bars of all accounts, then a line each.

    whole : the same accounts with rows that have no prices here, which the venue counted and marked
    """
    names = labels(accounts)
    rows = held.accounts
    st.markdown("**Accounts, as they are held**")
    if any(row.equity is not None for row in rows):
        chart(margin_bars(rows, names), "chart_accounts", margin_bars_alt(rows, names))
    for row, name, account, all_of_it in zip(rows, names, accounts, whole, strict=True):
        if _line(row, name, account, settings, active):
            _beside(all_of_it, beside(all_of_it, settings))


def _line(row: AccountHeld, name: str, account: Account, settings: Settings, active: ActivePrices) -> bool:
    """Draw it; whether it was computed."""
    where = venue_title(account.venue) if account.venue else "our portfolio method"
    at = "" if name == where else f"{plain(where)}, "
    head = f"**{plain(name)}** · {at}{MODES.get(account.mode or '', account.mode or 'cross')}"
    if row.error is not None:
        st.markdown(f"{head} · not computed: {plain(row.error)}")
        return False
    free = (
        f"free {money(row.free)}"
        if row.free is not None and row.free >= 0
        else f"**short by {money(-(row.free or 0))}**"
    )
    st.markdown(
        dollars(
            f"{head} · initial {money(row.initial)} of {money(row.equity)}, {free} · {_near(account, settings, active)}"
        )
    )
    for why in row.why_left_out:
        st.caption(dollars(plain(why)))
    return True


def _near(account: Account, settings: Settings, active: ActivePrices) -> str:
    found = nearest(account, settings, active)
    text = near_text(found) if not isinstance(found, str) else f"liquidation {plain(found)}"
    return f"**{text}**" if text == DEAD else text


DEAD = "liquidated already"


def near_text(found: Nearest | None) -> str:
    """'liquidated at BTC $45,541 (-33.3%)'."""
    if found is None:
        return "no single price liquidates it"
    if found.move == 0.0:
        return DEAD
    return f"liquidated at {found.asset} {price(found.price)} ({away(found.move)})"


def _beside(account: Account, found: Beside) -> None:
    if found.why:
        st.caption(f"Beside what {plain(venue_title(account.venue) or 'the venue')} said: {plain(found.why)}")
    if found.checked is None or not found.checked.compared:
        return
    checked = found.checked
    good = checked.matched == checked.compared
    mark = "✓" if good else "≠"
    title = f"{mark} {checked.matched} of {checked.compared} figures are what {venue_title(account.venue)} said"
    with st.expander(title):
        lines = [(FIGURES.get(key.removesuffix("_coin"), key), f) for key, f in checked.figures.items()]
        lines += [
            (f"{FIGURES.get(key.removesuffix('_coin'), key)} {symbol}", f)
            for key, rows in checked.per_symbol.items()
            for symbol, f in rows.items()
        ]
        st.table(
            [
                {"": "✓" if f.matched else "≠", "Figure": name, "Ours": _figure(f.ours), "Venue": _figure(f.venue)}
                for name, f in lines
            ]
        )
        for note in checked.notes:
            st.caption(plain(note))


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:,.8g}"


def accounts_panel() -> None:
    """Add, name, duplicate, remove accounts and move positions between them; each is one step of undo."""
    present, version = book.current(), book.version()
    names = labels(present.accounts)
    st.text_input(
        "Name of the book", present.name, key=f"book_name_{version}", max_chars=60, on_change=_book_named,
        args=(version,),
    )  # fmt: skip
    for number, (account, name) in enumerate(zip(present.accounts, names, strict=True)):
        with st.container(border=True, key=f"account_{number}"):
            st.text_input(
                "Name", account.name, placeholder=name, key=f"account_name_{number}_{version}", max_chars=60,
                on_change=_renamed, args=(number, version),
            )  # fmt: skip
            left, right = st.columns(2)
            options = list(dict.fromkeys([account.venue, *edits.venues()]))
            left.selectbox(
                "Venue", options, options.index(account.venue), format_func=venue_title,
                key=f"account_venue_{number}_{version}", on_change=_renamed, args=(number, version),
            )  # fmt: skip
            modes = list(MODES)
            mode = account.mode if account.mode in MODES else ""
            right.selectbox(
                "Mode", modes, modes.index(mode or ""), format_func=lambda m: MODES[m],
                key=f"account_mode_{number}_{version}", on_change=_renamed, args=(number, version),
            )  # fmt: skip
            with st.container(horizontal=True):
                st.button(
                    "Duplicate", key=f"account_copy_{number}", on_click=_do,
                    args=(lambda b, n=number: edits.duplicated(b, n),), type="tertiary", icon=":material/content_copy:",
                )  # fmt: skip
                st.button(
                    "Remove", key=f"account_remove_{number}", on_click=_do,
                    args=(lambda b, n=number: edits.removed(b, n),), type="tertiary", icon=":material/delete:",
                )  # fmt: skip
    st.button("Add an account", key="account_add", on_click=_do, args=(edits.added,), icon=":material/add:")
    if len(names) > 1 and present.position_ids:
        _move(present, names, version)


def _move(present: book.Book, names: tuple[str, ...], version: int) -> None:
    owners = {draft.id: names[min(draft.account, len(names) - 1)] for draft in present.positions}
    shown = {
        row: f"{p.symbol} {p.quantity:g} ({owners[row]})"
        for row, p in zip(present.position_ids, present.positions_in_order, strict=True)
    }
    rows = st.multiselect("Move positions", list(shown), format_func=lambda r: shown[r], key=f"move_rows_{version}")
    target = st.selectbox("to", list(range(len(names))), format_func=lambda i: names[i], key=f"move_to_{version}")
    st.button(
        "Move", key="account_move", disabled=not rows, on_click=_do, args=(lambda b: edits.moved(b, rows, target),)
    )


def _book_named(version: int) -> None:
    name = (st.session_state.get(f"book_name_{version}") or "").strip()
    _do(lambda b: replace(b, name=name))


def _renamed(number: int, version: int) -> None:
    name = st.session_state.get(f"account_name_{number}_{version}") or ""
    venue = st.session_state.get(f"account_venue_{number}_{version}") or ""
    mode = st.session_state.get(f"account_mode_{number}_{version}") or ("cross" if venue else None)
    _do(lambda b: edits.changed(b, number, name=name, venue=venue, mode=mode))


def _do(change: Callable[[book.Book], book.Book]) -> None:
    try:
        book.redraw(change(book.current()))
    except InputError as error:
        st.toast(plain(sentence(error)), icon=":material/error:")
