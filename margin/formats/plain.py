"""Numbers and words of other programs' JSON: a number, its text, null, "" and NaN, each as what it means."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from margin.core.errors import InputError


def number(item: Mapping[str, Any], *keys: str) -> float | None:
    """The first of `keys` that holds a number (also as text). None for absent, null and empty text.

    Raises InputError for any other text and for NaN: a figure that is read must be one.
    """
    for key in keys:
        value = item.get(key)
        if value is None or (isinstance(value, str) and value.strip() in ("", "-", "--")):
            continue
        found = _float(value)
        if not math.isfinite(found):
            raise InputError(key, value, "must be a finite number")
        return found
    return None


def needed(item: Mapping[str, Any], *keys: str) -> float:
    """As `number`; raises InputError where there is none."""
    found = number(item, *keys)
    if found is None:
        raise InputError(keys[0], item.get(keys[0]), "is missing")
    return found


def optional(item: Mapping[str, Any], *keys: str) -> float | None:
    """A figure that can be done without, above zero: None where it is absent, zero, below zero, NaN or no number."""
    for key in keys:
        found = _float(item.get(key))
        if math.isfinite(found) and found > 0:
            return found
    return None


def signed(item: Mapping[str, Any], *keys: str) -> float | None:
    """As `optional`, whatever the sign."""
    for key in keys:
        found = _float(item.get(key))
        if math.isfinite(found):
            return found
    return None


def _float(value: Any) -> float:
    try:
        return float(value) if not isinstance(value, bool) and value is not None and "_" not in str(value) else math.nan
    except (TypeError, ValueError, OverflowError):
        return math.nan


def text(item: Mapping[str, Any], key: str) -> str:
    """The text at `key`. Raises InputError where there is none."""
    value = item.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(key, value, "is missing" if value in (None, "") else "must be text")
    return value.strip()


def when(value: Any) -> str | None:
    """Seconds, milliseconds or microseconds since 1970, or ISO text, as portfolio files write a time; else None."""
    if isinstance(value, str) and not value.strip().isdigit():
        try:
            stamp = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            return None
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = _float(value)
    while math.isfinite(found) and found > 1e11:  # 1e11 seconds: the year 5138
        found /= 1000.0
    if not 1.2e9 < found < 7.2e9:  # 2008 to 2198
        return None
    return datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rows_in(data: Any, *keys: str) -> list[Any] | None:
    """The list at the end of nested objects: rows_in(answer, "result", "list"); None where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, list) else None


def all_have(rows: Any, *keys: str) -> bool:
    """Whether `rows` is a list with at least one object, and every object in it has all the keys."""
    objects = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return bool(objects) and all(key in row for row in objects for key in keys)
