"""From the bytes of an uploaded text file to a table of strings: what it is, its encoding, its separator."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from data.model import Finding
from margin.core.errors import InputError
from margin.formats.price_names import meaning

MAX_COLUMNS, MAX_ROWS, MAX_CELLS = 500, 200_000, 5_000_000
PLAIN = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
MOST_IN_A_ROW = 4 * MAX_COLUMNS  # decimal and thousands commas may split a number into three
MAX_PREAMBLE = 10  # lines before the header that some providers write
SEPARATORS = (",", ";", "\t", "|")
BOUNDS = f"At most {MAX_ROWS:,} rows, {MAX_COLUMNS} columns and {MAX_CELLS:,} cells are read."
FORM = "Give a CSV or Parquet file: a date column and one column of USD closes per asset, or date, asset, close."

BARE = ("time", "open", "high", "low", "close", "volume", "trades")  # Kraken's archive, without a line of names
EPOCH = re.compile(r"[0-9]{10,16}")
KLINES = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip

# First bytes of what people upload by mistake, and what to say.
SIGNATURES = (
    (b"PK\x03\x04", "is a zip archive or an Excel workbook", "Save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook", "Save the sheet as CSV."),
    (b"\x1f\x8b", "is compressed", "Unpack it first."),
    (b"BZh", "is compressed", "Unpack it first."),
    (b"\xfd7zXZ", "is compressed", "Unpack it first."),
    (b"(\xb5/\xfd", "is compressed", "Unpack it first."),
    (b"7z\xbc\xaf", "is a 7z archive", "Unpack it first."),
    (b"%PDF", "is a PDF", FORM),
    (b"\x89PNG", "is a picture", FORM),
    (b"\xff\xd8\xff", "is a picture", FORM),
    (b"SQLite format 3", "is a database", FORM),
)


@dataclass
class Column:
    """One column as it was read: text (object array of str), float64, or datetime64[us] in UTC."""

    name: str
    cells: np.ndarray
    zone: str = ""  # of a column of dates that has a time zone: its name; the cells are UTC


@dataclass
class Table:
    """Columns of equal length, and what was noticed on the way."""

    columns: list[Column]
    separator: str = ""
    findings: list[Finding] = field(default_factory=list)
    many_tickers: bool = False  # two lines of names, as pandas writes yfinance's frame of many tickers

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].cells) if self.columns else 0


def note(kind: str, count: int, action: str, detail: str, asset: str = "") -> Finding:
    """A finding about the file itself: no asset, no dates."""
    return Finding(asset=asset, kind=kind, count=count, first=None, last=None, action=action, detail=detail)


def read_text_table(content: bytes, name: str) -> Table:
    """The table in a CSV-like file. InputError when there is none."""
    for start, what, hint in SIGNATURES:
        if content.startswith(start):
            raise InputError(name, content[:8], what, hint)
    text, findings = _decode(content, name)
    beginning = text.lstrip("\ufeff \t\r\n")[:300].lower()
    if not beginning:
        raise InputError(name, text[:20], "is empty", FORM)
    if beginning.startswith("<") and not re.match(r"<(date|dtyyyymmdd|ticker|per|time|open|close)>", beginning):
        raise InputError(name, beginning[:40], "is a web page, not a table", "Download the file itself, not its page.")
    if beginning.startswith(("{", "[")):
        raise InputError(name, beginning[:40], "is JSON, not a table", FORM)
    lines = _records(text, name)
    if not lines.rows:
        raise InputError(name, text[:40], "is empty", FORM)
    separator, skipped = lines.separator, lines.skipped
    if skipped:
        findings.append(note("preamble", skipped, "skipped", "lines before the header"))
    return _columns(lines.rows, separator, name, findings)


def _decode(content: bytes, name: str) -> tuple[str, list[Finding]]:
    if not content.strip(b" \t\r\n\x00"):
        raise InputError(name, content[:20], "is empty", FORM)
    encoding = _encoding(content)
    try:
        text, said = content.decode(encoding), encoding
    except UnicodeDecodeError:
        text, said = content.decode("cp1252", errors="replace"), "Windows-1252"
    sample = text[:200_000]
    odd = sum(1 for c in sample if (c < " " and c not in "\t\r\n\x0b\x0c") or c in "\x7f\ufffd\ufffe\uffff")
    if odd > 0.002 * len(sample) or "\x00" in text:
        raise InputError(name, content[:12], "is not a text file", FORM)
    findings = [] if said in ("utf-8-sig",) else [note("encoding", 1, "converted", f"read as {said}")]
    return text, findings


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = content[:2000]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > 0.3 * len(head) and even == 0:
        return "utf-16-le"
    if even > 0.3 * len(head) and odd == 0:
        return "utf-16-be"
    return "utf-8-sig"


@dataclass
class _Records:
    rows: list[list[str]]
    separator: str
    skipped: int


def _records(text: str, name: str) -> _Records:
    declared = re.match(r"\ufeff?sep=(.)\r?\n", text)
    if declared:
        text = text[declared.end() :]
    widest = max((line.count(s) for line in text[:4_000_000].splitlines()[:40] for s in SEPARATORS), default=0)
    if widest > MOST_IN_A_ROW:
        raise InputError(name, f"{widest:,} cells in a row", f"has more than {MAX_COLUMNS} columns", BOUNDS)
    separator = declared.group(1) if declared and declared.group(1) in SEPARATORS else _separator(text)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if len(row) > MOST_IN_A_ROW:
                raise InputError(name, f"{len(row):,} cells in a row", f"has more than {MAX_COLUMNS} columns", BOUNDS)
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > MAX_ROWS + MAX_PREAMBLE:
                raise InputError(name, f"more than {MAX_ROWS:,} rows", "is too long", BOUNDS)
    except csv.Error as error:
        raise InputError(name, str(error), "cannot be split into cells", FORM) from error
    width = _usual_width(rows)
    skipped = 0
    while skipped < min(MAX_PREAMBLE, len(rows) - 1) and (
        len(rows[skipped]) < width or (rows[skipped][0].lstrip().startswith("#") and width > len(rows[skipped]))
    ):
        skipped += 1
    if skipped and rows[skipped][0].strip()[:1].isdigit():
        skipped -= 1  # that was the header after all, of rows with more cells than names
    return _Records(rows[skipped:], separator, skipped)


def _separator(text: str) -> str:
    """The separator that splits the first lines into the same number of cells, more than one."""
    lines = [line for line in text[:100_000].splitlines() if line.strip()][: MAX_PREAMBLE + 30]
    best, best_score = ",", (0.0, 0)
    for candidate in SEPARATORS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=candidate))
        width, often = max(counts.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
        header = len(next(csv.reader(lines[:1], delimiter=candidate), [""]))
        # A decimal comma splits the rows but not the header: the header's own width counts as well.
        score = (often / len(lines) + 0.5 * (header == width), width)
        if width > 1 and score > best_score:
            best, best_score = candidate, score
    return best


def _usual_width(rows: list[list[str]]) -> int:
    return Counter(len(row) for row in rows[:200]).most_common(1)[0][0] if rows else 0


def _header(rows: list[list[str]]) -> tuple[list[str], list[list[str]], bool]:
    """(names, rows below, whether there were two lines of names).

    Two lines, as pandas writes many tickers (Close over BTC-USD), become one.
    Binance's archive has no line of names: twelve cells that begin with an epoch are its klines.
    """
    first = [cell.strip().lstrip("\ufeff#").strip().strip('"').strip() for cell in rows[0]]
    if len(first) == len(KLINES) and re.fullmatch(r"1[0-9]{12,15}", first[0]) and PLAIN.fullmatch(first[4]):
        return list(KLINES), rows, False
    if _bare_candles(rows):
        return list(BARE[: len(first)]), rows, False
    if len(rows) < 3 or len(rows[1]) != len(first):
        return first, rows[1:], False
    second = [cell.strip() for cell in rows[1]]
    below = [cell.strip() for cell in rows[2]]
    roles, tickers = (meaning(cell).role for cell in first[1:]), (meaning(cell).role for cell in second[1:])
    priced = ("open", "high", "low", "close", "adjusted", "volume", "")
    names = all(cell and not PLAIN.fullmatch(cell) for cell in second[1:]) and len(second) > 1
    marked = second[0].lower() in ("ticker", "price", "tickers", "symbol", "symbols", "attributes", "")
    if not names or not marked:
        return first, rows[1:], False
    first_roles, second_roles = list(roles), list(tickers)
    if not (all(r in priced for r in first_roles + second_roles) and (all(first_roles) or all(second_roles))):
        return first, rows[1:], False
    body = rows[2:]
    if below[0].lower() in ("date", "datetime", "") and not any(below[1:]):
        body = rows[3:]
    upper = first if all(second_roles) else second  # the line of tickers
    lower = second if all(second_roles) else first
    joined = [f"{ticker} {role}" for ticker, role in zip(upper[1:], lower[1:], strict=True)]
    return ["date", *joined], body, True


def _bare_candles(rows: list[list[str]]) -> bool:
    """Whether there is no line of names and every row is a time, then open, high, low, close: Kraken's archive."""
    some = [[cell.strip() for cell in row] for row in rows[:50]]
    if len(some) < 3 or not 5 <= len(some[0]) <= len(BARE) or any(len(row) != len(some[0]) for row in some):
        return False
    if not all(EPOCH.fullmatch(row[0]) and all(map(PLAIN.fullmatch, row[1:])) for row in some):
        return False
    prices = np.array([[float(cell) for cell in row[1:5]] for row in some])
    return bool((prices[:, 1] == prices.max(axis=1)).all() and (prices[:, 2] == prices.min(axis=1)).all())


