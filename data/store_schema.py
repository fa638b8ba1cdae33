"""What the price store keeps: its tables, their migrations, and the bytes of one series.

A series is one blob: a header, then int64 open times in microseconds and the five candle columns as float64,
little-endian, zlib-compressed. The checksum covers the key as well, so a blob that ends up in another row is
noticed. Nothing here can run code from a damaged or hostile file: no pickle, and the size is checked before
anything is allocated.
"""

import sqlite3
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data.model import CANDLE_COLUMNS, SeriesKey
from data.store_files import transaction

APPLICATION_ID = 0x4D4C4142  # "MLAB", so that somebody else's SQLite file is never touched
MAGIC, CODEC_VERSION = b"MLCS", 1
HEADER = struct.Struct("<4sBBIqqI")  # magic, codec version, columns, rows, fetched at, complete since, checksum
CHECKED = HEADER.size - 4  # header bytes under the checksum
ROW_BYTES = 8 * (1 + len(CANDLE_COLUMNS))
MAX_ROWS = 5_000_000
UNKNOWN = -(2**63)  # complete_since that is not known


@dataclass(frozen=True)
class StoredSeries:
    """Candles of one series and when they were last fetched.

    complete_since : a fetch asked for everything from here on; None when that is not known
    """

    candles: pd.DataFrame
    fetched_at: datetime
    complete_since: datetime | None = None


class DamagedBlob(Exception):
    """The bytes of a series fail their checksum or do not have the stored form."""


class ForeignFile(Exception):
    """A healthy SQLite file that is not ours, or that a newer version of the program wrote."""


def encode(key: SeriesKey, series: StoredSeries) -> bytes:
    """Bytes of `series`, its candles as `normalise` returns them."""
    times = index_us(series.candles.index).astype("<i8", copy=False)
    columns = series.candles.loc[:, list(CANDLE_COLUMNS)].to_numpy(np.float64).T.astype("<f8", copy=False)
    body = zlib.compress(times.tobytes() + np.ascontiguousarray(columns).tobytes(), 1)
    since = UNKNOWN if series.complete_since is None else to_us(series.complete_since)
    stamps = (to_us(series.fetched_at), since)
    head = HEADER.pack(MAGIC, CODEC_VERSION, len(CANDLE_COLUMNS), len(times), *stamps, 0)[:CHECKED]
    return head + struct.pack("<I", _checksum(key, head, body)) + body


def decode(key: SeriesKey, blob: bytes) -> StoredSeries:
    """The series in `blob`. Raises DamagedBlob when any bit of it, or its key, is not what was written."""
    if not isinstance(blob, bytes) or len(blob) < HEADER.size:
        raise DamagedBlob("too short")
    magic, version, width, rows, fetched_at, since, checksum = HEADER.unpack_from(blob)
    body = blob[HEADER.size :]
    if (magic, version, width) != (MAGIC, CODEC_VERSION, len(CANDLE_COLUMNS)) or rows > MAX_ROWS:
        raise DamagedBlob("unknown form")
    if _checksum(key, blob[:CHECKED], body) != checksum:
        raise DamagedBlob("checksum differs")
    try:
        raw = zlib.decompressobj().decompress(body, rows * ROW_BYTES + 1)
    except zlib.error as error:
        raise DamagedBlob(str(error)) from error
    if len(raw) != rows * ROW_BYTES:
        raise DamagedBlob("wrong length")
    times = np.frombuffer(raw, "<i8", rows)
    values = np.frombuffer(raw, "<f8", offset=8 * rows).reshape(width, rows)
    index = pd.DatetimeIndex(times.astype("datetime64[us]"), name="date")
    candles = pd.DataFrame(values.T.copy(), index=index, columns=list(CANDLE_COLUMNS))
    return StoredSeries(candles, from_us(fetched_at), None if since == UNKNOWN else from_us(since))


def _checksum(key: SeriesKey, head: bytes, body: bytes) -> int:
    name = "\0".join((key.source, key.symbol, key.interval)).encode()
    return zlib.crc32(body, zlib.crc32(head, zlib.crc32(name)))


def index_us(index: pd.Index) -> np.ndarray:
    """A DatetimeIndex as int64 microseconds since 1970."""
    return index.to_numpy().astype("datetime64[us]").astype(np.int64)


def normalise(candles: pd.DataFrame) -> pd.DataFrame:
    """Candles as stored: UTC tz-naive index in microseconds, sorted, unique (last kept), five float columns."""
    index = pd.DatetimeIndex(candles.index)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    if "close" not in candles.columns:
        raise ValueError("candles without a 'close' column cannot be stored")
    frame = candles.reindex(columns=list(CANDLE_COLUMNS)).astype(np.float64)
    frame.index = index.as_unit("us").rename("date")
    frame = frame[frame.index.notna()]
    return frame[~frame.index.duplicated(keep="last")].sort_index()


def merge(old: StoredSeries | None, new: StoredSeries, step: pd.Timedelta) -> StoredSeries:
    """Both together; on the same open time the later fetch wins (the new one when both are as late).

    `complete_since` stays a promise: the two spans count as one only where they touch, else the later one counts.
    """
    if old is None:
        return new
    first, last = (old, new) if new.fetched_at >= old.fetched_at else (new, old)
    both = pd.concat([first.candles, last.candles])
    candles = both[~both.index.duplicated(keep="last")].sort_index()
    return StoredSeries(candles, last.fetched_at, _joined_span(old, new, step))


def _joined_span(old: StoredSeries, new: StoredSeries, step: pd.Timedelta) -> datetime | None:
    if old.complete_since is None or new.complete_since is None:
        return old.complete_since or new.complete_since
    (start, end), (other_start, other_end) = _span(old), _span(new)
    if start <= other_end + step and other_start <= end + step:
        return min(old.complete_since, new.complete_since)
    return old.complete_since if end >= other_end else new.complete_since


def _span(series: StoredSeries) -> tuple[pd.Timestamp, pd.Timestamp]:
    assert series.complete_since is not None
    start = pd.Timestamp(series.complete_since).tz_convert("UTC").tz_localize(None)
    return start, start if series.candles.empty else max(start, series.candles.index[-1])


def to_us(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970."""
    if moment.tzinfo is None:
        raise ValueError(f"a stored time must be aware, got {moment!r}")
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_us(value: int) -> datetime:
    return pd.Timestamp(value, unit="us", tz="UTC").to_pydatetime()


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


Migration = Callable[[sqlite3.Connection], None]
MIGRATIONS: tuple[Migration, ...] = (_version_1,)


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
