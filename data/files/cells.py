"""Cells of text into numbers and dates. What is ambiguous is refused with a hint; nothing is guessed."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from margin.core.errors import InputError
from margin.formats.price_words import fold

MAX_CELL = 48
MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "—", "–", ".", "?"}
PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
PLAIN_COLUMN = re.compile(rf"(?:(?:{PLAIN.pattern})?\n)*")
OTHER_CURRENCY = re.compile(r"[€£¥₩₹₽₺]|\b(?:EUR|GBP|JPY|CHF|CNY|KRW|INR)\b")
DOLLARS = re.compile(r"(?:US\$|\$|\bUSDT\b|\bUSDC\b|\bUSD\b)", re.IGNORECASE)
SPACES = str.maketrans("", "", " \u00a0\u202f\u2009\t'\u2019_")
SCALE = {"K": 1e3, "M": 1e6, "B": 1e9}


@dataclass
class Numbers:
    """Values (NaN where missing or refused), and how many cells were refused with the first of them."""

    values: np.ndarray
    refused: int = 0
    example: str = ""


@dataclass
class Style:
    """How a file writes numbers: which character is the decimal sign. Seen over all its cells."""

    point: str = ""  # a cell that can only have a decimal point
    comma: str = ""  # a cell that can only have a decimal comma
    unsure: str = ""  # a cell such as 1,234 or 1.234
    unsure_sign: set[str] = field(default_factory=set)

    def see(self, cell: str) -> None:
        """Note what one cell says about the decimal sign."""
        body = cell.lstrip("+-")
        dot, comma = body.rfind("."), body.rfind(",")
        if dot >= 0 and comma >= 0:
            self._vote("." if dot > comma else ",", cell)
        elif dot >= 0 or comma >= 0:
            sign = "." if dot >= 0 else ","
            groups = body.split(sign)
            thousands = 1 <= len(groups[0]) <= 3 and all(len(g) == 3 and g.isdigit() for g in groups[1:])
            if len(groups) > 2 and not thousands:
                return  # 1.2.3 is no number in any style
            if len(groups) > 2:
                self._vote("," if sign == "." else ".", cell)
            elif not thousands or groups[0].lstrip("0") == "":
                self._vote(sign, cell)
            else:
                self.unsure = self.unsure or cell
                self.unsure_sign.add(sign)

    def _vote(self, sign: str, cell: str) -> None:
        if sign == ".":
            self.point = self.point or cell
        else:
            self.comma = self.comma or cell

    def decimal(self, separator: str, name: str) -> str:
        """'.' or ','. InputError when the file contradicts itself or does not say."""
        if self.point and self.comma:
            raise InputError(
                name, f"{self.point} and {self.comma}", "writes numbers in two ways", "Use one decimal sign throughout."
            )
        if self.point or self.comma:
            return "." if self.point else ","
        # 61.234 between commas has a decimal point, for the comma is taken. Anywhere else it may be 61 thousand.
        if self.unsure and not (self.unsure_sign == {"."} and separator in (",", "|", "")):
            raise InputError(
                name, self.unsure, "has numbers that may be thousands or decimals", "Write them with a decimal point."
            )
        return "."


def tidy(cell: object) -> str:
    """A cell without surrounding space, spaces between digits, apostrophes and dollar signs."""
    text = str(cell).strip()
    if len(text) > MAX_CELL:
        return text
    if text.startswith("(") and text.endswith(")"):
        text = "-" + text[1:-1]
    return DOLLARS.sub("", text).translate(SPACES)


def survey(columns: list[np.ndarray]) -> Style:
    """The number style of several text columns."""
    style = Style()
    for cells in columns:
        for cell in dict.fromkeys(tidy(c) for c in cells):
            if len(cell) <= MAX_CELL and ("," in cell or "." in cell) and re.fullmatch(r"[+-]?[0-9.,]+", cell):
                style.see(cell)
    return style


def numbers(cells: np.ndarray, decimal: str, scaled: bool = False) -> Numbers:
    """A column of text, or of floats as it came, as float64. `scaled` allows 1.2K, 3M, 4B (volumes)."""
    if cells.dtype.kind in "fiub":
        values = cells.astype(np.float64)
        infinite = np.isinf(values)
        return Numbers(np.where(infinite, np.nan, values), int(infinite.sum()), "inf" if infinite.any() else "")
    if cells.dtype.kind == "M":
        return Numbers(np.full(len(cells), np.nan), len(cells), str(cells[0]) if len(cells) else "")
    if decimal == ".":
        joined = "\n".join(cells) + "\n"
        simple = joined.count("\n") == len(cells) and max(map(len, cells), default=0) <= MAX_CELL
        if simple and PLAIN_COLUMN.fullmatch(joined):
            return _finite(np.array([c or "nan" for c in cells], dtype=object).astype(np.float64), cells)
    values = np.full(len(cells), np.nan)
    refused, example = 0, ""
    for row, cell in enumerate(cells):
        value = _number(str(cell), decimal, scaled)
        if value is None:
            refused, example = refused + 1, example or str(cell).strip()[:MAX_CELL]
        else:
            values[row] = value
    return Numbers(values, refused, example)


def _finite(values: np.ndarray, cells: np.ndarray) -> Numbers:
    infinite = np.isinf(values)
    if not infinite.any():
        return Numbers(values)
    return Numbers(np.where(infinite, np.nan, values), int(infinite.sum()), str(cells[infinite.argmax()]))


def _number(cell: str, decimal: str, scaled: bool) -> float | None:
    """NaN for a missing cell, None for one that is refused."""
    if cell.strip().lower() in MISSING:
        return float("nan")
    if len(cell) > MAX_CELL or OTHER_CURRENCY.search(cell):
        return None
    text = tidy(cell)
    factor = 1.0
    if scaled and text[-1:].upper() in SCALE:
        factor, text = SCALE[text[-1].upper()], text[:-1]
    other = "," if decimal == "." else "."
    if other in text:
        head, *groups = text.lstrip("+-").split(decimal)[0].split(other)
        if len(groups) == 0 or not (1 <= len(head) <= 3) or any(len(g) != 3 for g in groups):
            return None
        text = text.replace(other, "")
    text = text.replace(decimal, ".")
    if not PLAIN.fullmatch(text):
        return None
    value = float(text) * factor
    return value if np.isfinite(value) else None


# Dates ------------------------------------------------------------------------------------------------------------

ISO = re.compile(
    r"([12][0-9]{3})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"
    r"(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?\s*(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)
COMPACT = re.compile(r"(19[0-9]{2}|20[0-9]{2}|21[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])")
NUMERIC = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([12][0-9]{3})"
    r"(?:[T, ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"\s*([AaPp][Mm])?\s*(?:Z|UTC|GMT)?([+-][0-9]{2}:?[0-9]{2})?)?"
)
WORDS = re.compile(
    r"(?:([0-9]{1,2})(?:er|st|nd|rd|th)?[-\s.]*(?:de |di |of )?([^\W\d_]{3,10})"
    r"|([^\W\d_]{3,10})[-\s.]*([0-9]{1,2})(?:st|nd|rd|th)?)(?:[-\s.,]| de )+([12][0-9]{3})"
    r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
EPOCH = re.compile(r"[0-9]{8,19}(?:\.[0-9]*)?|[0-9](?:\.[0-9]+)?[eE]\+?(?:0?9|1[0-8])")
# How months begin in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Danish, Turkish and
# Russian, without accents; what two languages call differently (marec, mart) begins alike.
MONTH_NAMES = (
    "jan ene gen sty oca янв", "feb fev lut sub фев", "mar mrt мар", "apr avr abr kwi nis апр",
    "may mai mag mei maj мая май", "jun juin giu cze haz июн", "jul juil lug lip tem июл", "aug aou ago sie авг",
    "sep set wrz eyl сен", "oct okt out ott paz eki окт", "nov lis kas ноя", "dec dez dic gru ara дек",
)  # fmt: skip
MONTHS = {start: number for number, starts in enumerate(MONTH_NAMES, 1) for start in starts.split()}
SHORT_YEAR = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}(?:\D.*)?")
EARLIEST, LATEST = datetime(1970, 1, 1), datetime(2200, 1, 1)
EPOCH_UNITS = ((1e8, 7.3e9, 1.0), (1e11, 7.3e12, 1e3), (1e14, 7.3e15, 1e6), (1e17, 7.3e18, 1e9))
OUTSIDE, OUTSIDE_HINT = "is a date outside 1970 to 2200", "Check the date column; prices begin in 1970 at the earliest."
DAY_FIRST_HINT = "Write dates as year-month-day, e.g. 2024-03-09."


@dataclass
class Dates:
    """Local wall times and their distance to UTC in seconds; NaT where unreadable. Which way they were written."""

    local: np.ndarray  # datetime64[us]
    offset: np.ndarray  # seconds east of UTC
    refused: int = 0
    example: str = ""
    form: str = "ISO"


def dates(cells: np.ndarray, name: str, zone: str = "") -> Dates:
    """A column of dates; `zone` is the time zone of a datetime column, whose cells are UTC.

    InputError when day and month cannot be told apart, years have two digits, or a date is outside 1970 to 2200.
    """
    count = len(cells)
    if cells.dtype.kind == "M":
        moments = cells.astype("datetime64[us]")
        there = moments[~np.isnat(moments)]
        if len(there) and not (there.min() >= np.datetime64(EARLIEST) and there.max() < np.datetime64(LATEST)):
            wrong = there.min() if there.min() < np.datetime64(EARLIEST) else there.max()
            raise InputError(name, str(wrong)[:19], OUTSIDE, OUTSIDE_HINT)
        offset = _offsets(moments, zone)
        local = moments + (offset * 1e6).astype("timedelta64[us]")
        return Dates(local, offset, int(np.isnat(moments).sum()), "", "dates")
    if cells.dtype.kind in "iuf":
        texts = ["" if not np.isfinite(c) else f"{c:.0f}" for c in cells.astype(np.float64)]
    else:
        texts = [str(c).strip().strip("'\"") for c in cells]
    order = _day_or_month_first(texts, name)
    local, offset = np.full(count, np.datetime64("NaT"), "datetime64[us]"), np.zeros(count)
    refused, example, forms = 0, "", set()
    known: dict[str, tuple[datetime, float, str] | None] = {}
    for row, text in enumerate(texts):
        if text not in known:
            known[text] = _date(text, order) if len(text) <= MAX_CELL else None
        found = known[text]
        if found is None:
            year = re.match(r"([0-9]{4,6})[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:\D|$)", text)
            if year and not EARLIEST.year <= int(year[1]) < LATEST.year:
                raise InputError(name, text[:MAX_CELL], OUTSIDE, OUTSIDE_HINT)
            refused, example = refused + 1, example or text[:MAX_CELL]
            continue
        moment, offset[row], form = found
        local[row] = np.datetime64(moment, "us")
        forms.add(form)
    if refused == count and any(SHORT_YEAR.fullmatch(t) for t in texts[:50]):
        raise InputError(name, texts[0], "has years of two digits", DAY_FIRST_HINT)
    return Dates(local, offset, refused, example, ", ".join(sorted(forms)))


def _offsets(moments: np.ndarray, zone: str) -> np.ndarray:
    """Seconds east of UTC of each moment (UTC) in a time zone; zeros for UTC or a zone this system does not know."""
    if not zone or zone.upper() in ("UTC", "GMT", "Z"):
        return np.zeros(len(moments))
    try:
        utc = pd.DatetimeIndex(moments).tz_localize("UTC")
        local = utc.tz_convert(zone).tz_localize(None)
    except (ValueError, KeyError, TypeError, OSError):
        return np.zeros(len(moments))
    seconds = (local - utc.tz_localize(None)) / pd.Timedelta(seconds=1)
    found: np.ndarray = np.nan_to_num(np.asarray(seconds, dtype=float))
    return found


def unified(text: str) -> str:
    """A date without what only some languages write: 2024年02月09日, 2024년 2월 9일, 9. 2. 2024, 2024. 02. 09."""
    if any(sign in text for sign in "年년"):
        text = re.sub(r"\s*[年년月월]\s*", "-", text)
        text = re.sub(r"\s*[日일]", "", text)
    text = re.sub(r"(?<=\d)\s*([-/.])\s+(?=\d)", r"\1", text)
    return text[:-1] if re.fullmatch(r"[0-9]+([-/.])[0-9]+\1[0-9]+\.", text) else text


def _month(name: str) -> int:
    """The number of a month by the first letters of its name. Raises KeyError."""
    key = fold(name)
    return MONTHS[key[:4]] if key[:4] in MONTHS else MONTHS[key[:3]]


def _day_or_month_first(texts: list[str], name: str) -> str:
    """'day', 'month' or '' when no date is written with both at the front."""
    day_first = month_first = either = ""
    for text in texts:
        match = NUMERIC.match(unified(text[:MAX_CELL]))
        if not match:
            continue
        first, sign, second = int(match[1]), match[2], int(match[3])
        if sign == "." or first > 12 >= second:
            day_first = day_first or text
        elif second > 12 >= first:
            month_first = month_first or text
        elif first != second:
            either = either or text
    if day_first and month_first:
        raise InputError(name, f"{day_first} and {month_first}", "writes dates in two ways", DAY_FIRST_HINT)
    if either and not day_first and not month_first:
        raise InputError(name, either, "has dates that may be day-month or month-day", DAY_FIRST_HINT)
    return "month" if month_first else "day"


def _date(text: str, order: str) -> tuple[datetime, float, str] | None:
    text = unified(text)
    try:
        if match := ISO.fullmatch(text):
            year, month, day = int(match[1]), int(match[2]), int(match[3])
            return _moment(year, month, day, match[4], match[5], match[6]), _offset(match[7]), "ISO"
        if match := COMPACT.fullmatch(text):
            return _moment(int(match[1]), int(match[2]), int(match[3])), 0.0, "YYYYMMDD"
        if match := NUMERIC.fullmatch(text):
            first, second = int(match[1]), int(match[3])
            day, month = (second, first) if order == "month" else (first, second)
            hour = match[5] if match[8] is None else str(int(match[5]) % 12 + 12 * (match[8].upper() == "PM"))
            return _moment(int(match[4]), month, day, hour, match[6], match[7]), _offset(match[9]), f"{order} first"
        if match := WORDS.fullmatch(text):
            day_text, month = match[1] or match[4], _month(match[2] or match[3])
            time = (match[6], match[7], match[8])
            return _moment(int(match[5]), month, int(day_text), *time), 0.0, "month names"
        if EPOCH.fullmatch(text):
            value = float(text)
            for low, high, per_second in EPOCH_UNITS:
                if low <= value < high:
                    moment = datetime.fromtimestamp(int(value / per_second), UTC).replace(tzinfo=None)
                    return _moment_in_range(moment), 0.0, "epoch"
    except (ValueError, KeyError, OverflowError):
        return None
    return None


def _moment(
    year: int, month: int, day: int, hour: str | None = None, minute: str | None = None, second: str | None = None
) -> datetime:
    return _moment_in_range(datetime(year, month, day, int(hour or 0), int(minute or 0), int(second or 0)))


def _moment_in_range(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError("outside 1970 to 2200")
    return moment


def _offset(zone: str | None) -> float:
    if zone is None or zone in ("Z", "UTC", "GMT"):
        return 0.0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError("no such time zone")
    return (hours * 3600 + minutes * 60) * (-1.0 if zone[0] == "-" else 1.0)
