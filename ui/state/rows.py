"""Rows of the editable tables: text as typed -> positions and collateral, or one clear line about what is wrong.

A bad row is kept as typed and left out of the computation; it never takes the good ones with it.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import parse_symbol
from margin.core.portfolio import MAX_COLLATERAL, MAX_POSITIONS, Collateral, Position

POSITION_CELLS = ("symbol", "quantity", "entry_price", "leverage")
EXTRA_CELLS = ("mode", "margin", "implied_vol")  # of Draft.more, typed in columns that show only where they are used
COLLATERAL_CELLS = ("asset", "quantity")
MAX_CELL = 64
NUMBER_HINT = "Write a plain number such as 1.5 or -30, with a point for decimals."

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Draft:
    """One row as typed: `id` is unique within its table, `cells` follow POSITION_CELLS or COLLATERAL_CELLS.

    more : what else its position carries that the table does not show (mode, margin, paid, ...), by name
    account : index of the account it belongs to
    """

    id: int
    cells: tuple[str, ...]
    more: tuple[tuple[str, Any], ...] = ()
    account: int = 0

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row: `key` is the cell it is about, `text` one line with the way out.

    offers : (what the cell may be made, what that is), to be clicked
    """

    key: str
    text: str
    offers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reading:
    """`items` holds (row id, Position or Collateral) of the good rows in order, `problems` the others by row id."""

    items: tuple[tuple[int, Any], ...] = ()
    problems: Mapping[int, Problem] = field(default_factory=dict)


def read_positions(drafts: Iterable[Draft]) -> Reading:
    return _read(drafts, _position, POSITION_CELLS, MAX_POSITIONS)


def read_collateral(drafts: Iterable[Draft]) -> Reading:
    return _read(drafts, _collateral, COLLATERAL_CELLS, MAX_COLLATERAL)


def _read(drafts: Iterable[Draft], build: Any, keys: tuple[str, ...], most: int) -> Reading:
    items: list[tuple[int, Any]] = []
    problems: dict[int, Problem] = {}
    for draft in drafts:
        if draft.blank:
            continue
        if len(items) >= most:
            problems[draft.id] = Problem(keys[0], f"at most {most} rows are counted; this one is left out.")
            continue
        try:
            items.append((draft.id, build(dict(zip(keys, draft.cells, strict=True)), dict(draft.more))))
        except InputError as error:
            cells = (*keys, *EXTRA_CELLS)
            problems[draft.id] = Problem(error.field if error.field in cells else keys[0], sentence(error))
    return Reading(tuple(items), problems)


def _position(cells: Mapping[str, str], more: Mapping[str, Any]) -> Position:
    symbol = _code(cells["symbol"], "symbol", "Name what is held, e.g. ETH/USDT:USDT.")
    parse_symbol(symbol)  # what is wrong with the first cell is said first
    return Position(
        symbol,
        _needed(cells["quantity"], "quantity"),
        _number(cells["entry_price"], "entry_price"),
        _number(cells["leverage"], "leverage"),
        **more,
    )


def _collateral(cells: Mapping[str, str], more: Mapping[str, Any]) -> Collateral:
    return Collateral(
        _code(cells["asset"], "asset", "Name the asset, e.g. USDC."),
        _needed(cells["quantity"], "quantity"),
        more.get("mark_price"),
    )


def _code(text: str, field_name: str, hint: str) -> str:
    code = text.strip().upper()
    if not code:
        raise InputError(field_name, text, "is missing", hint)
    return code


def _needed(text: str, field_name: str) -> float:
    value = _number(text, field_name)
    if value is None:
        raise InputError(field_name, text, "is missing", "Units of the asset: long above zero, short below.")
    return value


