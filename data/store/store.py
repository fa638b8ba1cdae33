"""The local price store: one SQLite file, shared by threads and processes, that never loses what it holds.

Appends run inside BEGIN IMMEDIATE in WAL mode, so two writers queue, a killed writer leaves the file as it
was, and readers never wait. What cannot be written (disk full, read-only directory) is kept in memory for
this process instead, and what cannot be read (a damaged file) is set aside and salvaged; either way `notices`
says so.
"""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pandas as pd

from data.model import Finding, Interval, SeriesKey
from data.store import recovery as store_recovery
from data.store.codec import Block, DamagedBlob, StoredSeries, decode, encode, merge, to_block
from data.store.files import connect, data_directory, file_lock, identity, journal_mode, transaction
from data.store.schema import ForeignFile, migrate
from margin.core.errors import InputError

__all__ = ["Notice", "Store", "StoredSeries", "default_store"]

MEMORY_ROWS = 2_000_000  # most candles kept in memory when the disk takes none (about 100 MB)
MAX_NOTICES = 50
NAMED = "source = ? AND symbol = ? AND interval = ?"


class Notice(str):
    """A line on the state of the store; `asset` where it is about one asset's prices, else empty."""

    asset: str

    def __new__(cls, text: str, asset: str = "") -> "Notice":
        made = super().__new__(cls, text)
        made.asset = asset
        return made


