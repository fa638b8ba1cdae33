"""The tables a visitor builds the book in: positions and collateral, with each row's own figures beside it."""

from dataclasses import replace
from typing import Any

from ui.blocks.editable_table import Column, Edit, editable_table
from ui.blocks.formats import money, percent
from ui.state import book
from ui.state.compute import Answer
from ui.state.prices import ActivePrices
from ui.state.rows import keep_more

POSITION_COLUMNS = (
    Column("symbol", "Symbol", "text", placeholder="SOL/USDT:USDT", help="As ccxt writes it: BTC/USD is spot."),
    Column("quantity", "Quantity", "number", placeholder="0", help="Units of the asset: long above zero, short below."),
    Column(
        "entry_price", "Entry price", "number", optional=True, placeholder="as of", help="USD; for unrealised profit."
    ),
    Column("leverage", "Leverage", "number", optional=True, placeholder="–", help="Kept with the book; not used here."),
    Column("price", "Price", "output", wide=True),
    Column("value", "Value", "output"),
    Column("alone", "Alone", "output", help="Margin of this position on its own."),
    Column("share", "In the pool", "share", help="Its part of the portfolio margin; below zero it hedges the rest."),
)
COLLATERAL_COLUMNS = (
    Column("asset", "Asset", "text", placeholder="USDC"),
    Column("quantity", "Quantity", "number", placeholder="0"),
    Column("value", "Value", "output"),
    Column("haircut", "Haircut", "output", help="The part of the value that does not count."),
    Column("counts", "Counts", "output"),
)


def position_table(now: Answer, active: ActivePrices) -> None:
    present = book.current()
    editable_table(
        "Positions",
        POSITION_COLUMNS,
        present.positions,
        key="positions",
        version=book.version(),
        on_edit=_positions_edited,
        figures=_position_figures(present, now),
        problems=now.positions,
        options=symbol_options(active.assets),
        noun="position",
        add="Add a position",
    )


def collateral_table(now: Answer, active: ActivePrices) -> None:
    present = book.current()
    editable_table(
        "Collateral",
        COLLATERAL_COLUMNS,
        present.collateral,
        key="collateral",
        version=book.version(),
        on_edit=_collateral_edited,
        figures=_collateral_figures(present, now),
        problems=now.collateral,
        options=("USD", *active.assets),
        noun="collateral",
        add="Add collateral",
        most=100,
    )


def symbol_options(assets: tuple[str, ...]) -> tuple[str, ...]:
    """What a visitor most likely types: perpetual and spot of every asset there are prices for."""
    return tuple(f"{asset}{suffix}" for asset in assets for suffix in ("/USDT:USDT", "/USD"))


def _positions_edited(edit: Edit) -> None:
    now = book.current()
    book.edit(replace(now, positions=keep_more(edit.drafts, now.positions)), edit.step)


def _collateral_edited(edit: Edit) -> None:
    now = book.current()
    book.edit(replace(now, collateral=keep_more(edit.drafts, now.collateral)), edit.step)


def _position_figures(present: book.Book, now: Answer) -> dict[int, dict[str, Any]]:
    if now.comparison is None:
        return {}
    held = zip(present.position_ids, present.positions_in_order, strict=True)
    counted = [row for row, p in held if row not in now.positions and not p.owned]
    owned = {
        row: {"price": money(line.price), "value": money(p.quantity * line.price), "alone": "collateral"}
        for row, p in zip(present.position_ids, present.positions_in_order, strict=True)
        if p.owned and row not in now.positions
        for line in now.comparison.account.collateral
        if line.asset == p.underlying
    }
    return owned | {
        row: {
            "price": money(p.price),
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
