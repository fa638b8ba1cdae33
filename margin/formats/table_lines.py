"""Rows of a table that a browser broke into lines: cells of several lines, one cell a line, a card for every position.

A page's table is copied with a tab between its cells and a line break wherever a cell has one; a page that draws its
table of blocks is copied as one cell a line, and a phone's page as names and figures in turn.
"""

import re
from collections.abc import Iterable

from margin.core.instruments import USD_LIKE
from margin.formats.table_names import TIMES, may_be_coin, mode_of, name_in, names_contract
from margin.formats.table_numbers import EMPTY
from margin.formats.table_words import COLUMNS, UNITS, column_of, side_of

Row = tuple[int, list[str]]
_NUMBER = re.compile(
    r"[+\-\u2212\u2013(]?\s?(?:US)?[$\u20ac\u00a3]?\s?[+\-\u2212]?\s?[\d.,'\u2019\u00a0\u202f ]*\d[\d.,'\u2019]*"
    r"\s?\d{0,7}[A-Za-z%]{0,10}\)?(?:\s*\(.*\))?"
)
_BESIDE = ("side", "mode", "leverage", "kind")  # columns whose words stand beside the name where cells are lines


def is_number(cell: str) -> bool:
    """Whether a cell is a number, perhaps with a sign, a currency and a unit."""
    return bool(_NUMBER.fullmatch(cell.strip()))


def logical_lines(text: str) -> list[tuple[int, str]]:
    """(number, line) of every line; a quoted cell with line breaks, as spreadsheets write it, is one line."""
    out: list[tuple[int, str]] = []
    opened = False
    for number, line in enumerate(text.splitlines(), start=1):
        odd = line.count('"') % 2 == 1
        if opened:
            out[-1] = (out[-1][0], f"{out[-1][1]} {line.strip()}")
            opened = not odd
        else:
            out.append((number, line))
            opened = odd and re.search(r'(?:^|[\t;,|])\s*"[^"]*$', line) is not None
    return out if not opened else list(enumerate(text.splitlines(), start=1))


def joined(rows: list[Row], head: int, needed: int, coins: bool = False) -> list[Row]:
    """The rows with the pieces of each put together again.

    head   : index of the header, which tells how many cells a row has
    needed : cells up to the size: a row with as many may be followed by another
    coins  : the rows are of coins, dollars among them, and USDT on a line of its own is no unit
    """
    width = len(rows[head][1])
    first = head + 1
    header = rows[head][1]
    while first < len(rows) - 1 and _continues_header(rows[first][1]):
        header = _glued(header, rows[first][1])
        width, first = len(header), first + 1
    out: list[Row] = []
    for line, cells in rows[first:]:
        if out and _belongs(out[-1][1], cells, width, needed, coins):
            before = out[-1][1]
            apart = len(before) == 1 and len(cells) < width and is_number(cells[0]) and not TIMES.fullmatch(cells[0])
            out[-1] = (out[-1][0], [*before, *cells] if apart else _glued(before, cells))
        else:
            out.append((line, cells))
    return [*rows[:head], (rows[head][0], header), *out]


def _continues_header(cells: list[str]) -> bool:
    """(ROI %) and what follows it: a piece of a header's cell stands in brackets."""
    return cells[0].startswith("(") and not any(character.isdigit() for cell in cells for character in cell)


def _glued(before: list[str], cells: list[str]) -> list[str]:
    return [*before[:-1], f"{before[-1]} {cells[0]}".strip(), *cells[1:]]


def _belongs(before: list[str], cells: list[str], width: int, needed: int, coins: bool) -> bool:
    """Whether a line goes on with the row before it."""
    have = len(before)
    coin = may_be_coin(cells[0]) or (coins and cells[0] in USD_LIKE)
    if names_contract(cells[0]) or (coin and have >= needed):
        return False
    if len(cells) == 1:
        return have < width or not cells[0][:1].isalpha() or not _alone(cells[0])
    if have + len(cells) - 1 > width:
        return False
    piece = not cells[0] or cells[0].startswith("(") or is_number(cells[0]) or not name_in(cells[0])[0]
    return piece or have == 1


def _alone(cell: str) -> bool:
    """A line of words under a whole row: the last cell's second line is one short word (Limit), a note is more."""
    return len(cell.split()) > 2


