"""The shape of a pasted table: how its cells are parted, which columns it has, whose page it is."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

from margin.core.errors import InputError
from margin.formats.price_words import fold
from margin.formats.table_numbers import Number, decimal_comma, read_number
from margin.formats.table_words import DERIVATIVE, column_of, side_of

MAX_LINES = 5_000
Columns = dict[str, tuple[int, str]]
HINT = "Name the columns, e.g. symbol, side, size, entry; or paste JSON."
TIMES = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*[xX\u00d7]")


@dataclass(frozen=True, kw_only=True)
class Table:
    """columns: name -> (index, unit); derivative: whether its header or rows can only be of derivatives."""

    columns: dict[str, tuple[int, str]]
    rows: list[tuple[int, list[str]]]
    comma: bool
    derivative: bool
    venue: str
    signed: bool = False  # a size below zero stands somewhere, so the others are long


def parse_table(text: str) -> Table:
    """The table in `text`: its columns, rows and page. Raises InputError where it is none."""
    lines = [(i, line) for i, line in enumerate(text.splitlines(), start=1) if line.strip(" \t\r\n;,|")]
    if len(lines) > MAX_LINES:
        raise InputError("table", f"{len(lines)} lines", "has too many lines", f"At most {MAX_LINES}.")
    if not lines:
        raise InputError("table", text[:30], "is no table of positions", HINT)
    split = _splitter(lines)
    rows = [(i, split(line)) for i, line in lines if not re.fullmatch(r"[\s|:+=-]+", line)]
    rows = _joined(rows)
    head = next((k for k, (_, cells) in enumerate(rows[:10]) if _is_header(cells)), None)
    rows = _without_index(rows, head)
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
    found = Table(columns=columns, rows=body, comma=decimal_comma(cells_of), derivative=False, venue="")
    derivative = bool(DERIVATIVE & set(columns)) or any(_looks_derivative(found, cells) for _, cells in body)
    signed = any(_negative(found, cells) for _, cells in body)
    venue = _venue(found, rows[head][1] if head is not None else [])
    return Table(columns=columns, rows=body, comma=found.comma, derivative=derivative, venue=venue, signed=signed)


def _without_index(rows: list[tuple[int, list[str]]], head: int | None) -> list[tuple[int, list[str]]]:
    """Rows of a printed data frame, which have their number before the first column that is named."""
    if head is None:
        return rows
    width, body = len(rows[head][1]), rows[head + 1 :]
    if not body or any(len(cells) != width + 1 or not cells[0].isdecimal() for _, cells in body):
        return rows
    return [*rows[: head + 1], *((line, cells[1:]) for line, cells in body)]


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


def _settled(columns: Columns, header: list[str], body: list[tuple[int, list[str]]]) -> Columns:
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
            if TIMES.fullmatch(cell.strip()):
                columns["leverage"] = (index, "")
            elif name := next(names, None):
                columns[name] = (index, "")
        elif "symbol" not in columns and cell:
            columns["symbol"] = (index, "")
    return columns


def cell_of(table: Table, cells: list[str], column: str) -> str:
    """What a row says in `column`; "" without one."""
    index = table.columns.get(column, (-1, ""))[0]
    return cells[index].strip() if 0 <= index < len(cells) else ""


def number_of(table: Table, cells: list[str], column: str) -> Number | None:
    """The number a row gives in `column`, with the unit of the cell or else of the column's name; None for none."""
    found = read_number(cell_of(table, cells, column), table.comma, column)
    if found is not None and not found.unit and column in table.columns:
        return Number(found.value, table.columns[column][1])
    return found


def _looks_derivative(table: Table, cells: list[str]) -> bool:
    side = fold(cell_of(table, cells, "side"))
    name = fold(cell_of(table, cells, "symbol"))
    return side in ("long", "short", "buylong", "sellshort") or name.endswith(
        ("perp", "perpetual", "swap", "perpcross")
    )


def _venue(table: Table, header: list[str]) -> str:
    """The venue whose page it is, by what only that page has; "" where it can't be told."""
    words = {fold(cell) for cell in header}
    if {"coin", "positionvalue", "funding"} <= words:
        return "hyperliquid"
    if {"breakevenprice", "marginratio"} <= words:
        return "binance"
    names = [cell_of(table, cells, "symbol").upper() for _, cells in table.rows]
    if names and all(re.match(r"[A-Z0-9_]+-(PERPETUAL|\d{1,2}[A-Z]{3}\d{2})", name) for name in names):
        return "deribit"
    if names and all(re.match(r"[A-Z0-9-]+-(SWAP|\d{6})", name) for name in names):
        return "okx"
    return ""


def _negative(table: Table, cells: list[str]) -> bool:
    try:
        found = read_number(cell_of(table, cells, "size"), table.comma)
    except InputError:
        return False
    return found is not None and found.value < 0
