"""The tables a visitor builds the book in: positions and collateral, with each row's own figures beside it."""

from dataclasses import replace
from typing import Any

import streamlit as st

from margin.core.instruments import USD_LIKE
from ui.blocks.editable_table import Column, Edit, editable_table
from ui.blocks.formats import money, percent, price
from ui.portfolio.symbols import symbol_options, with_offers
from ui.state import book
from ui.state.accounts import labels
from ui.state.compute import Answer
from ui.state.presets import PRESETS
from ui.state.prices import ActivePrices
from ui.state.rows import (
    EXTRA_CELLS,
    Problem,
    kept_with_account,
    kept_with_extras,
    shown_with_account,
    shown_with_extras,
)

PRESET_TITLES = frozenset(preset.title for preset in PRESETS)
LENT = (
    "{asset} alone is a coin {how}, and counts as that. Do you own it? Write {asset}/USD. "
    "Is it a contract? Write {asset}/USDT:USDT."
)
_UNKNOWN, _UNKNOWN_COLLATERAL = "accounts_unknown", "accounts_unknown_collateral"
POSITION_COLUMNS = (
    Column("symbol", "Symbol", "text", placeholder="SOL/USDT:USDT", help="As ccxt writes it: BTC/USD is spot."),
    Column("quantity", "Quantity", "number", placeholder="0", help="Units of the asset: long above zero, short below."),
    Column(
        "entry_price", "Entry price", "number", optional=True, placeholder="as of", help="USD; for unrealised profit."
    ),
    Column("leverage", "Leverage", "number", optional=True, placeholder="–", help="Used by venues' rules."),
    Column(
        "mode",
        "Mode",
        "text",
        placeholder="cross",
        help="Isolated: the position has its own margin.",
        upper=False,
        options=("cross", "isolated"),
    ),
    Column("margin", "Posted", "number", placeholder="at entry", help="USD posted to the isolated position."),
    Column("implied_vol", "IV", "number", placeholder="history", help="Implied volatility a year, e.g. 65%."),
    Column("account", "Account", "text", help="Type another account's name to move the position.", upper=False),
    Column("price", "Price", "output", wide=True),
    Column("value", "Value", "output"),
    Column("alone", "Alone", "output", help="Margin of this position on its own."),
    Column("share", "In the pool", "share", help="Its part of the portfolio margin; below zero it hedges the rest."),
)
COLLATERAL_COLUMNS = (
    Column("asset", "Asset", "text", placeholder="USDC"),
    Column("quantity", "Quantity", "number", placeholder="0"),
    Column("account", "Account", "text", help="Type another account's name to move the collateral.", upper=False),
    Column("value", "Value", "output"),
    Column("haircut", "Haircut", "output", help="The part of the value that does not count."),
    Column("counts", "Counts", "output", help="In one pool, after our haircut. What a venue counts: see Venues."),
)


def position_table(now: Answer, active: ActivePrices) -> None:
    present = book.current()
    names = labels(present.accounts)
    editable_table(
        "Positions",
        _columns(present, names),
        shown_with_extras(present.positions, names),
        key="positions",
        version=book.version(),
        on_edit=_positions_edited,
        figures=_with_meanings(_position_figures(present, now), present),
        problems={
            **_lent(present),
            **with_offers(now.positions.items(), {d.id: d.cells[0] for d in present.positions}),
            **st.session_state.get(_UNKNOWN, {}),
        },
        options=symbol_options(active),
        noun="position",
        add="Add a position",
    )


def collateral_table(now: Answer, active: ActivePrices) -> None:
    present = book.current()
    names = labels(present.accounts)
    several = len(names) > 1
    editable_table(
        "Collateral",
        [replace(c, hidden=not several, options=names) if c.key == "account" else c for c in COLLATERAL_COLUMNS],
        shown_with_account(present.collateral, names),
        key="collateral",
        version=book.version(),
        on_edit=_collateral_edited,
        figures=_collateral_figures(present, now),
        problems={**now.collateral, **st.session_state.get(_UNKNOWN_COLLATERAL, {})},
        options=("USD", *active.assets),
        noun="collateral",
        add="Add collateral",
        most=100,
    )


def _lent(present: book.Book) -> dict[int, Problem]:
    """A coin's name alone is a loan: it counts as one, and it is asked whether that was meant."""
    return {
        row: Problem(
            "symbol",
            LENT.format(asset=p.underlying, how="lent" if p.quantity > 0 else "borrowed"),
            ((f"{p.underlying}/USD", "owned"), (f"{p.underlying}/USDT:USDT", "perpetual")),
        )
        for row, p in zip(present.position_ids, present.positions_in_order, strict=True)
        if p.instrument.kind == "loan" and p.underlying not in USD_LIKE
    }