def _number(text: str, field_name: str) -> float | None:
    """A number as people type it: 1,250.50, -30, −30, 2.5e3. None when empty."""
    plain = text.strip().replace("\u2212", "-").replace(" ", "").replace("\u00a0", "").replace("_", "")
    if not plain:
        return None
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise InputError(field_name, text, "is not a number", NUMBER_HINT)
    value = float(plain)
    if not math.isfinite(value):
        raise InputError(field_name, text, "is too large")
    return value


PREDICATES = re.compile(
    "(is|has|must|are|cannot|can't|could|holds?|names|needs|does|do|leaves|was|stands|gives|takes|lacks|asks|may|"
    "settles|counts|writes|lends|scores|pairs|belong|opens|of|and|at) "
)  # words that go on with the sentence that a field and its value begin


def sentence(error: InputError) -> str:
    """An input error as one line for a reader: no internal path, the value only where it helps.

    A problem that goes on from the field does so ('Quantity “x” is not a number.'); one that is a clause of its own
    stands behind a colon ('Positions “only dollars”: nothing in the portfolio moves.').
    """
    is_file = re.search(r"\.(parquet|pq|csv|json|xlsx|txt)$", error.field, re.IGNORECASE)
    name = error.field if is_file else error.field.rsplit(".", 1)[-1].replace("_", " ")
    shown = f"{error.value:.12g}" if isinstance(error.value, float) else str(error.value)
    problem = error.problem
    value = f" “{shown[:40]}”" if shown and shown != "None" else ""
    hint = f" {error.hint}" if error.hint else ""
    joint = " is " if problem.startswith(("not ", "quoted ")) else " " if PREDICATES.match(problem) else ": "
    first = name[:1] if is_file else name[:1].upper()
    return f"{first}{name[1:]}{value}{joint}{problem}.{hint}"


def number_text(value: float | None) -> str:
    """Shortest text that reads back as the same number: 30.0 -> '30', 0.1 -> '0.1'."""
    if value is None:
        return ""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def position_drafts(positions: Iterable[Position]) -> tuple[Draft, ...]:
    return tuple(
        Draft(i, (p.symbol, number_text(p.quantity), number_text(p.entry_price), number_text(p.leverage)), _more(p))
        for i, p in enumerate(positions, start=1)
    )


def _more(position: Position) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in position.to_dict().items() if name not in POSITION_CELLS)


def keep_more(edited: Iterable[Draft], before: Iterable[Draft]) -> tuple[Draft, ...]:
    """Rows as edited with what the table does not show; a row whose symbol was changed is another position."""
    known = {draft.id: draft for draft in before}
    out = []
    for draft in edited:
        old = known.get(draft.id)
        if old is not None:
            same = old.cells[0].strip().upper() == draft.cells[0].strip().upper()
            draft = replace(draft, more=old.more if same else (), account=old.account)
        out.append(draft)
    return tuple(out)


def shown_with_extras(drafts: Iterable[Draft], accounts: tuple[str, ...]) -> tuple[Draft, ...]:
    """Rows as the table shows them: the cells, then EXTRA_CELLS as text, then the account's name."""
    return tuple(replace(d, cells=(*d.cells, *_extras(d), accounts[min(d.account, len(accounts) - 1)])) for d in drafts)


def kept_with_extras(
    edited: Iterable[Draft], before: Iterable[Draft], accounts: tuple[str, ...]
) -> tuple[tuple[Draft, ...], dict[int, Problem]]:
    """The inverse, of rows that the browser sent: (rows, problems of names that are no account, by row id).

    What the table does not show stays with its row (`keep_more`).
    """
    rows = list(edited)
    width = len(POSITION_CELLS)
    plain = keep_more((replace(d, cells=d.cells[:width]) for d in rows), before)
    out = []
    for draft, row in zip(plain, rows, strict=True):
        typed = dict(zip(EXTRA_CELLS, row.cells[width:], strict=False))
        more = {k: v for k, v in draft.more if k not in EXTRA_CELLS}
        more |= {k: _typed_extra(k, text) for k, text in typed.items() if text.strip()}
        out.append(replace(draft, more=tuple(more.items())))
    return _in_accounts(out, [row.cells[width + len(EXTRA_CELLS) :] for row in rows], accounts)


