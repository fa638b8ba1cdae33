"""The command line of the venues' workshop."""

import sys

from data.errors import FetchError
from margin.core.errors import InputError
from tools.venues import files, readers, tables

__all__ = ["main"]

USAGE = "python -m tools.venues [tables | read NAME ...]"


def main(arguments: list[str] | None = None) -> int:
    """0 fine, 2 for a wrong word or a venue that did not answer."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        sys.stdout.write(f"{USAGE}\nRead without a key: {', '.join(readers.names())}\n")
        return 0
    if words == ["tables"]:
        tables.DOCS.write_text(tables.renewed(tables.DOCS.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if words[0] != "read" or len(words) == 1:
        sys.stderr.write(f"error: {' '.join(words)}: {USAGE}\n")
        return 2
    try:
        for name in words[1:]:
            found = readers.read(name)
            sys.stdout.write(f"{files.write(found)}: {found.coins} markets of {found.date}\n")
    except (FetchError, InputError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0