def one_a_line(lines: list[tuple[int, str]]) -> list[Row] | None:
    """The header and the rows of a page copied as one cell a line, or as cards; None where it is neither."""
    pieces = [(number, part.strip()) for number, line in lines for part in line.split("\t") if part.strip()]
    starts = [i for i, (_, piece) in enumerate(pieces) if names_contract(piece)]
    labels = [i for i, (_, piece) in enumerate(pieces) if column_of(piece)[0]]
    if not starts and len(labels) >= 3:
        starts = [i for i, (_, piece) in enumerate(pieces) if i > labels[2] and may_be_coin(piece)][:1]
    if not starts:
        return None
    header = _header(piece for _, piece in pieces[: starts[0]])
    records = _records(pieces[starts[0] :], header)
    return _grid(header, records) if header else _cards(records)


def _header(pieces: Iterable[str]) -> list[str]:
    """The names of the columns: from the last that may name the instrument and has a size and two more after it."""
    joined: list[str] = []
    for piece in pieces:
        if piece.startswith("(") and joined:
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
    known = [column_of(piece)[0] for piece in joined]
    for i in range(len(joined) - 1, -1, -1):
        after = {column for column in known[i + 1 :] if column}
        if known[i] == "symbol" and len(after) >= 2 and after & {"size", "value", "balance"}:
            return joined[i:]
    return []


def _records(pieces: list[tuple[int, str]], header: list[str]) -> list[tuple[int, list[str]]]:
    least = next((i for i, cell in enumerate(header) if column_of(cell)[0] == "size"), 1) + 2
    out: list[tuple[int, list[str]]] = []
    for number, piece in pieces:
        unit = bool(out) and is_number(out[-1][1][-1]) and out[-1][1][-1][-1:].isdigit() and may_be_coin(piece)
        another = may_be_coin(piece) and not unit and bool(out) and len(out[-1][1]) >= max(least, 4)
        if not out or names_contract(piece) or (another and bool(header)):
            out.append((number, [piece]))
        else:
            out[-1][1].append(piece)
    return out


def _grid(header: list[str], records: list[tuple[int, list[str]]]) -> list[Row]:
    columns = [column_of(cell)[0] for cell in header]
    after = 1
    while after < len(columns) and columns[after] in _BESIDE:
        after += 1
    kept = [header[0], *header[after:]]
    return [(0, kept), *((number, _cells_of(pieces, kept)) for number, pieces in records)]


def _cells_of(pieces: list[str], header: list[str]) -> list[str]:
    """One cell for every column: the name with the words beside it, then a number each with what belongs to it."""
    cells = [pieces[0]]
    for piece in pieces[1:]:
        named = not name_in(piece)[0]  # Perp, 20x, Cross, Long
        empty = piece.lower() in EMPTY or set(piece) <= set("-/ ")
        if len(cells) == 1 and (named or not (is_number(piece) or empty)):
            cells[0] += f" {piece}"
        elif _goes_on(piece, column_of(header[len(cells) - 1])[0] if len(cells) <= len(header) else ""):
            cells[-1] += f" {piece}"
        elif is_number(piece) or empty:
            cells.append(piece)
        else:
            break  # buttons: Market, Limit, Close
    return cells


def _goes_on(piece: str, column: str) -> bool:
    """(Cross), BTC, approximately-dollars, and the percent of a profit belong to the number before them."""
    if piece.startswith(("(", "\u2248")) or mode_of(piece.lower()) or side_of(piece):
        return True
    return piece.upper() in UNITS or may_be_coin(piece) or (column == "pnl" and piece.endswith("%"))


def _cards(records: list[tuple[int, list[str]]]) -> list[Row] | None:
    """Label, figure, label, figure; also `Size: 0.5 BTC`. A label's unit goes to its figure."""
    columns = ["symbol"]
    found: list[tuple[int, dict[str, str]]] = []
    for number, pieces in records:
        card = {"symbol": pieces[0]}
        column, unit = "symbol", ""
        for piece in pieces[1:]:
            left, colon, right = piece.partition(":")
            named = column_of(piece)
            if named[0]:
                column, unit = named
                continue
            if colon and column_of(left)[0]:
                (column, unit), piece = column_of(left), right.strip()
            if unit and is_number(piece) and piece[-1:].isdigit():
                piece = f"{piece} {unit}"
            card[column] = f"{card.get(column, '')} {piece}".strip()
        found.append((number, card))
        columns += [name for name in card if name not in columns]
    if not {"size", "value"} & set(columns):
        return None
    rows = [(number, [card.get(name, "") for name in columns]) for number, card in found]
    return [(0, [COLUMNS[name][0] for name in columns]), *rows]
