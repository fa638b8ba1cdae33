"""Errors that reach a user: each names the field, the value and the way out."""

import difflib
from collections.abc import Iterable


class MarginLabError(Exception):
    """Base of every error Margin Lab raises on purpose."""


class InputError(MarginLabError, ValueError):
    """Something a user supplied cannot be used.

    field   : what it is about, e.g. "positions[2].symbol" or a file name
    value   : the offending value (shortened in the message)
    problem : what is wrong with it, a clause without a full stop
    hint    : how to mend it, a full sentence
    """

    def __init__(self, field: str, value: object, problem: str, hint: str = ""):
        self.field, self.value, self.problem, self.hint = field, value, problem, hint
        message = f"{field}: {problem} (got {shorten(value)})"
        super().__init__(one_line(f"{message}. {hint}" if hint else message))


class MissingPriceError(InputError):
    """An asset of the book has no usable price history; `assets` lists them all."""

    def __init__(self, assets: Iterable[str], available: Iterable[str], problem: str = "no price history"):
        self.assets = tuple(assets)
        known = list(available)
        hint = " ".join(filter(None, (did_you_mean(a, known) for a in self.assets if a not in known)))
        super().__init__(
            "prices", ", ".join(self.assets), problem, hint or "Add USD closes for it up to the as-of date."
        )


def shorten(value: object, limit: int = 60) -> str:
    """repr of `value`, at most `limit` characters, so a hostile input cannot flood a message."""
    if isinstance(value, float):
        return f"{value:.12g}"
    text = repr(value) if not isinstance(value, str) else repr(value[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def one_line(text: str) -> str:
    """`text` without line breaks or other control characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """'Did you mean A or B?' for the closest options, or '' when none is close."""
    known = {option.lower(): option for option in options}
    close = difflib.get_close_matches(str(word)[:60].lower(), known, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(known[c]) for c in close)}?" if close else ""
