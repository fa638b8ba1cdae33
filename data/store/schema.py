"""The tables of the price store and how an older file is brought up to date."""

import sqlite3
from collections.abc import Callable, Sequence

from data.store.files import transaction

APPLICATION_ID = 0x4D4C4142  # "MLAB", so that somebody else's SQLite file is never touched


class ForeignFile(Exception):
    """A healthy SQLite file that is not ours, or that a newer version of the program wrote."""


def _version_1(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, source TEXT NOT NULL, symbol TEXT NOT NULL,"
        " interval TEXT NOT NULL, candles BLOB NOT NULL, UNIQUE (source, symbol, interval))"
    )
    # Blobs that failed their checksum: kept for a later look, never read back, never deleted.
    connection.execute(
        "CREATE TABLE damaged (id INTEGER PRIMARY KEY, found_at TEXT NOT NULL, source TEXT, symbol TEXT,"
        " interval TEXT, candles BLOB)"
    )


def _version_2(connection: sqlite3.Connection) -> None:
    """Blobs may carry notes. The same tables, but a program of version 1 would take such a blob for damage."""


Migration = Callable[[sqlite3.Connection], None]
MIGRATIONS: tuple[Migration, ...] = (_version_1, _version_2)


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to version len(steps), one transaction, safe when several processes open it at once.

    Raises ForeignFile for a file of another program or of a newer version; nothing is changed then.
    """
    if _version(connection) == len(steps) and _pragma(connection, "application_id") == APPLICATION_ID:
        return
    with transaction(connection):
        version = _version(connection)  # again: another process may have just done it
        owner = _pragma(connection, "application_id")
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if version > len(steps) or (owner != APPLICATION_ID and not empty):
            ours = owner == APPLICATION_ID
            raise ForeignFile("a newer version of Margin Lab wrote it" if ours else "it is not a price store")
        for step in steps[version:]:
            step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _version(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "user_version")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
