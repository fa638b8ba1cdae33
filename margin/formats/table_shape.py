"""The shape of a pasted table: how its cells are parted, which columns it has, whose page it is."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from margin.core.errors import InputError
from margin.formats.price_words import fold
from margin.formats.table_lines import Row, is_number, joined, logical_lines, one_a_line
from margin.formats.table_names import TIMES
from margin.formats.table_numbers import Number, decimal_comma, point_may_be_thousands, read_number
from margin.formats.table_words import DERIVATIVE, WEAK, column_of, side_of

MAX_LINES = 5_000
MOST = 50  # tables of a text
Columns = dict[str, tuple[int, str]]
HINT = "Name the columns, e.g. symbol, side, size, entry; or paste JSON."
TOP = 10  # lines within which a header of two known columns is looked for; one of four may stand anywhere


@dataclass(frozen=True, kw_only=True)
class Table:
    """columns: name -> (index, unit); derivative: whether its header or rows can only be of derivatives.

    cells  : how many a row must have for its figures to be told apart, 0 where separators do
    unsure : a number such as 10.000 where nothing says what its point means
    """

    columns: dict[str, tuple[int, str]]
    rows: list[tuple[int, list[str]]]
    comma: bool
    derivative: bool
    venue: str
    signed: bool = False  # a size below zero stands somewhere, so the others are long
    cells: int = 0
    unsure: str = ""


def sections(text: str) -> list[str]:
    """The tables in a text, one under the other, each from its header on; a line keeps its number."""
    lines = text.splitlines()
    heads = []
    for mark in ("\t", ";", "|", ","):
        heads = [i for i, line in enumerate(lines) if line.count(mark) > 0 and _is_header(_cells(line, mark))]
        if heads:
            break
    if len(heads) < 2 or len(heads) > MOST:
        return [text]
    edges = [0, *heads[1:], len(lines)]
    return ["\n" * start + "\n".join(lines[start:end]) for start, end in pairwise(edges)]


def parse_table(text: str) -> Table:
    """The table in `text`: its columns, rows and page. Raises InputError where it is none."""
    lines = [(i, line) for i, line in logical_lines(text) if line.strip(" \t\r\n;,|")]
    if len(lines) > MAX_LINES:
        raise InputError("table", f"{len(lines)} lines", "has too many lines", f"At most {MAX_LINES}.")
    if not lines:
        raise InputError("table", text[:30], "is no table of positions", HINT)
    split = _splitter(lines)
    rows = [(i, split(line)) for i, line in lines if not re.fullmatch(r"[\s|:+=-]+", line)]
    head = _head(rows)
    as_lines = one_a_line(lines) if head is None or _mostly_single(rows[head + 1 :]) else None
    if as_lines is not None:
        rows, head = as_lines, 0
    elif head is not None:
        named = [column_of(cell)[0] for cell in rows[head][1]]
        rows = joined(
            rows,
            head,
            1 + max((i for i, c in enumerate(named) if c in ("size", "symbol")), default=0),
            {"balance", "size"} & set(named) == {"balance"},
        )
    rows = _without_index(rows, head)
    if head is None:
        columns, body = _without_header(rows), rows
    else:
        columns, body = {}, rows[head + 1 :]
        for index, cell in enumerate(rows[head][1]):
            column, unit = column_of(cell)
            if column and (column not in columns or _weak(rows[head][1][columns[column][0]]) > _weak(cell)):
                columns[column] = (index, unit)
        columns = _settled(columns, rows[head][1], body)
    if "symbol" not in columns or not {"size", "balance", "value"} & set(columns):
        shown = " | ".join(rows[0][1])[:60] if rows else text[:30]
        raise InputError("table", shown, "is no table of positions: no column names what is held and how much", HINT)
    if not body:
        raise InputError("table", " | ".join(rows[0][1])[:60], "has column names and no row below them")
    numeric = [i for c, (i, _) in columns.items() if c not in ("symbol", "side", "mode", "venue", "account", "kind")]
    cells_of = [cells[i] for _, cells in body for i in numeric if i < len(cells)]
    comma, unsure = decimal_comma(cells_of), point_may_be_thousands(cells_of)
    if unsure and not comma:  # spreadsheets part cells by semicolons where the comma parts decimals
        comma = as_lines is None and any(";" in line for _, line in lines) and "\t" not in text
    found = Table(columns=columns, rows=body, comma=comma, derivative=False, venue="")
    named = [cell for cell in rows[head][1] if column_of(cell)[0] == "mark_price"] if head is not None else []
    marked = any(re.search("mark(?!t|et)|marq|marc|oracle|\u6807\u8bb0|\u6a19\u8a18", fold(cell)) for cell in named)
    derivative = bool(DERIVATIVE & set(columns)) or marked or any(_looks_derivative(found, cells) for _, cells in body)
    signed = any(_negative(found, cells) for _, cells in body)
    venue = _venue(found, rows[head][1] if head is not None else [])
    least = 1 + max(index for index, _ in columns.values()) if as_lines is not None else 0
    return Table(
        columns=columns,
        rows=body,
        comma=comma,
        derivative=derivative,
        venue=venue,
        signed=signed,
        cells=least,
        unsure=unsure,
    )


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
        many = sum(mark in line for _, line in lines) > len(lines) / 3
        if many or any(line.count(mark) > 1 and _is_header(_cells(line, mark)) for _, line in lines):
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


def _head(rows: list[Row]) -> int | None:
    """Where the columns are named."""
    for k, (_, cells) in enumerate(rows):
        if _is_header(cells) and (k < TOP or len([c for c in cells if column_of(c)[0]]) > 3):
            return k
    return None


def _weak(header: str) -> int:
    """How little a column's name says: a cost may be of everything, a share is no profit; `Entry price` says all."""
    return 1 if fold(header) in WEAK or header.rstrip(" )").endswith("%") else 0