class Store:
    """Prices on disk in the file `path` (its directory is made). The state of the disk never raises: see `notices`.

    `vfs` names one of SQLite's own file layers; only a file system without locks needs one ("unix-dotfile").
    """

    def __init__(self, path: Path, vfs: str = ""):
        self.path = Path(path).absolute()
        self._vfs = vfs
        self._lock = threading.RLock()  # one append or recovery at a time within this process
        self._read_lock = threading.Lock()  # reads have their own connection and do not wait for appends
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._pid = os.getpid()
        self._memory: dict[SeriesKey, Block] = {}
        self._notices: list[Notice] = []
        self._closed = False
        with self._lock:
            self._open()

    def read(self, key: SeriesKey) -> StoredSeries | None:
        """What is stored for `key`, or None. The frame belongs to the caller."""
        kept, stored = self._memory.get(key), self._read_disk(key)
        block = stored if kept is None else merge(stored, kept, key.interval)
        return None if block is None else block.to_series()

    def keys(self) -> list[SeriesKey]:
        """Every stored series, sorted."""
        rows = self._query("SELECT source, symbol, interval FROM series", ())
        on_disk = {SeriesKey(source, symbol, cast(Interval, interval)) for source, symbol, interval in rows}
        return sorted(on_disk | set(self._memory), key=lambda k: (k.source, k.symbol, k.interval))

    def append(
        self,
        key: SeriesKey,
        candles: pd.DataFrame,
        fetched_at: datetime,
        complete_since: datetime | None = None,
        notes: Iterable[Finding] = (),
    ) -> None:
        """Merge finished candles into the series, all or nothing; on the same open time the later fetch wins.

        candles        : DataFrame indexed by open time, `close` and any of CANDLE_COLUMNS (others become NaN)
        fetched_at     : aware
        complete_since : aware; the fetch asked for everything from here on. None: not known
        notes          : what the fetch noticed, kept with the series; said again, the newer report of it counts
        Raises ValueError for naive times or a frame without closes. A disk that cannot be written is a notice.
        """
        new = to_block(candles, fetched_at, complete_since, notes)
        self._reopen_if_replaced()
        with self._lock:
            block = merge(self._memory.get(key), new, key.interval)
            if self._append_to_disk(key, block):
                self._memory.pop(key, None)
            else:
                self._keep_in_memory(key, block)

    @property
    def notices(self) -> list[Notice]:
        """What the user should know about the store, oldest first, each once."""
        return list(self._notices)

    @property
    def on_disk(self) -> bool:
        """Whether appends reach the disk, as far as is known."""
        return self._writer is not None

    @property
    def closed(self) -> bool:
        """Whether the store may no longer be used."""
        return self._closed

    def close(self) -> None:
        """Close the file; the store must not be used afterwards."""
        with self._lock:
            self._close_connections()
            self._closed = True

    # Reading

    def _read_disk(self, key: SeriesKey) -> Block | None:
        name = (key.source, key.symbol, key.interval)
        rows = self._query(f"SELECT candles FROM series WHERE {NAMED}", name)
        if not rows:
            return None
        try:
            return decode(key, rows[0][0])
        except DamagedBlob as damage:
            self._quarantine(key, rows[0][0], damage)
            return None

    def _query(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        self._reopen_if_replaced()
        for attempt in (1, 2):
            try:
                with self._read_lock:
                    return [] if self._reader is None else self._reader.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if store_recovery.is_transient(error) or attempt == 2:
                    self._notice(f"The price store {self.path} could not be read ({error}); it was not changed.")
                    return []
                self._recover(str(error))
        return []

    # Writing

    def _append_to_disk(self, key: SeriesKey, block: Block) -> bool:
        for attempt in (1, 2):
            if self._writer is None:
                return False
            try:
                with file_lock(self.path, exclusive=False):
                    self._write(self._writer, key, block)
                return True
            except sqlite3.Error as error:
                if store_recovery.is_transient(error) or attempt == 2:
                    self._notice(
                        f"Prices could not be saved to {self.path} ({error}). What was stored is kept;"
                        " new prices last until the program stops."
                    )
                    return False
                self._recover(str(error))
        return False

    def _write(self, connection: sqlite3.Connection, key: SeriesKey, block: Block) -> None:
        name = (key.source, key.symbol, key.interval)
        with transaction(connection):
            row = connection.execute(f"SELECT candles FROM series WHERE {NAMED}", name).fetchone()
            if row is not None:
                try:
                    block = merge(decode(key, row[0]), block, key.interval)
                except DamagedBlob as damage:
                    self._move_damaged(connection, key, row[0], damage)
            connection.execute(
                "INSERT INTO series (source, symbol, interval, candles) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (source, symbol, interval) DO UPDATE SET candles = excluded.candles",
                (*name, encode(key, block)),
            )

    def _keep_in_memory(self, key: SeriesKey, block: Block) -> None:
        self._memory.pop(key, None)
        self._memory[key] = block
        while len(self._memory) > 1 and sum(len(b.times) for b in self._memory.values()) > MEMORY_ROWS:
            self._memory.pop(next(iter(self._memory)))

    # Damage

    def _quarantine(self, key: SeriesKey, blob: bytes, damage: DamagedBlob) -> None:
        """Move a series that fails its checksum out of the way, unless the whole file is unsound."""
        with self._lock:
            if not store_recovery.is_healthy(self.path):
                self._recover(str(damage))
                return
            self._say_damaged(key, damage)
            if self._writer is not None:
                with suppress(sqlite3.Error), file_lock(self.path, exclusive=False), transaction(self._writer):
                    self._move_damaged(self._writer, key, blob, damage)

    def _move_damaged(self, connection: sqlite3.Connection, key: SeriesKey, blob: bytes, damage: DamagedBlob) -> None:
        # Only the very bytes that failed: another process may have put a good series there meanwhile.
        name = (key.source, key.symbol, key.interval, blob)
        connection.execute(
            "INSERT INTO damaged (found_at, source, symbol, interval, candles)"
            f" SELECT ?, source, symbol, interval, candles FROM series WHERE {NAMED} AND candles = ?",
            (datetime.now(UTC).isoformat(timespec="seconds"), *name),
        )
        connection.execute(f"DELETE FROM series WHERE {NAMED} AND candles = ?", name)
        self._say_damaged(key, damage)

    def _say_damaged(self, key: SeriesKey, damage: DamagedBlob) -> None:
        self._notice(
            f"The stored {key.interval} prices of {key.symbol} from {key.source} were damaged ({damage});"
            " they were set aside inside the store and will be fetched again.",
            key.symbol.partition("/")[0],
        )

    def _recover(self, reason: str) -> None:
        """Set a damaged file aside and salvage what can be read, unless another process already did."""
        with self._lock, file_lock(self.path, exclusive=True):
            self._close_connections()
            try:
                if store_recovery.is_healthy(self.path):
                    self._connect()
                    return
                aside = store_recovery.set_aside(self.path)
                writer = self._connect()
                saved = store_recovery.salvage(aside, writer)
                self._notice(
                    f"The price store was damaged ({reason}). It was set aside as {aside.name} and {saved}"
                    " series could be recovered from it; the rest will be fetched again."
                )
            except (OSError, sqlite3.Error, ForeignFile) as error:
                self._notice(f"The damaged price store {self.path} could not be replaced ({error}).")

    # Opening

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connect()
        except ForeignFile as error:
            self._close_connections()
            self._notice(f"{self.path} is left alone: {error}. Prices last until the program stops.")
        except sqlite3.Error as error:
            self._close_connections()
            if store_recovery.is_transient(error):
                self._open_read_only(error)
            else:
                self._recover(str(error))
        except OSError as error:
            self._open_read_only(error)

    def _connect(self) -> sqlite3.Connection:
        self._writer = writer = connect(self.path, "rwc", self._vfs)
        if journal_mode(writer) != "wal":
            self._notice(f"{self.path.parent} cannot hold a write-ahead log; the price store is slower there.")
        migrate(writer)
        self._reader = connect(self.path, "rw", self._vfs)
        self._identity = identity(self.path)
        return writer

    def _open_read_only(self, reason: Exception) -> None:
        """A directory that may not be written: serve what is there, keep the rest in memory."""
        for mode in ("ro", "ro&immutable=1"):  # immutable: a WAL file whose side files cannot be made
            self._close_connections()
            with suppress(sqlite3.Error, OSError):
                self._reader = connect(self.path, mode, self._vfs)
                self._reader.execute("SELECT count(*) FROM series").fetchone()
                self._identity = identity(self.path)
                break
        else:
            self._close_connections()
        self._notice(
            f"Prices cannot be saved to {self.path} ({reason}); new prices last until the program stops."
            " Set MARGIN_DATA_DIR to a directory that can be written."
        )

    def _reopen_if_replaced(self) -> None:
        """Another process may have set the file aside, or somebody deleted it; a fork shares no connection."""
        if self._closed:
            raise ValueError("the price store is closed")
        if self._identity is None or (self._pid == os.getpid() and identity(self.path) == self._identity):
            return
        with self._lock:
            if self._pid != os.getpid():
                self._writer = self._reader = None  # the parent's: closing them here would drop its locks
                self._pid = os.getpid()
            elif identity(self.path) == self._identity:
                return
            self._close_connections()
            self._open()

    def _close_connections(self) -> None:
        with self._read_lock:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    with suppress(sqlite3.Error):
                        connection.close()
            self._reader = self._writer = self._identity = None

    def _notice(self, text: str, asset: str = "") -> None:
        if text not in self._notices and len(self._notices) < MAX_NOTICES:
            self._notices.append(Notice(text, asset))


_stores: dict[Path, Store] = {}
_stores_lock = threading.Lock()


def default_store() -> Store:
    """The store of this process at `data_directory() / "prices.db"`, opened once and shared by all threads.

    Where that directory cannot be written the store keeps prices in memory, and its `notices` say so.
    """
    said = ""
    try:
        path = data_directory() / "prices.db"
    except InputError as error:
        path, said = _temporary_folder() / "prices.db", f"Prices cannot be kept: {error}"
    with _stores_lock:
        store = _stores.get(path)
        if store is None or store.closed:
            store = _stores[path] = Store(path)
            if said:
                store._notice(said)
        return store


@cache
def _temporary_folder() -> Path:
    """A folder of this process, where no lasting one can be had."""
    return Path(tempfile.mkdtemp(prefix="margin-lab-"))
