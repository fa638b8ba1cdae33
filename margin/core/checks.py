"""What a value from outside must be: a finite number, a number or whole number within a range, a date, a switch, one of
the choices, a short name, a list of bounded length, known keys. Every refusal is an InputError that names the field."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from margin.core.errors import InputError, did_you_mean

MAX_AMOUNT = 1e15
MAX_NAME = 200


def number(
    value: Any, field: str, above: float | None = None, most: float = MAX_AMOUNT, least: float | None = None
) -> float:
    """`value` as a finite float within limits. Text is refused: a number in quotes is usually a slip."""
    if isinstance(value, bool) or (not isinstance(value, int | float) and not hasattr(value, "__float__")):
        quoted = isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdigit()
        raise InputError(field, value, "must be a number", "Write it without quotes." if quoted else "")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(field, value, "must be a number") from None
    if not math.isfinite(found):
        raise InputError(field, value, "must be a finite number")
    if above is not None and found <= above:
        raise InputError(field, value, f"must be above {above:g}")
    if least is not None and found < least:
        raise InputError(field, value, f"must be at least {least:g}")
    if abs(found) > most:
        raise InputError(field, value, f"is beyond {most:g}")
    return found


def name(value: Any, field: str = "name") -> str:
    """`value` as one line of at most MAX_NAME printable characters; None is no name."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(field, value, "must be text")
    if len(value) > MAX_NAME:
        raise InputError(field, value, f"is {len(value)} characters long", f"At most {MAX_NAME}.")
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in value)).strip()


def one_of(value: Any, choices: tuple[str, ...], field: str) -> str | None:
    """`value` if it is one of the choices, None for None."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in choices:
        hint = did_you_mean(str(value), choices) or f"One of {', '.join(choices)}."
        raise InputError(field, value, "is not one of the choices", hint)
    return value


def at_most(items: Sequence[Any], most: int, where: str) -> None:
    """InputError if there are more than `most` items."""
    if len(items) > most:
        raise InputError(where, f"{len(items)} entries", "has too many entries", f"At most {most}.")


def listed(value: Any, most: int, where: str) -> list[Any]:
    """`value` as a list of at most `most` entries."""
    if not isinstance(value, list | tuple):
        raise InputError(where, value, "must be a list")
    at_most(value, most, where)
    return list(value)


def only_keys(data: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """InputError naming the first key that is not known, with the nearest known one."""
    for key in data:
        if key not in known:
            hint = did_you_mean(str(key), list(known)) or f"Known keys: {', '.join(known)}."
            raise InputError(where, key, "has an unknown key", hint)


def parse_date(value: Any) -> pd.Timestamp:
    """A UTC, tz-naive Timestamp from text, date, datetime or Timestamp. Raises InputError."""
    if isinstance(value, pd.Timestamp | datetime | date | np.datetime64 | str):
        try:
            stamp: Any = pd.Timestamp(value)
        except (ValueError, OverflowError):
            stamp = None
        if isinstance(stamp, pd.Timestamp) and not pd.isna(stamp) and 1900 <= stamp.year <= 2200:
            return stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo else stamp
    raise InputError("as_of", value, "is not a date", "Write it as 2025-10-10.")


def has_time(value: Any) -> bool:
    """Whether text names a time of day: 2026-11-26T00:00:00Z does, 2026-11-26 stands for that day's close."""
    return isinstance(value, str) and len(value.strip()) > 10


def date_text(value: Any) -> str:
    """A date as the engine writes it: '2025-10-10', with the time of day only where there is one. Raises InputError."""
    stamp = parse_date(value)
    return stamp.strftime("%Y-%m-%d") if stamp == stamp.normalize() else stamp.strftime("%Y-%m-%dT%H:%M:%S")


def whole_number(value: Any, field: str, least: int, most: int) -> int:
    """`value` as an int within limits, or InputError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InputError(field, value, f"must be a whole number from {least} to {most}")
    return int(value)


def between(value: Any, field: str, least: float, most: float) -> float:
    """`value` as a float from `least` to `most`, both included, or InputError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.integer | np.floating)
        or not least <= value <= most
    ):
        raise InputError(field, value, f"must be a number from {least:g} to {most:g}")
    return float(value)


def keep_between(owner: Any, name: str, least: float, most: float, prefix: str = "") -> None:
    """Checks field `name` of a frozen dataclass with `between` and keeps it as a float."""
    object.__setattr__(owner, name, between(getattr(owner, name), prefix + name, least, most))


def switch(value: Any, field: str) -> None:
    """InputError unless `value` is true or false."""
    if not isinstance(value, bool):
        raise InputError(field, value, "must be true or false")


def choice(value: Any, options: Sequence[str], field: str) -> None:
    """InputError unless `value` is one of the options."""
    if not isinstance(value, str) or value not in options:
        raise InputError(field, value, "is not one of the choices", f"Choose {', '.join(options)}.")


def field_names(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(f.name for f in fields(kind))
