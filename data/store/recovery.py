"""A damaged store file: set aside under a dated name, and what can still be read copied into a new one.

Rows are read one by one from the file as it stands, and every blob must pass its checksum. What cannot be read is
fetched again.
"""

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from data.model import Interval, SeriesKey
from data.store.codec import DamagedBlob, decode
from data.store.files import transaction

SIDE_FILES = ("-wal", "-shm")
ROWS_TRIED = 20_000  # when the file cannot even say how many rows it has

Row = tuple[str, str, str, bytes]


def is_healthy(path: Path) -> bool:
    """Whether SQLite finds the structure of the file sound. Blobs have their own checksums."""
    try:
        with closing(sqlite3.connect(path, timeout=10)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        return is_transient(error)


def is_transient(error: sqlite3.Error) -> bool:
    """Whether `error` says nothing about the file: busy, full, no permission."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def set_aside(path: Path, now: datetime | None = None) -> Path:
    """Rename the file and its side files to `<stem>.damaged-<date>.db`, never over an existing one."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S")
    number = 0
    while True:
        target = path.with_name(f"{path.stem}.damaged-{stamp}{f'-{number}' if number else ''}{path.suffix}")
        if not target.exists():
            break
        number += 1
    path.rename(target)
    for suffix in SIDE_FILES:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    return target


def salvage(damaged: Path, into: sqlite3.Connection) -> int:
    """Copy every series of `damaged` that passes its checksum into the new store; how many."""
    best: dict[tuple[str, str, str], Row] = {}
    with tempfile.TemporaryDirectory(dir=damaged.parent, prefix=".salvage-") as work:
        copy = _copy(damaged, Path(work) / "copy.db")
        for row in _rows(copy):
            best.setdefault(row[:3], row)
    with transaction(into):
        into.executemany(
            "INSERT OR IGNORE INTO series (source, symbol, interval, candles) VALUES (?, ?, ?, ?)",
            best.values(),
        )
    return len(best)


def _copy(damaged: Path, target: Path) -> Path:
    shutil.copyfile(damaged, target)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{damaged}-wal", f"{target}-wal")
    return target


def _rows(path: Path) -> list[Row]:
    """Every row that passes its checksum, one query per row so that a bad page costs only its own rows."""
    found: list[Row] = []
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return found
    with closing(connection):
        last = ROWS_TRIED
        with suppress(sqlite3.Error):
            last = int(connection.execute("SELECT max(id) FROM series").fetchone()[0] or 0)
        for number in range(1, min(last, ROWS_TRIED) + 1):
            try:
                row = connection.execute(
                    "SELECT source, symbol, interval, candles FROM series WHERE id = ?", (number,)
                ).fetchone()
            except sqlite3.OperationalError:
                break  # no such table: nothing here can be read
            except (sqlite3.Error, UnicodeDecodeError):
                continue
            if row is not None and _sound(row):
                found.append(row)
    return found


def _sound(row: tuple[Any, ...]) -> bool:
    source, symbol, interval, blob = row
    if not all(isinstance(part, str) for part in (source, symbol, interval)):
        return False
    try:
        decode(SeriesKey(source, symbol, cast(Interval, interval)), blob)
    except DamagedBlob:
        return False
    return True
