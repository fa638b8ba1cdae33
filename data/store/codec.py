"""The bytes of one stored series, and how two fetches of it become one.

A series is one blob: a header, then int64 open times in microseconds and the five candle columns as float64,
little-endian, then the notes of its fetches as JSON. Not compressed: prices hardly compress, and zlib would cost ten
times the rest of an append. The checksum covers the key as well, so a blob that ends up in another row is noticed.
Nothing here can run code from a damaged or hostile file: no pickle, and sizes are checked before anything is read.
"""

import json
import struct
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from data.model import CANDLE_COLUMNS, Finding, SeriesKey

MAGIC, CODEC_VERSION, WIDTH = b"MLCS", 2, len(CANDLE_COLUMNS)
WITHOUT_NOTES = 1  # the version before: nothing after the candles
HEADER = struct.Struct("<4sBBIqqI")  # magic, codec version, columns, rows, fetched at, complete since, checksum
CHECKED = HEADER.size - 4  # header bytes under the checksum
UNKNOWN = -(2**63)  # a complete_since that is not known
STEP_US = {"1d": 86_400_000_000, "1h": 3_600_000_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOSE = CANDLE_COLUMNS.index("close")
MOST_NOTES = 100


class DamagedBlob(Exception):
    """The bytes of a series fail their checksum or do not have the stored form."""


@dataclass(frozen=True)
class StoredSeries:
    """Candles of one series and when they were last fetched.

    complete_since : a fetch asked for everything from here on; None when that is not known
    notes          : what its fetches noticed and the candles cannot say: holes, repeated candles, what a volume is
    """

    candles: pd.DataFrame
    fetched_at: datetime
    complete_since: datetime | None = None
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Block:
    """A series as arrays: times int64 [n] and values float64 [n, 5], stamps, all in microseconds since 1970."""

    times: np.ndarray
    values: np.ndarray
    fetched_at: int
    complete_since: int | None
    notes: tuple[Finding, ...] = ()

    def to_series(self) -> StoredSeries:
        """The series as a frame that belongs to the caller."""
        index = pd.DatetimeIndex(self.times.astype("datetime64[us]"), name="date")
        candles = pd.DataFrame(self.values.copy(), index=index, columns=list(CANDLE_COLUMNS))
        since = None if self.complete_since is None else _from_us(self.complete_since)
        return StoredSeries(candles, _from_us(self.fetched_at), since, self.notes)


def to_block(
    candles: pd.DataFrame, fetched_at: datetime, complete_since: datetime | None, notes: Iterable[Finding] = ()
) -> Block:
    """Candles sorted, UTC, unique (last kept), missing columns NaN. ValueError for naive stamps or no closes."""
    index = pd.DatetimeIndex(candles.index)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    if "close" not in candles.columns:
        raise ValueError("candles without a 'close' column cannot be stored")
    values = np.full((len(index), WIDTH), np.nan)
    for number, name in enumerate(CANDLE_COLUMNS):
        if name in candles.columns:
            values[:, number] = candles[name].to_numpy(np.float64, na_value=np.nan)
    kept = index.notna()
    times = index.to_numpy().astype("datetime64[us]").astype(np.int64)[kept]
    times, values = _sorted_unique(times, values[kept])
    since = None if complete_since is None else _to_us(complete_since)
    return Block(times, values, _to_us(fetched_at), since, tuple(notes))


def _sorted_unique(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(times) < 2 or (np.diff(times) > 0).all():
        return times, values
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return times[last], values[last]


def merge(old: Block | None, new: Block, interval: str) -> Block:
    """Both together; on the same open time the later fetch wins (the new one when both are as late).

    `complete_since` stays a promise: the two spans count as one only where they touch, else the later one counts.
    """
    if old is None:
        return new
    first, last = (old, new) if new.fetched_at >= old.fetched_at else (new, old)
    times, values = _sorted_unique(
        np.concatenate([first.times, last.times]), np.concatenate([first.values, last.values])
    )
    span = _joined_span(old, new, STEP_US[interval])
    return Block(times, values, last.fetched_at, span, _joined_notes(first.notes, last.notes))


def _joined_notes(old: Iterable[Finding], new: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each thing noticed once, the newer report of it; the newest of them where there are very many."""
    found = {(n.kind, n.first, n.last, n.action): n for n in (*old, *new)}
    return tuple(found.values())[-MOST_NOTES:]


def _joined_span(old: Block, new: Block, step: int) -> int | None:
    if old.complete_since is None or new.complete_since is None:
        return old.complete_since if new.complete_since is None else new.complete_since
    end, other_end = _end(old, old.complete_since), _end(new, new.complete_since)
    if old.complete_since <= other_end + step and new.complete_since <= end + step:
        return min(old.complete_since, new.complete_since)
    return old.complete_since if end >= other_end else new.complete_since


def _end(block: Block, start: int) -> int:
    return max(start, int(block.times[-1])) if len(block.times) else start


def encode(key: SeriesKey, block: Block) -> bytes:
    """The blob of a series under its key."""
    columns = np.ascontiguousarray(block.values.T, "<f8")
    notes = json.dumps([asdict(note) for note in block.notes], default=str).encode() if block.notes else b""
    body = block.times.astype("<i8", copy=False).tobytes() + columns.tobytes() + notes
    since = UNKNOWN if block.complete_since is None else block.complete_since
    head = HEADER.pack(MAGIC, CODEC_VERSION, WIDTH, len(block.times), block.fetched_at, since, 0)[:CHECKED]
    return head + struct.pack("<I", _checksum(key, head, body)) + body


def decode(key: SeriesKey, blob: bytes) -> Block:
    """The series in `blob`. Raises DamagedBlob when any bit of it, or its key, is not what was written."""
    if not isinstance(blob, bytes) or len(blob) < HEADER.size:
        raise DamagedBlob("too short")
    magic, version, width, rows, fetched_at, since, checksum = HEADER.unpack_from(blob)
    if (magic, width) != (MAGIC, WIDTH) or version not in (WITHOUT_NOTES, CODEC_VERSION):
        raise DamagedBlob("unknown form")
    body, size = memoryview(blob)[HEADER.size :], rows * 8 * (1 + WIDTH)
    if len(body) < size or (version == WITHOUT_NOTES and len(body) != size):
        raise DamagedBlob("wrong length")
    if _checksum(key, blob[:CHECKED], body) != checksum:
        raise DamagedBlob("checksum differs")
    times = np.frombuffer(body, "<i8", rows)
    values = np.frombuffer(body, "<f8", rows * WIDTH, 8 * rows).reshape(WIDTH, rows).T
    return Block(times, values, fetched_at, None if since == UNKNOWN else since, _notes(bytes(body[size:])))


def _notes(text: bytes) -> tuple[Finding, ...]:
    try:
        rows = json.loads(text) if text else []
        return tuple(
            Finding(**{**row, **{k: row[k] and datetime.fromisoformat(row[k]) for k in ("first", "last")}})
            for row in rows
        )
    except (ValueError, TypeError, KeyError):
        raise DamagedBlob("unknown notes") from None


def _checksum(key: SeriesKey, head: bytes, body: bytes | memoryview) -> int:
    name = "\0".join((key.source, key.symbol, key.interval)).encode()
    return zlib.crc32(body, zlib.crc32(head, zlib.crc32(name)))


def _to_us(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"a stored time must be aware, got {moment!r}")
    return (moment - EPOCH) // timedelta(microseconds=1)


def _from_us(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)
