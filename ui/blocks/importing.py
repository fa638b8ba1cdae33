"""One box for a book from elsewhere: an address, JSON, or a table; what was read is shown before it is opened."""

import time

import streamlit as st

from data.accounts import fetch_accounts
from data.accounts.address import looks_like_address
from data.accounts.limit import Limiter
from data.universe import is_offline
from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT, Account
from margin.formats.contract_names import ASKS
from margin.formats.pasted import SECRET
from ui.blocks.formats import money
from ui.blocks.text import plain
from ui.state import book, incoming
from ui.state.accounts import labels, venue_title
from ui.state.incoming import Incoming

EXAMPLE = "0x… or dydx1…, JSON from a venue or ccxt, or a table:\nsymbol\tside\tsize\tentry\nBTCUSDT\tlong\t0.5\t61000"
SHOWN = 12  # rows of a preview
PERPETUAL, COINS = "the perpetual", "coins (spot)"
_PREVIEW, _ERROR, _ASKED, _WIPE = "import_preview", "import_error", "import_asked", "import_wipe"


@st.cache_resource
def _limiter() -> Limiter:
    """One for the process: a visitor is a network address where the host tells it, else a session."""
    return Limiter()


def import_panel() -> None:
    """Paste or choose a file, look at what was read, and open it; undo brings the old book back."""
    preview = st.session_state.get(_PREVIEW)
    if isinstance(preview, Incoming):
        if st.session_state.get(_ASKED):
            _ask()
        _preview(preview)
        if error := st.session_state.get(_ERROR):
            st.error(plain(error), icon=":material/error:")
        return
    version = book.version()
    if st.session_state.pop(_WIPE, False):  # a secret does not stay in the box either
        st.session_state[f"import_text_{version}"] = ""
    st.text_area(
        "Paste anything", key=f"import_text_{version}", placeholder=EXAMPLE, height=140,
        help="A wallet address; what Hyperliquid, Binance, Bybit, OKX, Deribit, Kraken, BitMEX, dYdX, Lighter or "
        "ccxt answer; a table from a venue's page (also its HTML) or a spreadsheet; Margin Lab's own JSON or CSV. "
        "Never keys.",
    )  # fmt: skip
    st.file_uploader(
        "or a file",
        ["json", "csv", "txt", "tsv", "html", "htm"],
        key=f"import_file_{version}",
        on_change=_from_file,
        args=(version,),
    )
    read = st.button("Read", type="primary", key="import_read")
    if read:
        _read(st.session_state.get(f"import_text_{version}") or "")
        if _PREVIEW in st.session_state:
            st.rerun()  # the preview takes the place of the box
        if _WIPE in st.session_state:
            st.rerun()
    if error := st.session_state.get(_ERROR):
        st.error(plain(error), icon=":material/error:")
    if st.session_state.get(_ASKED):
        _ask()


def _from_file(version: int) -> None:
    file = st.session_state.get(f"import_file_{version}")
    if file is not None:
        _read(file.getvalue())


def _read(source: str | bytes, pairs: bool | None = None) -> None:
    """Keep the preview of `source`, or the line that says what is wrong with it."""
    for key in (_PREVIEW, _ERROR, _ASKED):
        st.session_state.pop(key, None)
    text = source if isinstance(source, str) else source[:200].decode("utf-8", "replace")
    try:
        if not source.strip():
            raise InputError("portfolio", "nothing", "is empty", "Paste an address, JSON or a table, or choose a file.")
        if len(source) > MAX_TEXT:
            raise InputError("portfolio", f"{len(source)} characters", "is too large", f"At most {MAX_TEXT}.")
        if looks_like_address(text):
            found = _looked_up(text)
        else:
            found = incoming.read_text(source, pairs)
            if found.asks:
                st.session_state[_ASKED] = found.text
    except InputError as error:
        st.session_state[_ERROR] = str(error)
        if error.problem == SECRET or error.problem.startswith("is a private key"):
            st.session_state[_WIPE] = True
        if error.problem == ASKS:
            st.session_state.pop(_ERROR)
            st.session_state[_ASKED] = source if isinstance(source, str) else source.decode("utf-8", "replace")
        return
    st.session_state[_PREVIEW] = incoming.without_empty(book.current(), found)


def _looked_up(address: str) -> Incoming:
    """The accounts of an address, asked now; a visitor may not ask without end. Raises InputError."""
    visitor = st.context.ip_address or "this visit"
    wait = _limiter().wait(visitor, time.monotonic())
    if wait > 0 and not is_offline():
        raise InputError("address", "not shown", "asked too often", f"Try again in {wait:.0f} seconds.")
    with st.spinner("Asking the venues…"):
        answer = fetch_accounts(address)
    told = [f"{venue_title(venue)}: {reason}" for venue, reason in answer.failures]
    told += [f"{venue_title(venue)}: nothing is held at this address." for venue in answer.nothing]
    if not answer.found:
        raise InputError("address", "not shown", "opens no account", " ".join(told))
    return Incoming(reads=tuple(answer.found.values()), told=tuple(told))