def shown_with_account(drafts: Iterable[Draft], accounts: tuple[str, ...]) -> tuple[Draft, ...]:
    """Rows of collateral as the table shows them: the cells, then the account's name."""
    return tuple(replace(d, cells=(*d.cells, accounts[min(d.account, len(accounts) - 1)])) for d in drafts)


def kept_with_account(
    edited: Iterable[Draft], before: Iterable[Draft], accounts: tuple[str, ...]
) -> tuple[tuple[Draft, ...], dict[int, Problem]]:
    """The inverse, of rows that the browser sent: (rows, problems of names that are no account, by row id)."""
    rows = list(edited)
    width = len(COLLATERAL_CELLS)
    plain = keep_more((replace(d, cells=d.cells[:width]) for d in rows), before)
    return _in_accounts(plain, [row.cells[width:] for row in rows], accounts)


def _in_accounts(
    drafts: Iterable[Draft], named: Iterable[tuple[str, ...]], accounts: tuple[str, ...]
) -> tuple[tuple[Draft, ...], dict[int, Problem]]:
    """Rows in the accounts whose names were typed (a cell, or none); a name that is no account is a problem."""
    by_name = {name.casefold(): i for i, name in enumerate(accounts)}
    out, problems = [], {}
    for draft, cells in zip(drafts, named, strict=True):
        name = cells[0].strip() if cells else ""
        if name and name.casefold() not in by_name:
            text = f"Account “{name[:40]}” is not among yours: {', '.join(accounts)[:120]}. Add it under Accounts."
            problems[draft.id] = Problem("account", text)
        out.append(replace(draft, account=by_name.get(name.casefold(), draft.account)))
    return tuple(out), problems


def _extras(draft: Draft) -> tuple[str, ...]:
    more = dict(draft.more)
    vol = more.get("implied_vol")
    return (
        str(more.get("mode") or ""),
        _as_text(more.get("margin")),
        f"{number_text(round(100.0 * vol, 10))}%" if isinstance(vol, float) else _as_text(vol),
    )


def _as_text(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else "" if value is None else str(value)


def _typed_extra(key: str, text: str) -> Any:
    """The value of a typed cell; what is no number stays as typed, and its row says so."""
    if key == "mode":
        plain = text.strip().lower()
        return {"iso": "isolated", "i": "isolated", "c": "cross"}.get(plain, plain)
    try:
        value = _number(text.replace("%", ""), key)
    except InputError:
        return text
    if value is not None and key == "implied_vol" and ("%" in text or value > 5.0):
        value /= 100.0  # 65% and 65 are 0.65 a year
    return value


def collateral_drafts(collateral: Iterable[Collateral]) -> tuple[Draft, ...]:
    return tuple(
        Draft(i, (c.asset, number_text(c.quantity)), () if c.mark_price is None else (("mark_price", c.mark_price),))
        for i, c in enumerate(collateral, start=1)
    )


def drafts_from_browser(rows: Any, keys: tuple[str, ...], most: int) -> tuple[Draft, ...]:
    """Rows as the table component sends them -> drafts. Anything malformed in them is dropped, nothing raises."""
    drafts: list[Draft] = []
    seen: set[int] = set()
    for row in rows if isinstance(rows, list) else ():
        cells = row.get("cells") if isinstance(row, dict) else None
        row_id = row.get("id") if isinstance(row, dict) else None
        if not isinstance(cells, dict) or type(row_id) is not int or row_id in seen:
            continue
        seen.add(row_id)
        values = (cells.get(key) for key in keys)
        drafts.append(Draft(row_id, tuple(v[:MAX_CELL] if isinstance(v, str) else "" for v in values)))
        if len(drafts) > most:
            break
    return tuple(drafts)
