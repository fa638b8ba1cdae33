"""Numbers as people and pages write them: -12,5  1.234,56  $65,000  0.500 BTC  30k  20x. Which comma it is, is settled
for the whole table, as one page writes all its numbers alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from margin.core.errors import InputError

_CELL = re.compile(
    r"(?P<sign>[+\-\u2212\u2013\u2010\u2011\u2012\ufe63\uff0d(]?)\s*(?:US)?[$\u20ac\u00a3\u20ae]?\s*(?P<sign2>[+\-\u2212\u2013\u2010\u2011\u2012]?)"
    r"(?P<digits>\d[\d.,'\u2019\u00a0\u202f ]*|\.\d+)(?P<scale>[kKmM](?![A-Za-z]))?\s*"
    r"(?P<unit>[A-Za-z%$][A-Za-z0-9.%]{0,14})?\)?.*",
    re.DOTALL,
)
_MINUS = "-\u2212\u2013\u2010\u2011\u2012\ufe63\uff0d"
_COMMA = (
    re.compile(r"\d{1,3}(?:\.\d{3})+,\d+"),
    re.compile(r"\d+,\d{1,2}"),
    re.compile(r"\d+,\d{4,}"),
    re.compile(r"0,\d+"),
    re.compile(r"\d{1,3}(?:\.\d{3}){2,}"),
)
_POINT = (
    re.compile(r"\d{1,3}(?:,\d{3})+\.\d+"),
    re.compile(r"\d+\.\d{1,2}"),
    re.compile(r"\d+\.\d{4,}"),
    re.compile(r"0\.\d+"),
    re.compile(r"\d{1,3}(?:,\d{3}){2,}"),
)
_PLAIN = re.compile(r"(\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
EMPTY = ("", "-", "--", "\u2013", "\u2014", "n/a", "na", "none", "null", "nan")


@dataclass(frozen=True)
class Number:
    """A cell's number with the unit written beside it ("BTC", "USDT", "X", "%"), in capitals."""

    value: float
    unit: str = ""


def decimal_comma(cells: Iterable[str]) -> bool:
    """Whether the table writes 1,5 for one and a half. Raises InputError where it does both."""
    comma = point = ""
    for cell in cells:
        found = _CELL.fullmatch(cell.strip())
        if not found:
            continue
        digits = _bare(found["digits"])
        comma = comma or (cell if any(form.fullmatch(digits) for form in _COMMA) else "")
        point = point or (cell if any(form.fullmatch(digits) for form in _POINT) else "")
    if comma and point:
        problem = f"has a decimal comma, and {point.strip()[:20]!r} a decimal point"
        raise InputError("numbers", comma.strip()[:20], problem, "Write all numbers of the table alike.")
    return bool(comma)


def point_may_be_thousands(cells: Iterable[str]) -> str:
    """A number such as 10.000 of a table in which nothing says whether the point parts thousands; "" for none."""
    unsure = ""
    for cell in cells:
        found = _CELL.fullmatch(cell.strip())
        digits = _bare(found["digits"]) if found else ""
        if any(form.fullmatch(digits) for form in (*_COMMA, *_POINT)) or re.fullmatch(r"\d{1,3},\d{3}", digits):
            return ""
        if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits):
            unsure = unsure or digits
    return unsure


def read_number(cell: str, comma: bool = False, field: str = "number") -> Number | None:
    """The number at the start of a cell; None where it is empty. Raises InputError."""
    text = cell.strip()
    if text.lower() in EMPTY:
        return None
    found = _CELL.fullmatch(text)
    if not found:
        raise InputError(field, cell, "is not a number")
    digits = _bare(found["digits"])
    rest = text[found.end("digits") :]
    if rest[:1] in _MINUS and rest.strip(_MINUS + " "):  # 2026-11-27, 1-2
        raise InputError(field, cell, "is not one number")
    if comma:
        if "," in digits and digits.count(",") > 1:
            raise InputError(field, cell, "is not a number with a decimal comma")
        digits = digits.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", digits):
        digits = digits.replace(",", "")
    exponent = re.match(r"[eE][+-]?\d{1,3}(?![A-Za-z0-9])", rest)
    if exponent:
        digits += exponent[0]
    if not _PLAIN.fullmatch(digits):
        raise InputError(field, cell, "is not a number", "Write it such as 1234.5 or 1,234.5.")
    value = float(digits) * {"k": 1e3, "m": 1e6}.get((found["scale"] or "").lower(), 1.0)
    negative = any(found[name] in tuple(_MINUS + "(") for name in ("sign", "sign2") if found[name])
    negative = negative or (bool(rest) and rest[0] in _MINUS)  # 0,5- as accounting programs write it
    unit = "" if exponent else (found["unit"] or "").upper()
    return Number(-value if negative else value, unit)


def _bare(digits: str) -> str:
    """Without the blanks and quotes that separate thousands, and without what a sentence ends with."""
    return re.sub(r"['\u2019\u00a0\u202f ]", "", digits).rstrip(",.")
