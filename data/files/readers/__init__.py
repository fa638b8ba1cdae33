"""One file per kind of price file: its reader, as `READER`. Adding a kind is adding a file here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from data.files.table import Table

__all__ = ["Reader", "read_table", "readers"]


@dataclass(frozen=True)
class Reader:
    """One kind of file. `knows` looks at the first bytes; `read(content, name)` gives a table or raises InputError.

    order : readers are asked in ascending order; the last one takes everything
    """

    name: str
    order: int
    knows: Callable[[bytes], bool]
    read: Callable[[bytes, str], Table]


@cache
def readers() -> tuple[Reader, ...]:
    """Every reader, in the order they are asked."""
    found: list[Reader] = [import_module(f"{__name__}.{m.name}").READER for m in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda reader: reader.order))


def read_table(content: bytes, name: str) -> Table:
    """The table in a file, by the first reader that knows its beginning. Raises InputError."""
    return next(reader for reader in readers() if reader.knows(content)).read(content, name)