def _ask() -> None:
    """The one question a table may leave open."""
    st.segmented_control(
        "A name such as BTCUSDT means", [PERPETUAL, COINS], key="import_pairs", on_change=_answered, width="stretch"
    )


def _answered() -> None:
    text, means = st.session_state.get(_ASKED), st.session_state.get("import_pairs")
    if text and means:
        _read(text, means == PERPETUAL)


def _preview(found: Incoming) -> None:
    """What was read, what was set aside and why, and what each account becomes."""
    present = book.current()
    counts = [f"{sum(len(a.positions) for a in found.accounts)} positions"]
    counts.append(f"{sum(len(a.collateral) for a in found.accounts)} balances")
    counts += [f"{found.closed} closed rows left out"] if found.closed else []
    st.markdown(f"**Read: {', '.join(counts)}.** Nothing is changed yet.")
    proposed = incoming.proposals(present, found)
    names = incoming.target_names(present)
    chosen: list[int] = []
    for number, (account, label) in enumerate(zip(found.accounts, labels(found.accounts), strict=True)):
        with st.container(border=True, key=f"import_account_{number}"):
            head = [label, account.mode or "", f"as of {account.as_of}" if account.as_of else ""]
            st.markdown(f"**{plain(', '.join(part for part in head if part))}**")
            _table(account)
            if found.whole:
                continue
            target = st.selectbox(
                f"{plain(label)} becomes", list(names), list(names).index(proposed[number]),
                format_func=lambda t: names[t], key=f"import_target_{number}_{book.version()}",
            )  # fmt: skip
            chosen.append(target)
            if kept := incoming.stays(present, found, number, target):
                st.caption(f"Kept, for the text does not speak of it: {plain(kept)}.")
    if found.whole:
        st.caption("It is a whole book and replaces the present one; undo brings that back.")
    _said(found)
    with st.container(horizontal=True):
        doubled = len({t for t in chosen if t >= 0}) < len([t for t in chosen if t >= 0])
        st.button(
            "Open it", on_click=_open, args=(found, tuple(chosen)), type="primary", key="import_open", disabled=doubled
        )
        st.button("Discard", on_click=_discard, key="import_discard")
    if doubled:
        st.caption("Two of them would replace the same account: choose another for one.")


def _table(account: Account) -> None:
    rows = [
        {
            "Symbol": p.symbol,
            "Quantity": f"{p.quantity:,.10g}",
            "Entry": money(p.entry_price) if p.entry_price is not None else "",
            "Margin": "owned" if p.owned else "isolated" if account.is_isolated(p) else "cross",
        }
        for p in account.positions[:SHOWN]
    ]
    rows += [
        {"Symbol": c.asset, "Quantity": f"{c.quantity:,.10g}", "Entry": "", "Margin": "collateral"}
        for c in account.collateral[: max(SHOWN - len(rows), 3)]
    ]
    if rows:
        st.table(rows)
    more = len(account.positions) + len(account.collateral) - len(rows)
    if more > 0:
        st.caption(f"and {more} more")
    if not rows:
        st.caption("Nothing is open.")


def _said(found: Incoming) -> None:
    for line in found.told:
        st.warning(plain(line), icon=":material/cloud_off:")
    if found.set_aside:
        with st.expander(f"{len(found.set_aside)} set aside, with the reason", expanded=True):
            for row in found.set_aside[:20]:
                st.markdown(f"- **{plain(row.symbol or row.row)}**: {plain(row.reason)}")
            if len(found.set_aside) > 20:
                st.caption(f"and {len(found.set_aside) - 20} more")
    if found.notes:
        with st.expander(f"{len(found.notes)} notes"):
            for note in found.notes[:30]:
                st.markdown(f"- {plain(note)}")


def _open(found: Incoming, targets: tuple[int, ...]) -> None:
    try:
        made = incoming.applied(book.current(), found, targets)
    except InputError as error:
        st.session_state[_ERROR] = str(error)
        return
    _discard()
    book.load(made)
    count = sum(len(account.positions) for account in found.accounts)
    st.toast(
        f"Opened {count} position{'s' if count != 1 else ''}. Undo brings the old book back.", icon=":material/check:"
    )


def _discard() -> None:
    for key in (_PREVIEW, _ERROR, _ASKED):
        st.session_state.pop(key, None)
