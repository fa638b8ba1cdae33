"""Portfolios as a CSV table of our own: written and read back exactly."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import MAX_COLLATERAL, MAX_POSITIONS, MAX_TEXT, Account, Collateral, Portfolio, Position
from margin.formats.portfolio_json import from_version_1

OLD_COLUMNS = ("kind", "symbol", "quantity", "entry_price", "leverage")  # as this program wrote them before version 2
_NUMBERS = (
    "entry_price", "leverage", "margin", "margin_coin", "mark_price", "max_leverage", "maintenance_rate",
    "maintenance_deduction", "implied_vol",
)  # fmt: skip
CSV_COLUMNS = (*OLD_COLUMNS, "mode", *_NUMBERS[2:5], "paid", *_NUMBERS[5:], "venue", "as_of")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


def portfolio_to_csv(portfolio: Portfolio) -> str:
    """One row per position and per collateral asset, one for the name, one before each named account.

    Floats at full precision. `venue_says` is not in a table: JSON carries it.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    if portfolio.name:
        writer.writerow({"kind": "name", "symbol": _guard(portfolio.name)})
    for account in portfolio.accounts:
        if len(portfolio.accounts) > 1 or account.name or account.venue or account.mode or account.as_of:
            row = {"kind": "account", "symbol": _guard(account.name), "venue": _guard(account.venue)}
            writer.writerow({**row, "mode": account.mode or "", "as_of": account.as_of or ""})
        for p in account.positions:
            row = {"kind": "position", "symbol": p.symbol, "quantity": repr(p.quantity), "mode": p.mode or ""}
            row.update({name: _cell(getattr(p, name)) for name in _NUMBERS})
            writer.writerow({**row, "paid": "" if p.paid else "no"})
        for c in account.collateral:
            row = {"kind": "collateral", "symbol": c.asset, "quantity": repr(c.quantity)}
            writer.writerow({**row, "mark_price": _cell(c.mark_price)})
    return out.getvalue()


def is_own_table(text: str) -> bool:
    """Whether the first line names nothing but our own columns, parted by commas."""
    first = text.lstrip("\ufeff \r\n").split("\n", 1)[0]
    columns = [cell.strip().strip('"').lower() for cell in first.split(",")]
    return {"symbol", "quantity"} <= set(columns) <= set(CSV_COLUMNS)


def portfolio_from_csv(text: str | bytes) -> Portfolio:
    """The inverse of `portfolio_to_csv`; a plain two-column symbol,quantity table is read as positions."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("portfolio", "bytes", "is not UTF-8 text", "Save the file as UTF-8 CSV.") from None
    if len(text) > MAX_TEXT:
        raise InputError("portfolio", f"{len(text)} characters", "is too large", f"At most {MAX_TEXT}.")
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise InputError("portfolio", text[:30], f"is not a CSV table: {error}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError("portfolio", text[:30], "is empty", "The first line names the columns: symbol,quantity.")
    if len(rows) > MAX_POSITIONS + MAX_COLLATERAL + 2:
        raise InputError("portfolio", f"{len(rows)} rows", "has too many rows", f"At most {MAX_POSITIONS} positions.")
    columns = [cell.strip().lower() for cell in rows[0]]
    for column in columns:
        if column not in CSV_COLUMNS:
            hint = did_you_mean(column, CSV_COLUMNS) or f"Known columns: {', '.join(CSV_COLUMNS)}."
            raise InputError("line 1", column, "has an unknown column", hint)
    for needed in ("symbol", "quantity"):
        if columns.count(needed) != 1:
            raise InputError("line 1", ",".join(columns), f"needs one column '{needed}'")
    accounts: list[tuple[dict[str, Any], list[Position], list[Collateral]]] = [({}, [], [])]
    name = ""
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            raise InputError(f"row {number}", ",".join(row), f"has {len(row)} cells but {len(columns)} columns")
        cells = {c: cell.strip() for c, cell in zip(columns, row, strict=True)}
        kind = cells.get("kind", "") or "position"
        try:
            if kind == "name":
                name = _unguard(cells["symbol"])
            elif kind == "collateral":
                quantity = _csv_number(cells, "quantity", required=True)
                accounts[-1][2].append(Collateral(cells["symbol"], quantity, _csv_number(cells, "mark_price")))
            elif kind == "position":
                accounts[-1][1].append(_csv_position(cells))
            elif kind == "account":
                accounts.append((_csv_account(cells), [], []))
            else:
                raise InputError("kind", kind, "must be 'position', 'collateral', 'account' or 'name'")
        except InputError as error:
            raise InputError(f"row {number}, {error.field}", error.value, error.problem, error.hint) from None
    if len(accounts) > 1 and not accounts[0][1] and not accounts[0][2]:
        accounts = accounts[1:]
    notes: list[str] = []
    made = []
    for plain, positions, collateral in accounts:
        if tuple(columns) == OLD_COLUMNS:
            read, said = from_version_1(tuple(positions))
            positions, notes = list(read), [*notes, *said]
        made.append(Account(positions=tuple(positions), collateral=tuple(collateral), **plain))
    return Portfolio(accounts=made, name=name, notes=notes)


def _csv_position(cells: Mapping[str, str]) -> Position:
    paid = cells.get("paid", "").lower()
    if paid not in ("", "yes", "no", "true", "false"):
        raise InputError("paid", paid, "must be yes or no")
    return Position(
        cells["symbol"],
        _csv_number(cells, "quantity", required=True),
        mode=cells.get("mode") or None,  # type: ignore[arg-type]
        paid=paid not in ("no", "false"),
        **{name: _csv_number(cells, name) for name in _NUMBERS},
    )


def _csv_account(cells: Mapping[str, str]) -> dict[str, Any]:
    plain = {key: _unguard(cells[key]) for key in ("venue", "mode", "as_of") if cells.get(key)}
    return {"name": _unguard(cells["symbol"]), **plain}


def _csv_number(cells: Mapping[str, str], column: str, required: bool = False) -> Any:
    text = cells.get(column, "")
    if not text:
        if required:
            raise InputError(column, text, "is missing")
        return None
    try:
        return float(text) if "_" not in text else float("nan_")
    except ValueError:
        hint = "Use a point for decimals and no thousands separator."
        raise InputError(column, text, "must be a number", hint) from None


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _guard(text: str) -> str:
    """Spreadsheets run cells that start like a formula; a leading apostrophe keeps them text."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def _unguard(text: str) -> str:
    return text[1:] if text.startswith("'") else text