def _mostly_single(body: list[Row]) -> bool:
    return bool(body) and sum(len(cells) == 1 for _, cells in body) > 0.9 * len(body)


def _is_header(cells: list[str]) -> bool:
    known = [column_of(cell)[0] for cell in cells]
    numbers = any(is_number(c) and not re.match(r"\d+\s?[hHdD]\b", c) for c in cells)
    return "symbol" in known and len([k for k in known if k]) >= 2 and not numbers


def _settled(columns: Columns, header: list[str], body: list[Row]) -> Columns:
    """Which of several columns that may be the name it is: `Position` may hold sides, `Contracts` and it the size."""
    names = [i for i, cell in enumerate(header) if column_of(cell)[0] == "symbol"]
    if len(names) > 1:
        sides = [i for i in names if _are(body, i, lambda cell: side_of(cell) != 0)]
        sizes = [i for i in names if i not in sides and _are(body, i, is_number)]
        if "side" not in columns and sides:
            columns["side"] = (sides[0], "")
        if "size" not in columns and sizes:
            columns["size"] = (sizes[-1], column_of(header[sizes[-1]])[1])
        if left := [i for i in names if i not in (*sides, *sizes)]:
            columns["symbol"] = (left[0], "")
    if "size" not in columns and "balance" not in columns and "value" in columns and body:
        unit = columns["value"][1] or "USD"
        columns["size"] = (columns["value"][0], unit)
        del columns["value"]
    return columns


def _are(body: list[Row], index: int, known: Callable[[str], object]) -> bool:
    """Whether most of what stands in a column is so."""
    cells = [cells[index] for _, cells in body if index < len(cells) and cells[index]]
    return bool(cells) and sum(bool(known(cell)) for cell in cells) > len(cells) / 2


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
        elif is_number(cell):
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
    if found is None:
        return None
    unit = found.unit or table.columns.get(column, (-1, ""))[1]
    return Number(found.value, "BTC" if unit == "XBT" else unit)


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
    if {"breakevenprice", "marginratio"} <= words or {"liqprice", "marginratio", "symbol"} <= words:
        return "binance"
    if "oracleprice" in words:
        return "dydx"
    if "contracts" in words and "qty" in words:
        return "bybit"
    if "floatingpnl" in words and {"estliqprice", "avgopenprice", "mmr"} & words:
        return "okx"
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