def _columns(rows: list[list[str]], separator: str, name: str, findings: list[Finding]) -> Table:
    header, body, many = _header(rows)
    width = len(header)
    while width and not header[width - 1] and all(not r[width - 1].strip() for r in body if len(r) >= width):
        width -= 1  # a separator at the end of every line
    if width > MAX_COLUMNS:
        raise InputError(name, f"{width:,} columns", f"has more than {MAX_COLUMNS} columns", BOUNDS)
    if width < 2:
        raise InputError(name, ",".join(header)[:40], "has only one column", FORM)
    if not body:
        raise InputError(name, ", ".join(header)[:40], "has a header but no rows", FORM)
    if len(body) > MAX_ROWS:
        raise InputError(name, f"{len(body):,} rows", "is too long", BOUNDS)
    if len(body) * width > MAX_CELLS:
        raise InputError(name, f"{len(body) * width:,} cells", "is too large", BOUNDS)
    long = [row for row in body if len(row) > width and any(cell.strip() for cell in row[width:])]
    if len(long) * 2 > len(body):
        raise InputError(
            name,
            separator.join(long[0])[:40],
            f"has rows of {len(long[0])} cells under {width} column names",
            "With a decimal comma, separate the columns by semicolons.",
        )
    if long:
        example = separator.join(long[0])[:40]
        findings.append(note("refused", len(long), "dropped", f"rows with more cells than columns, e.g. {example!r}"))
        body = [row for row in body if len(row) <= width or not any(cell.strip() for cell in row[width:])]
    short = sum(len(row) < width for row in body)
    if short:
        findings.append(note("short row", short, "left empty", "rows with fewer cells than columns"))
    padded = [(row + [""] * (width - len(row)))[:width] for row in body]
    table = np.array(padded, dtype=object).reshape(len(padded), width)
    return Table([Column(header[i], table[:, i]) for i in range(width)], separator, findings, many)
