"""Readers of other programs' account data: one file per program or venue, its `READER`. Adding one is adding a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from margin.formats.found import Part

__all__ = ["BookReader", "ask", "readers"]


@dataclass(frozen=True)
class BookReader:
    """One program's or venue's answers. `knows` looks at one document; `read` gives what it says, or raises InputError.

    order : readers are asked in ascending order, then by name
    shows : what it reads, for people
    """

    name: str
    shows: str
    knows: Callable[[Any], bool]
    read: Callable[[Any], list[Part]]
    order: int = 10


@cache
def readers() -> tuple[BookReader, ...]:
    """Every reader, in the order they are asked."""
    found: list[BookReader] = [import_module(f"{__name__}.{m.name}").READER for m in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda reader: (reader.order, reader.name)))


def ask(document: Any, depth: int = 3) -> list[Part] | None:
    """What the first reader that knows the document finds in it, also where it is wrapped; None where none does."""
    for reader in readers():
        if reader.knows(document):
            return reader.read(document)
    if depth == 0:
        return None
    if isinstance(document, Mapping) and len(document) <= 20:  # {"positions": answer, "balance": answer}
        parts = [ask(value, depth - 1) for value in document.values() if isinstance(value, Mapping | list)]
        found = [part for some in parts if some for part in some]
        return found or None
    if isinstance(document, list) and len(document) <= 20:
        asked = [ask(value, depth - 1) for value in document if isinstance(value, Mapping | list)]
        found = [part for some in asked if some for part in some]
        return found or None
    return None
