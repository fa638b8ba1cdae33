"""Portfolios from and to other programs' formats: ccxt position lists and CSV."""

import csv
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from margin.core.errors import InputError, did_you_mean
from margin.core.portfolio import MAX_COLLATERAL, MAX_POSITIONS, MAX_TEXT, Collateral, Portfolio, Position

if TYPE_CHECKING:
    from margin.core.instruments import Instrument

CSV_COLUMNS = ("kind", "symbol", "quantity", "entry_price", "leverage")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


def positions_from_ccxt(items: list) -> tuple[Position, ...]:
    """Positions from ccxt `fetch_positions()` structures; closed ones (zero contracts) are left out.

    quantity = contracts x contractSize, signed by `side`. For an inverse contract that product is USD, so it is
    divided by markPrice (else entryPrice) to give coins. Raises InputError naming the entry.
    Source: ccxt manual, "Position Structure" (contracts is unsigned, side is 'long' or 'short').
    """
    read = (position_from_ccxt(item, f"positions[{i}]") for i, item in enumerate(items))
    return tuple(position for position in read if position is not None)


def position_from_ccxt(item: Any, where: str) -> Position | None:
    """One ccxt position structure -> Position, or None when it holds zero contracts."""
    if not isinstance(item, Mapping):
        raise InputError(where, item, "must be a ccxt position (an object)")
    if "contracts" not in item:
        hint = 'For Margin Lab\'s own format wrap the list: {"version": 1, "positions": [...]}.'
        raise InputError(where, list(item)[:6], "has no 'contracts', so it is not a ccxt position", hint)
    try:
        contracts = _float(item, "contracts")
        if not contracts:
            return None
        side = item.get("side")
        if side not in ("long", "short", None):
            raise InputError("side", side, "must be 'long' or 'short'")
        sign = math.copysign(1.0, contracts) if side is None else (1.0 if side == "long" else -1.0)
        size = _float(item, "contractSize")
        amount = sign * abs(contracts) * (1.0 if size is None else size)
        position = Position(item.get("symbol") or "", 0.0)
        entry = _float(item, "entryPrice") or None
        leverage = _float(item, "leverage") or None
        quantity = _coins(amount, position.instrument, _float(item, "markPrice") or entry)
        return Position(position.symbol, quantity, entry, leverage)
    except InputError as error:
        raise InputError(f"{where}.{error.field}", error.value, error.problem, error.hint) from None


def _coins(amount: float, instrument: "Instrument", price: float | None) -> float:
    if not instrument.is_inverse:
        return amount
    if not price:
        hint = "An inverse contract counts dollars; its price is needed to turn them into coins."
        raise InputError("markPrice", price, "is missing", hint)
    return amount / price


def _float(item: Mapping, key: str) -> float | None:
    """A ccxt number: number, numeric text or None."""
    value = item.get(key)
    if value is None:
        return None
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(key, value, "must be a finite number")
    return number


def portfolio_to_csv(portfolio: Portfolio) -> str:
    """One row per position and per collateral asset, and one for the name; floats at full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    if portfolio.name:
        writer.writerow(["name", _guard(portfolio.name), "", "", ""])
    for p in portfolio.positions:
        writer.writerow(["position", p.symbol, repr(p.quantity), _cell(p.entry_price), _cell(p.leverage)])
    for c in portfolio.collateral:
        writer.writerow(["collateral", c.asset, repr(c.quantity), "", ""])
    return out.getvalue()


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
    positions, collateral, name = [], [], ""
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(columns):
            raise InputError(f"row {number}", ",".join(row), f"has {len(row)} cells but {len(columns)} columns")
        cells = {c: cell.strip() for c, cell in zip(columns, row, strict=True)}
        kind = cells.get("kind", "") or "position"
        try:
            if kind == "name":
                name = _unguard(cells["symbol"])
            elif kind == "collateral":
                collateral.append(Collateral(cells["symbol"], _csv_number(cells, "quantity", required=True)))
            elif kind == "position":
                positions.append(
                    Position(
                        cells["symbol"],
                        _csv_number(cells, "quantity", required=True),
                        _csv_number(cells, "entry_price"),
                        _csv_number(cells, "leverage"),
                    )
                )
            else:
                raise InputError("kind", kind, "must be 'position' or 'collateral'")
        except InputError as error:
            raise InputError(f"row {number}, {error.field}", error.value, error.problem, error.hint) from None
    return Portfolio(tuple(positions), tuple(collateral), name)


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
