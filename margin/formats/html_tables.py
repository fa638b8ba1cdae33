"""The tables of a copied web page, as text with tabs: nothing of the page is run, loaded or followed.

A table is `<table>` or what its page calls one (`role="row"`, `role="cell"`). Pages split a table into its head and its
body, break a cell into lines and hide parts of it; what a reader of the page would not see is left out. The page is
parsed by lxml, which stands with the app; the engine alone says what is missing.
"""

import csv
import io
import re
from typing import Any

from margin.core.errors import InputError
from margin.formats.table_shape import MAX_LINES

MOST_TABLES, MOST_CELLS = 50, 200  # tables of a page; cells of a row
HINT = "Select the table in the browser and copy it, or paste what the venue's API answers."
_START = re.compile(r"\s*(?:Version:[\d.]+\s[^<]{0,400})?<(?:!|\?xml|[a-zA-Z][\w-]*[\s/>])")
_UNSEEN = {"script", "style", "template", "noscript", "svg", "select", "head", "iframe", "object", "textarea"}
_INLINE = {"a", "abbr", "b", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "time", "u"}
_ROLES = {
    "row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th", "table": "table",
    "grid": "table",
}  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
Rows = list[list[str]]


def is_html(text: str) -> bool:
    """Whether a text begins as a page or a piece of one does."""
    return _START.match(text) is not None


def html_tables(text: str) -> list[str]:
    """Every table in `text`, a line a row, cells parted by tabs, in the page's order.

    Raises InputError for a page without one, and for one of more than MOST_TABLES, MAX_LINES rows or MOST_CELLS a row.
    """
    reader = _Reader()
    for event, node, walker in _events(text):
        if event == "start":
            if _unseen(node):
                walker.skip_subtree()
            else:
                reader.begin(_meaning(node), node.get("colspan", ""))
                reader.text(node.text)
        else:
            if not _unseen(node):
                reader.finish(_meaning(node))
            reader.text(node.tail)
    reader.end()
    tables = _with_heads(reader.tables)
    if not tables:
        raise InputError("portfolio", "HTML", "is the source of a web page without a table", HINT)
    return [_written(rows) for rows in tables]


def _events(text: str) -> Any:
    """(event, element, walker) of every element of the page."""
    try:
        from lxml import etree
    except ImportError:
        hint = f"`pip install lxml` reads it. {HINT}"
        raise InputError("portfolio", "HTML", "is the source of a web page, which takes lxml to read", hint) from None
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    piece = text[text.index("<") :].replace("\0", " ")
    try:
        root = etree.fromstring(f"<html><body>{piece}</body></html>", parser)
    except (etree.LxmlError, ValueError):
        root = None
    if root is None:
        return
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, node in walker:
        yield event, node, walker


def _meaning(node: Any) -> str:
    tag = str(node.tag)
    return tag if tag in ("tr", "td", "th", "table") else _ROLES.get(node.get("role", ""), tag)


def _unseen(node: Any) -> bool:
    return node.tag in _UNSEEN or node.get("hidden") is not None or bool(_HIDDEN.search(node.get("style", "")))


class _Table:
    """A table that is being read: its rows, and the cell that text goes to now."""

    def __init__(self) -> None:
        self.rows: Rows = []
        self.cell: list[str] | None = None
        self.span = 1

    def new_row(self) -> None:
        self.end_cell()
        if len(self.rows) >= MAX_LINES:
            raise InputError("portfolio", "HTML", "has too many rows", f"At most {MAX_LINES}.")
        self.rows.append([])

    def new_cell(self, span: str) -> None:
        self.end_cell()
        self.cell = []
        self.span = min(int(span), MOST_CELLS) if span.isascii() and span.isdecimal() and len(span) < 4 else 1

    def end_cell(self) -> None:
        said, self.cell = self.cell, None
        if said is None:
            return
        if not self.rows:
            self.rows.append([])
        self.rows[-1] += [" ".join("".join(said).split()), *[""] * (max(self.span, 1) - 1)]
        if len(self.rows[-1]) > MOST_CELLS:
            raise InputError("portfolio", "HTML", f"has a row of more than {MOST_CELLS} cells", HINT)


class _Reader:
    """Puts the text of cells where it belongs; a table within a cell is a table of its own."""

    def __init__(self) -> None:
        self.tables: list[Rows] = []
        self._open: list[_Table] = []
        self._piece: _Table | None = None  # rows and cells outside any table

    def begin(self, means: str, span: str) -> None:
        if means == "table":
            self._open.append(self._new())
        elif means == "tr":
            self._here().new_row()
        elif means in ("td", "th"):
            self._here().new_cell(span)
        elif means not in _INLINE:
            self.text(" ")

    def finish(self, means: str) -> None:
        if means == "table" and self._open:
            self._open.pop().end_cell()
        elif means in ("td", "th", "tr"):
            self._here().end_cell()
        elif means not in _INLINE:
            self.text(" ")

    def text(self, said: str | None) -> None:
        table = self._open[-1] if self._open else self._piece
        if said and table is not None and table.cell is not None:
            table.cell.append(said)

    def end(self) -> None:
        for table in (*self._open, *([self._piece] if self._piece else [])):
            table.end_cell()

    def _here(self) -> _Table:
        if self._open:
            return self._open[-1]
        if self._piece is None:
            self._piece = self._new()
        return self._piece

    def _new(self) -> _Table:
        if len(self.tables) >= MOST_TABLES:
            raise InputError("portfolio", "HTML", f"holds more than {MOST_TABLES} tables", HINT)
        table = _Table()
        self.tables.append(table.rows)
        return table


def _with_heads(tables: list[Rows]) -> list[Rows]:
    """A table of a single row, and one as wide after it, are a head and its body: pages part them to keep the head."""
    out: list[Rows] = []
    for rows in tables:
        kept = [row for row in rows if any(row)]
        if not kept:
            continue
        if out and len(out[-1]) == 1 and len(out[-1][0]) == len(kept[0]):
            out[-1] = [*out[-1], *kept]
        else:
            out.append(kept)
    return out


def _written(rows: Rows) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(rows)
    return out.getvalue()