def extra_columns(present: book.Book) -> set[str]:
    """Those beyond entry price and leverage that this book uses."""
    used = {key for draft in present.positions for key, value in draft.more if value not in (None, "")}
    if any(read.instrument.is_option for read in present.positions_in_order):
        used.add("implied_vol")
    if len(present.accounts) > 1:
        used.add("account")
    used |= {"mode"} if "margin" in used else set()
    return used & {*EXTRA_CELLS, "account"}


def _columns(present: book.Book, names: tuple[str, ...]) -> tuple[Column, ...]:
    """All columns; those of what no position uses are not shown."""
    extra, used = (*EXTRA_CELLS, "account"), extra_columns(present)
    crowded = ("price", "alone") if len(used) > 1 else ()
    return tuple(
        replace(c, hidden=c.key not in used, options=names if c.key == "account" else c.options)
        if c.key in extra
        else replace(c, hidden=c.key in crowded)
        for c in POSITION_COLUMNS
    )


def _positions_edited(edit: Edit) -> None:
    now = book.current()
    drafts, unknown = kept_with_extras(edit.drafts, now.positions, labels(now.accounts))
    st.session_state[_UNKNOWN] = unknown
    changed = replace(now, positions=drafts)
    if now.name and [d.cells[:2] for d in drafts] != [d.cells[:2] for d in now.positions]:
        changed = replace(changed, name="") if now.name in PRESET_TITLES else changed
    book.edit(changed, edit.step)


def _collateral_edited(edit: Edit) -> None:
    now = book.current()
    drafts, unknown = kept_with_account(edit.drafts, now.collateral, labels(now.accounts))
    st.session_state[_UNKNOWN_COLLATERAL] = unknown
    book.edit(replace(now, collateral=drafts), edit.step)


def empty_cells(present: book.Book) -> dict[int, dict[str, str]]:
    """By row: what an empty cell means there. A perpetual has no volatility, a cross position posts no margin."""
    accounts = {
        draft.id: present.accounts[min(draft.account, len(present.accounts) - 1)] for draft in present.positions
    }
    out = {}
    for row, p in zip(present.position_ids, present.positions_in_order, strict=True):
        contract = p.instrument.kind not in ("spot", "loan")
        alone = accounts[row].is_isolated(p)
        out[row] = {
            "mode": "–" if not contract else "isolated" if alone else "cross",
            "margin": "at entry" if alone and p.margin_coin is None else "–",
            "implied_vol": "history" if p.instrument.is_option else "–",
        }
    return out


def _with_meanings(figures: dict[int, dict[str, Any]], present: book.Book) -> dict[int, dict[str, Any]]:
    meanings = empty_cells(present)
    return {row: {**meanings.get(row, {}), **figures.get(row, {})} for row in {**meanings, **figures}}


def _position_figures(present: book.Book, now: Answer) -> dict[int, dict[str, Any]]:
    if now.comparison is None:
        return {}
    held = zip(present.position_ids, present.positions_in_order, strict=True)
    counted = [row for row, p in held if row not in now.positions and not p.owned]
    owned = {
        row: {"price": price(line.price), "value": money(p.quantity * line.price), "alone": "collateral"}
        for row, p in zip(present.position_ids, present.positions_in_order, strict=True)
        if p.owned and row not in now.positions
        for line in now.comparison.account.collateral
        if line.asset == p.underlying
    }
    return owned | {
        row: {
            "price": price(p.price),
            "value": money(p.value),
            "alone": money(p.standalone),
            "share": {"text": percent(None if p.share is None else 100 * p.share), "share": p.share or 0.0},
        }
        for row, p in zip(counted, now.comparison.positions, strict=True)
    }


def _collateral_figures(present: book.Book, now: Answer) -> dict[int, dict[str, Any]]:
    if now.comparison is None:
        return {}
    lines = {line.asset: line for line in now.comparison.account.collateral}
    held = zip(present.collateral_ids, present.collateral_in_order, strict=True)
    return {
        row: {
            "value": money(c.quantity * lines[c.asset].price),
            "haircut": percent(100 * lines[c.asset].haircut),
            "counts": money(c.quantity * lines[c.asset].price * (1.0 - lines[c.asset].haircut)),
        }
        for row, c in held
        if row not in now.collateral and c.asset in lines
    }
