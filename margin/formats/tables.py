"""A pasted table of positions or balances, parted by tabs, semicolons, commas or bars; own words or a venue's.

A row that can't be read is set aside by name. Sizes are units, or what is written beside them (BTC, USDT, contracts);
with a mark price they are checked against a value column.
"""

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from margin.core.errors import InputError
from margin.core.instruments import USD_LIKE, Instrument
from margin.core.position import Collateral, Position
from margin.formats.contract_names import unify
from margin.formats.found import Part
from margin.formats.price_words import fold
from margin.formats.table_numbers import Number, decimal_comma, read_number
from margin.formats.table_words import CROSS, DERIVATIVE, ISOLATED, column_of, side_of

MAX_LINES = 5_000
_Columns = dict[str, tuple[int, str]]
CONTRACT_UNITS = frozenset(("CONT", "CONTS", "CONTRACT", "CONTRACTS", "LOT", "LOTS"))
HINT = "Name the columns, e.g. symbol, side, size, entry; or paste JSON."
_TIMES = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*[xX\u00d7]")


@dataclass(frozen=True)
class _Table:
    """columns: name -> (index, unit); derivative: whether its header or rows can only be of derivatives."""

    columns: dict[str, tuple[int, str]]
    rows: list[tuple[int, list[str]]]
    comma: bool
    derivative: bool
    venue: str
    signed: bool = False  # a size below zero stands somewhere, so the others are long


def read_table(text: str, pairs: bool | None = None) -> Part:
    """The part of an account that a table tells. `pairs`: what BTCUSDT means where the table does not say.

    Raises InputError where it is no such table, or no row of it can be read.
    """
    table = _parse(text)
    derivative = True if table.derivative else pairs
    part = Part(venue=table.venue)
    if table.venue:
        part.mode = "cross"
    for line, cells in table.rows:
        name = _cell(table, cells, "symbol")
        try:
            _row(table, cells, part, derivative)
        except InputError as error:
            part.set_aside(f"line {line}", name[:60], error)
    return part


def _parse(text: str) -> _Table:
    lines = [(i, line) for i, line in enumerate(text.splitlines(), start=1) if line.strip(" \t\r\n;,|")]
    if len(lines) > MAX_LINES:
        raise InputError("table", f"{len(lines)} lines", "has too many lines", f"At most {MAX_LINES}.")
    if not lines:
        raise InputError("table", text[:30], "is no table of positions", HINT)
    split = _splitter(lines)
    rows = [(i, split(line)) for i, line in lines if not re.fullmatch(r"[\s|:+=-]+", line)]
    rows = _joined(rows)
    head = next((k for k, (_, cells) in enumerate(rows[:10]) if _is_header(cells)), None)
    if head is None:
        columns, body = _without_header(rows), rows
    else:
        columns, body = {}, rows[head + 1 :]
        for index, cell in enumerate(rows[head][1]):
            column, unit = column_of(cell)
            if column and column not in columns:
                columns[column] = (index, unit)
        columns = _settled(columns, rows[head][1], body)
    if "symbol" not in columns or not {"size", "balance", "value"} & set(columns):
        shown = " | ".join(rows[0][1])[:60] if rows else text[:30]
        raise InputError("table", shown, "is no table of positions: no column names what is held and how much", HINT)
    if not body:
        raise InputError("table", " | ".join(rows[0][1])[:60], "has column names and no row below them")
    numeric = [i for c, (i, _) in columns.items() if c not in ("symbol", "side", "mode", "venue", "account", "kind")]
    cells_of = [cells[i] for _, cells in body for i in numeric if i < len(cells)]
    found = _Table(columns, body, decimal_comma(cells_of), False, "")
    derivative = bool(DERIVATIVE & set(columns)) or any(_looks_derivative(found, cells) for _, cells in body)
    signed = any(_negative(found, cells) for _, cells in body)
    venue = _venue(found, rows[head][1] if head is not None else [])
    return _Table(columns, body, found.comma, derivative, venue, signed)


def _splitter(lines: list[tuple[int, str]]) -> Callable[[str], list[str]]:
    """How the cells of a line are told apart: the first separator that a third of the lines have."""
    for mark in ("\t", ";", "|"):
        if sum(mark in line for _, line in lines) > len(lines) / 3:
            return lambda line: _cells(line, mark)
    counts = {len(_cells(line, ",")) for _, line in lines}
    if max(counts) > 1 and not all("  " in line.strip() for _, line in lines):
        return lambda line: _cells(line, ",")
    if any("  " in line.strip() for _, line in lines):
        return lambda line: re.split(r"\s{2,}", line.strip())
    return lambda line: line.split()


