"""What a value of a portfolio file must be: a finite number, a short name, a list of bounded length, known keys."""

import math
import re
from collections.abc import Mapping
from typing import Any

from margin.core.errors import InputError, did_you_mean

MAX_AMOUNT = 1e15
MAX_NAME = 200


def number(
    value: Any, field: str, above: float | None = None, most: float = MAX_AMOUNT, least: float | None = None
) -> float:
    """`value` as a finite float within limits. Text is refused: a number in quotes is usually a slip."""
    if isinstance(value, bool) or (not isinstance(value, int | float) and not hasattr(value, "__float__")):
        raise InputError(field, value, "must be a number")
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


def at_most(items: "list | tuple", most: int, where: str) -> None:
    if len(items) > most:
        raise InputError(where, f"{len(items)} entries", "has too many entries", f"At most {most}.")


def listed(value: Any, most: int, where: str) -> list:
    if not isinstance(value, list | tuple):
        raise InputError(where, value, "must be a list")
    at_most(value, most, where)
    return list(value)


def only_keys(data: Mapping, known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            hint = did_you_mean(str(key), known) or f"Known keys: {', '.join(known)}."
            raise InputError(where, key, "has an unknown key", hint)
