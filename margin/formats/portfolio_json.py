"""Portfolio JSON, version 2, and version 1 read for ever. The format: docs/portfolio-format.md.

Unknown keys are an error, so a typo is never silently ignored.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from margin.core import checks
from margin.core.account import KEYS as ACCOUNT_KEYS
from margin.core.account import MAX_COLLATERAL, MAX_POSITIONS, Account
from margin.core.errors import InputError
from margin.core.portfolio import MAX_ACCOUNTS, MAX_TEXT, Portfolio
from margin.core.position import Collateral, Position

POSITION_KEYS = tuple(f.name for f in fields(Position))
COLLATERAL_KEYS = tuple(f.name for f in fields(Collateral))
OLD_POSITION_KEYS = ("symbol", "quantity", "entry_price", "leverage")
BORROWED = '{} is read as bought on borrowed money, as version 1 meant it; write "paid": true if it is your own.'
FACE = "{}: {:g} coins at the entry price of {:g} are {:,.2f} US dollars of face, as coin-settled contracts count."


def read(source: "str | bytes | Mapping[str, Any] | list[Any]") -> Portfolio:
    """A portfolio from JSON text or the parsed object. Raises InputError with the place and the way out."""
    data = parse(source) if isinstance(source, str | bytes) else source
    if isinstance(data, list) and data and all(is_account(row) for row in data):
        return _version_2({"accounts": [_bare(row) for row in data]})
    if not isinstance(data, Mapping):
        raise InputError("portfolio", data, "must be a JSON object or a list of ccxt positions")
    if is_account(data):
        return _version_2({"accounts": [_bare(data)]})
    if "version" not in data:
        raise InputError("version", None, "is missing", 'Add "version": 2, or 1 for the older form.')
    version = data["version"]
    if isinstance(version, bool) or version not in (1, 2):
        raise InputError("version", version, "is not a version Margin Lab reads", 'Use "version": 2 (or 1).')
    return _version_2(data) if version == 2 else _version_1(data)


def is_account(data: Any) -> bool:
    """Whether it is one account of version 2 by itself: it names its venue, or what its venue says."""
    return isinstance(data, Mapping) and "accounts" not in data and ("venue" in data or "venue_says" in data)


def _bare(account: Mapping[str, Any]) -> Mapping[str, Any]:
    """The account without the version of the file it stands alone in. Raises InputError for another version."""
    if account.get("version", 2) != 2:
        raise InputError("version", account["version"], "has no venues", 'Use "version": 2.')
    return {key: value for key, value in account.items() if key != "version"}


def _version_2(data: Mapping[str, Any]) -> Portfolio:
    # `python -m margin portfolio --json` writes notes and set-aside rows beside the accounts.
    checks.only_keys(data, ("version", "name", "accounts", "notes", "set_aside"), "portfolio")
    if "accounts" not in data:
        hint = 'Version 2 holds "accounts": [{"positions": [...]}]; "positions" at the top is version 1.'
        raise InputError("accounts", None, "is missing", hint)
    rows = checks.listed(data["accounts"], MAX_ACCOUNTS, "accounts")
    return Portfolio(
        accounts=[_account(row, f"accounts[{i}]") for i, row in enumerate(rows)], name=data.get("name", "")
    )


def _account(row: Any, where: str) -> Account:
    if not isinstance(row, Mapping):
        raise InputError(where, row, "must be an object", 'E.g. {"venue": "hyperliquid", "positions": [...]}.')
    checks.only_keys(row, ACCOUNT_KEYS, where)
    if row.get("positions") is None and row.get("collateral") is None:
        raise InputError(f"{where}.positions", None, "is missing", 'Add "positions": [...].')
    plain = {key: row[key] for key in ("name", "venue", "mode", "as_of", "venue_says") if row.get(key) is not None}
    try:
        return Account(
            positions=_rows(Position, _list(row, "positions"), "positions", POSITION_KEYS, MAX_POSITIONS),
            collateral=_rows(Collateral, _list(row, "collateral"), "collateral", COLLATERAL_KEYS, MAX_COLLATERAL),
            **plain,
        )
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.problem, error.hint) from None


def _list(row: Mapping[str, Any], key: str) -> Any:
    """A list that may be left out or null."""
    return [] if row.get(key) is None else row[key]


def _version_1(data: Mapping[str, Any]) -> Portfolio:
    checks.only_keys(data, ("version", "name", "positions", "collateral"), "portfolio")
    if "positions" not in data:
        raise InputError("positions", None, "is missing", 'Add "positions": [...].')
    positions = _rows(Position, data["positions"], "positions", OLD_POSITION_KEYS, MAX_POSITIONS)
    collateral = _rows(Collateral, data.get("collateral", []), "collateral", (), MAX_COLLATERAL)
    positions, notes = from_version_1(positions)
    return Portfolio(positions, collateral, data.get("name", ""), notes=notes)


def from_version_1(positions: "tuple[Position, ...]") -> "tuple[tuple[Position, ...], tuple[str, ...]]":
    """Positions as the first format meant them, and what was changed: spot on borrowed money, inverse counted in coins.

    Raises InputError for an inverse position without an entry price: its dollars can't be told.
    """
    out, notes = [], []
    for i, p in enumerate(positions):
        if p.owned:
            p = replace(p, paid=False)
            notes.append(BORROWED.format(p.symbol))
        elif p.instrument.is_inverse and p.quantity:
            if p.entry_price is None:
                hint = 'Give entry_price, or write it as version 2 with "quantity" in US dollars of face value.'
                problem = f"counts coins of {p.symbol}, and without an entry price their face value can't be told"
                raise InputError(f"positions[{i}].quantity", p.quantity, problem, hint)
            face = p.quantity * p.entry_price
            notes.append(FACE.format(p.symbol, p.quantity, p.entry_price, face))
            p = replace(p, quantity=face)
        out.append(p)
    return tuple(out), tuple(notes)


def _rows(kind: type, rows: Any, where: str, optional: tuple[str, ...], most: int) -> tuple[Any, ...]:
    required = ("symbol", "quantity") if kind is Position else ("asset", "quantity")
    return tuple(
        _row(kind, item, f"{where}[{i}]", required, optional) for i, item in enumerate(checks.listed(rows, most, where))
    )


def _row(kind: type, item: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Any:
    """Build `kind` from one JSON object, prefixing every message with `where`."""
    if not isinstance(item, Mapping):
        raise InputError(where, item, "must be an object", f"Give it the keys {', '.join(required)}.")
    if kind is Collateral and "price" in item and "mark_price" not in item and optional:
        item = {"mark_price" if key == "price" else key: value for key, value in item.items()}
    checks.only_keys(item, tuple(dict.fromkeys(required + optional)), where)
    for key in required:
        if item.get(key) is None:
            raise InputError(f"{where}.{key}", None, "is missing")
    try:
        return kind(**item)
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.problem, error.hint) from None


def parse(text: "str | bytes") -> Any:
    """JSON without its traps: repeated keys, NaN, numbers of thousands of digits, endless nesting."""
    if len(text) > MAX_TEXT:
        raise InputError("portfolio", f"{len(text)} characters", "is too large", f"At most {MAX_TEXT}.")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise InputError("portfolio", key, "a key appears twice in one object", "Keep one of them.")
            seen[key] = value
        return seen

    def refuse(constant: str) -> Any:
        raise InputError("portfolio", constant, "is not a number JSON allows", "Write a finite number.")

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
        return json.loads(decoded, object_pairs_hook=unique, parse_constant=refuse)
    except UnicodeDecodeError:
        raise InputError("portfolio", "bytes", "is not UTF-8 text", "Save the file as UTF-8 JSON.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        near = error.doc[max(0, error.pos - 10) : error.pos + 15]
        raise InputError("portfolio", near, f"is not valid JSON at {where}: {error.msg}") from None
    except RecursionError:
        raise InputError("portfolio", text[:20], "is nested too deeply") from None
    except ValueError as error:  # an integer of more than 4,300 digits
        if isinstance(error, InputError):
            raise
        raise InputError("portfolio", text[:20], "holds a number that is too long") from None