def _cells(line: str, mark: str) -> list[str]:
    plain = line.strip(" \r\n") if mark != "|" else line.strip().strip("|")
    try:
        row = next(csv.reader(io.StringIO(plain), delimiter=mark), [])
    except csv.Error:
        row = plain.split(mark)
    return [cell.strip() for cell in row]


def _joined(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Pages break a cell into lines when copied: a name alone belongs to the row below it."""
    header = next((cells for _, cells in rows[:10] if _is_header(cells)), [])
    width = len(header) or max((len(cells) for _, cells in rows), default=0)
    if width < 3:
        return rows
    out: list[tuple[int, list[str]]] = []
    waiting: list[str] = []
    for line, cells in rows:
        if len(cells) == 1:
            if (cells[0][:1].isalpha() and not side_of(cells[0])) or waiting or not out:
                waiting.append(cells[0])
            continue
        if waiting and not _is_header(cells) and len(cells) < width:
            cells = [" ".join(waiting), *cells]
        elif waiting and not _is_header(cells):
            cells = [" ".join([*waiting, cells[0]]).strip(), *cells[1:]]
        waiting = []
        out.append((line, cells))
    return out


def _is_header(cells: list[str]) -> bool:
    known = [column_of(cell)[0] for cell in cells]
    return "symbol" in known and len([k for k in known if k]) >= 2 and not any(_is_number(c) for c in cells)


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[+\-\u2212$]*\s?[\d.,' ]*\d[\d.,']*\s?[A-Za-z%]{0,8}", cell.strip()))


def _settled(columns: _Columns, header: list[str], body: list[tuple[int, list[str]]]) -> _Columns:
    """Bybit calls the name `Contracts`; where `Contracts` stands beside another name it is the size."""
    names = [i for i, cell in enumerate(header) if column_of(cell)[0] == "symbol"]
    if "size" not in columns:
        for i in reversed(names):
            if fold(header[i]) in ("contracts", "position", "contract", "asset") and len(names) > 1:
                columns["size"] = (i, "")
                columns["symbol"] = (next(k for k in names if k != i), "")
                return columns
    if "size" not in columns and "balance" not in columns and "value" in columns and body:
        unit = columns["value"][1] or "USD"
        columns["size"] = (columns["value"][0], unit)
        del columns["value"]
    return columns


def _without_header(rows: list[tuple[int, list[str]]]) -> dict[str, tuple[int, str]]:
    """symbol [side] size [entry] [leverage]: the order in which traders write it."""
    if not rows:
        return {}
    first = rows[0][1]
    columns: dict[str, tuple[int, str]] = {}
    names = iter(("size", "entry_price", "leverage"))
    for index, cell in enumerate(first):
        if side_of(cell) and "side" not in columns:
            columns["side"] = (index, "")
        elif _is_number(cell):
            if _TIMES.fullmatch(cell.strip()):
                columns["leverage"] = (index, "")
            elif name := next(names, None):
                columns[name] = (index, "")
        elif "symbol" not in columns and cell:
            columns["symbol"] = (index, "")
    return columns


def _cell(table: _Table, cells: list[str], column: str) -> str:
    index = table.columns.get(column, (-1, ""))[0]
    return cells[index].strip() if 0 <= index < len(cells) else ""


def _number(table: _Table, cells: list[str], column: str) -> Number | None:
    found = read_number(_cell(table, cells, column), table.comma, column)
    if found is not None and not found.unit and column in table.columns:
        return Number(found.value, table.columns[column][1])
    return found


def _looks_derivative(table: _Table, cells: list[str]) -> bool:
    side = fold(_cell(table, cells, "side"))
    name = fold(_cell(table, cells, "symbol"))
    return side in ("long", "short", "buylong", "sellshort") or name.endswith(
        ("perp", "perpetual", "swap", "perpcross")
    )


def _venue(table: _Table, header: list[str]) -> str:
    """The venue whose page it is, by what only that page has; "" where it can't be told."""
    words = {fold(cell) for cell in header}
    if {"coin", "positionvalue", "funding"} <= words:
        return "hyperliquid"
    if {"breakevenprice", "marginratio"} <= words:
        return "binance"
    names = [_cell(table, cells, "symbol").upper() for _, cells in table.rows]
    if names and all(re.match(r"[A-Z0-9_]+-(PERPETUAL|\d{1,2}[A-Z]{3}\d{2})", name) for name in names):
        return "deribit"
    if names and all(re.match(r"[A-Z0-9-]+-(SWAP|\d{6})", name) for name in names):
        return "okx"
    return ""


def _row(table: _Table, cells: list[str], part: Part, derivative: bool | None) -> None:
    name, said = _name(_cell(table, cells, "symbol"))
    if not name:
        raise InputError("symbol", "", "is missing")
    if ("balance" in table.columns and "size" not in table.columns) or _is_balance(table, cells, name):
        found = _number(table, cells, "balance" if "size" not in table.columns else "size")
        if found is not None:
            part.owes(Collateral(name.upper(), found.value).asset, found.value)
        return
    venue = part.venue
    plain = name.upper()
    if re.fullmatch(r"[A-Z0-9.]{1,10}", plain) and _is_bare(plain):
        if not derivative:
            hint = f"Write {plain}/USD for coins you own, {plain}/USDT:USDT for the perpetual."
            raise InputError("symbol", name, "may be coins you own, coins lent, or a contract", hint)
        symbol = unify(plain, venue) if venue == "hyperliquid" else f"{plain}/USDT:USDT"
        if not venue:
            part.notes.append(f"{plain} in a table of derivatives is read as {symbol}.")
    else:
        symbol = unify(name, venue, True if said.get("perpetual") else derivative)
    instrument = Position(symbol, 0.0).instrument
    size = _number(table, cells, "size")
    if size is None:
        raise InputError("size", _cell(table, cells, "size"), "is missing")
    if not size.value:
        part.closed += 1
        return
    mark, entry = _number(table, cells, "mark_price"), _number(table, cells, "entry_price")
    value = _number(table, cells, "value")
    quantity = _quantity(instrument, size, mark, value)
    entry_usd, mark_usd = _premium(instrument, entry, mark, part)
    sign = _sign(table, cells, said, size, quantity, entry_usd, mark_usd, instrument, part)
    leverage = _number(table, cells, "leverage")
    mode = _mode(fold(_cell(table, cells, "mode"))) or _mode(fold(_cell(table, cells, "leverage"))) or said.get("mode")
    margin = _number(table, cells, "margin")
    contract = instrument.kind in ("perpetual", "future")
    if contract and not mode:
        mode = _mode(fold(_cell(table, cells, "margin")))
    isolated = contract and mode == "isolated"
    posted = margin.value if isolated and margin is not None and margin.value > 0 else None
    if posted is not None:
        part.notes.append(f"{symbol}: the margin column is taken as what was posted to the isolated position.")
    vol = _number(table, cells, "implied_vol")
    coin = instrument.is_inverse and margin is not None and margin.unit == instrument.base
    position = Position(
        symbol,
        sign * quantity,
        entry_usd,
        leverage.value if leverage is not None and leverage.value > 0 else said.get("leverage"),
        mode="isolated" if isolated else None,
        margin=None if coin else posted,
        margin_coin=posted if coin else None,
        mark_price=mark_usd,
        implied_vol=_vol(vol) if instrument.is_option else None,
    )
    liquidation = _number(table, cells, "liquidation") if "liquidation" in table.columns and contract else None
    if liquidation is not None and liquidation.value > 0:
        part.held(position, liquidation_prices=liquidation.value)
    else:
        part.held(position)


def _is_bare(name: str) -> bool:
    try:
        unify(name, "", False)
    except InputError:
        return True
    return False


def _is_balance(table: _Table, cells: list[str], name: str) -> bool:
    kind = fold(_cell(table, cells, "kind"))
    return name.upper() in USD_LIKE or kind in ("collateral", "balance", "cash")


def _name(cell: str) -> tuple[str, dict[str, Any]]:
    """The instrument's name, and what else pages write into the same cell: Perp, 20x, Cross, Long."""
    said: dict[str, Any] = {}
    kept: list[str] = []
    for word in cell.replace("\u00b7", " ").replace("(", " ").replace(")", " ").split():
        plain = fold(word)
        if times := _TIMES.fullmatch(word):
            said["leverage"] = float(times[1])
        elif plain in ("perp", "perpetual", "perps", "swap"):
            said["perpetual"] = True
        elif mode := _mode(plain):
            said["mode"] = mode
        elif plain in ("long", "short", "buy", "sell"):
            said["side"] = side_of(word)
        elif plain in ("linear", "inverse", "usdsm", "coinm", "unified") and kept:
            continue
        else:
            kept.append(word)
    if len(kept) == 2 and fold(kept[0]) == fold(kept[1]):
        kept = kept[:1]
    return " ".join(kept), said


def _mode(word: str) -> str | None:
    for known, mode in ((ISOLATED, "isolated"), (CROSS, "cross")):
        if word in known or any(word.endswith(k) and not word.isalpha() for k in known):
            return mode
    return None


def _quantity(instrument: Instrument, size: Number, mark: Number | None, value: Number | None) -> float:
    """Units (dollars of face) of the size as written, checked against the value column."""
    amount, unit = abs(size.value), size.unit
    price = mark.value if mark is not None and mark.value > 0 else None
    if unit in CONTRACT_UNITS:
        if value is None or price is None:
            hint = "Give the size in coins, or a value and a mark price beside it."
            raise InputError("size", f"{amount:g} {unit.lower()}", "counts contracts of unknown size", hint)
        return abs(value.value) if instrument.is_inverse else abs(value.value) / price
    if instrument.is_inverse and unit == instrument.base:
        if price is None:
            raise InputError("mark price", None, f"is missing, so dollars of {amount:g} {unit} are unknown")
        amount *= price
    elif not instrument.is_inverse and unit in USD_LIKE:
        if price is None:
            raise InputError("mark price", None, f"is missing, so coins for {amount:g} {unit} are unknown")
        amount /= price
    elif unit and unit not in USD_LIKE and unit != instrument.base and not instrument.base.endswith(unit):
        raise InputError("size", f"{size.value:g} {unit}", f"is not counted in {instrument.base}")
    if value is not None and price is not None and not instrument.is_option and unit not in USD_LIKE and value.value:
        expected = amount / price if instrument.is_inverse and value.unit == instrument.base else amount
        expected = amount * price if not instrument.is_inverse else expected
        shown = abs(value.value)
        if not instrument.is_inverse and value.unit == instrument.base:
            expected = amount
        if not math.isclose(shown, expected, rel_tol=0.03):
            problem = f"does not fit a size of {size.value:g} at a mark price of {price:g} ({expected:,.2f})"
            raise InputError("value", value.value, problem, "Check size, mark price and value.")
    return amount


def _premium(
    instrument: Instrument, entry: Number | None, mark: Number | None, part: Part
) -> tuple[float | None, float | None]:
    """Entry and mark in dollars; an option's premium in coins is left out, with a note."""
    out = []
    for number in (entry, mark):
        price = number.value if number is not None and number.value > 0 else None
        coins = instrument.is_option and instrument.settle == instrument.base and price is not None
        if coins and number is not None and number.unit not in USD_LIKE:
            part.notes.append(f"{instrument.symbol}: its premium is in coins and is left out; write it in US dollars.")
            price = None
        out.append(price)
    return out[0], out[1]


def _sign(
    table: _Table,
    cells: list[str],
    said: dict[str, Any],
    size: Number,
    quantity: float,
    entry: float | None,
    mark: float | None,
    instrument: Instrument,
    part: Part,
) -> float:
    """Long or short: by its column, its sign, or where neither says, by profit, entry and mark."""
    word = _cell(table, cells, "side")
    side = side_of(word) or said.get("side", 0.0)
    if word and not side_of(word) and "type" not in fold(word) and fold(word) not in ("both", "net"):
        raise InputError("side", word, "is neither long nor short")
    if side:
        if size.value < 0 and side > 0:
            raise InputError("size", size.value, "is below zero, but the side is long")
        return float(side)
    if size.value < 0:
        return -1.0
    if table.signed:
        return 1.0
    profit = _number(table, cells, "pnl")
    if profit is not None and entry and mark and entry != mark and profit.value:
        moved = quantity * (mark / entry - 1.0) if instrument.is_inverse else quantity * (mark - entry)
        if instrument.is_inverse and profit.unit == instrument.base:
            moved /= mark
        if math.isclose(abs(moved), abs(profit.value), rel_tol=0.1):
            sign = math.copysign(1.0, moved * profit.value)
            word = "long" if sign > 0 else "short"
            part.notes.append(f"{instrument.symbol}: no side is given; by its profit it is {word}.")
            return sign
    liquidation = _number(table, cells, "liquidation") if "liquidation" in table.columns else None
    if liquidation is not None and liquidation.value > 0 and mark and liquidation.value > mark:
        part.notes.append(f"{instrument.symbol}: no side is given; its liquidation price above the mark means short.")
        return -1.0
    return 1.0


def _negative(table: _Table, cells: list[str]) -> bool:
    try:
        found = read_number(_cell(table, cells, "size"), table.comma)
    except InputError:
        return False
    return found is not None and found.value < 0


def _vol(number: Number | None) -> float | None:
    """65% and 65 and 0.65 are all 65% a year."""
    if number is None or number.value <= 0:
        return None
    return number.value / 100.0 if number.unit == "%" or number.value > 5.0 else number.value
