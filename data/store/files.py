"""How the store's file is opened, locked and recognised."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
import portalocker

from margin.core.errors import InputError

FOLDER_HINT = "Set MARGIN_DATA_DIR to a folder that can be written; until then prices last until the program stops."
BUSY_SECONDS = 15.0


def connect(path: Path, mode: str, vfs: str = "") -> sqlite3.Connection:
    """A connection that threads may share under a lock. `mode` is SQLite's URI mode: "rwc", "rw" or "ro"."""
    uri = f"{path.resolve().as_uri()}?mode={mode}{f'&vfs={vfs}' if vfs else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # In WAL mode: a power cut may cost the last append, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def journal_mode(connection: sqlite3.Connection) -> str:
    """Ask for WAL and say what was granted; a file system that cannot share memory grants something else.

    While other processes open the same new file the switch answers 'locked' without waiting, so it is tried again.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT; anything raised inside, or by the COMMIT, rolls back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def file_lock(path: Path, exclusive: bool) -> Iterator[None]:
    """A lock on `<path>.guard`: appends share it, a recovery (which renames the file) holds it alone.

    Not `.lock`: that name is SQLite's own where it locks by files. Where the system cannot lock, or the directory
    cannot be written, there is no lock and SQLite's own must do.
    """
    try:
        file = open(f"{path}.guard", "a")  # noqa: SIM115 - closed below, which also releases the lock
    except OSError:
        yield
        return
    with file:
        with suppress(portalocker.LockException, OSError):
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE if exclusive else portalocker.LockFlags.SHARED)
        yield


def identity(path: Path) -> tuple[int, int] | None:
    """Which file the path names now; changes when another process sets the file aside."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def data_directory() -> Path:
    """MARGIN_DATA_DIR, else `margin-lab` in the user's cache directory.

    Raises InputError where neither names a place: a home folder that nobody has (`~nobody/x`, no home at all).
    """
    chosen = os.environ.get("MARGIN_DATA_DIR", "").strip()
    try:
        path = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("margin-lab", appauthor=False)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError("MARGIN_DATA_DIR", chosen or "not set", f"names no folder ({error})", FOLDER_HINT) from None
    if "\0" in str(path) or path.parts[:1] == ("~",) or str(path).startswith("~"):
        raise InputError("MARGIN_DATA_DIR", chosen or "not set", "names no folder", FOLDER_HINT)
    return path
