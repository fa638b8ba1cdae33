"""Parquet uploads, checked before anything is unpacked.

A Parquet file of a few kilobytes can claim, or unpack to, gigabytes. So the shape comes first (rows, columns, plain
types), then the size every page says it unpacks to is read from the page headers themselves, and text columns are
read as dictionaries, so that a long text repeated 200,000 times is one text.
"""

import io
from typing import Any

import numpy as np

from data.files_table import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Column, Table
from margin.errors import InputError

MAX_UNPACKED = 96 * 1024 * 1024
MAX_PAGES = 50_000
MAX_TEXT = 200
PLAIN_TYPES = {"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY"}
# Delta-encoded strings can repeat a long prefix for every row at almost no cost in the file.
ENCODINGS = {
    0,
    2,
    3,
    4,
    5,
    8,
    9,
}  # plain, plain dictionary, rle, bit packed, delta binary, rle dictionary, byte stream split
HINT = "Write it with pandas: frame.to_parquet('prices.parquet')."


def read_parquet_table(content: bytes, name: str) -> Table:
    """The columns of a flat Parquet file. InputError for everything that is not one of modest size."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(name, "Parquet", "cannot be read: pyarrow is not installed", "Give a CSV file.") from error
    try:
        file = pq.ParquetFile(
            io.BytesIO(content), thrift_string_size_limit=4_000_000, thrift_container_size_limit=400_000
        )
        texts = _check(file.metadata, content, name)
        table = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts).read(use_threads=False)
        return Table([Column(str(n), _cells(table.column(i), pa, name)) for i, n in enumerate(table.column_names)])
    except InputError:
        raise
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        MemoryError,
        RuntimeError,
    ) as error:
        raise InputError(name, content[:8], "is a damaged Parquet file", HINT) from error


def _check(metadata: Any, content: bytes, name: str) -> list[str]:
    """Refuse what is too large or not flat; the names of the text columns."""
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > MAX_COLUMNS:
        raise InputError(
            name, f"{columns:,} columns", f"has more than {MAX_COLUMNS} columns", "Keep the assets you need."
        )
    if columns < 2:
        raise InputError(name, f"{columns} columns", "has only one column", HINT)
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise InputError(name, f"{rows:,} x {columns:,}", "is too long", f"At most {MAX_ROWS:,} rows can be read.")
    if rows < 1:
        raise InputError(name, "0 rows", "has no rows", HINT)
    texts = []
    for number in range(columns):
        column = metadata.schema.column(number)
        if (
            column.max_repetition_level
            or column.physical_type not in PLAIN_TYPES
            or "." in column.path[len(column.name) :]
        ):
            raise InputError(name, str(column.path)[:60], "has a column that is not plain numbers, dates or text", HINT)
        if column.physical_type == "BYTE_ARRAY":
            texts.append(column.path)
    unpacked = pages = 0
    for group in range(metadata.num_row_groups):
        for number in range(columns):
            chunk = metadata.row_group(group).column(number)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            for size, encoding in _pages(content, start, chunk.total_compressed_size):
                unpacked, pages = unpacked + size, pages + 1
                if unpacked > MAX_UNPACKED or pages > MAX_PAGES:
                    raise InputError(name, f"{len(content):,} bytes", "unpacks to far too much", "Give daily closes.")
                if encoding not in ENCODINGS:
                    raise InputError(name, f"encoding {encoding}", "uses an encoding that cannot be read safely", HINT)
    return texts


def _pages(content: bytes, start: int, length: int) -> Any:
    """(unpacked size, encoding) of every page in a column chunk, from the pages' own headers."""
    end = start + length
    if not 4 <= start <= end <= len(content):
        raise ValueError("a column lies outside the file")
    position = start
    while position < end:
        header, position = _struct(content, position, 0)
        unpacked, packed = header[2], header[3]
        if not isinstance(unpacked, int) or not isinstance(packed, int) or unpacked < 0 or packed < 0:
            raise ValueError("a page without a size")
        position += packed
        detail = header.get(5) or header.get(7) or header.get(8) or {}
        yield unpacked, detail.get(4 if 8 in header else 2, 0)


def _struct(data: bytes, position: int, depth: int) -> tuple[dict[int, Any], int]:
    """A Thrift compact-protocol struct as {field id: value}: what a Parquet page header is written in."""
    if depth > 8:
        raise ValueError("nested too deeply")
    fields: dict[int, Any] = {}
    last = 0
    while True:
        byte = data[position] if position < len(data) else 0
        position += 1
        if byte == 0:
            return fields, position
        if byte >> 4:
            last += byte >> 4
        else:
            last, position = _zigzag(data, position)
        fields[last], position = _value(data, position, byte & 15, depth)


def _value(data: bytes, position: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):
        return kind == 1, position
    if kind == 3:
        return data[position], position + 1
    if kind in (4, 5, 6):
        return _zigzag(data, position)
    if kind == 7:
        return None, position + 8
    if kind == 8:
        length, position = _varint(data, position)
        return None, position + length
    if kind in (9, 10):
        size, position = data[position], position + 1
        count, element = size >> 4, size & 15
        if count == 15:
            count, position = _varint(data, position)
        if count > 1000:
            raise ValueError("a list too long for a page header")
        for _ in range(count):
            _, position = _value(data, position + (element in (1, 2)), element, depth + 1)
        return None, position
    if kind == 12:
        return _struct(data, position, depth + 1)
    raise ValueError("an unknown field in a page header")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("a page header runs out of the file")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def _zigzag(data: bytes, position: int) -> tuple[int, int]:
    value, position = _varint(data, position)
    return (value >> 1) ^ -(value & 1), position


def _cells(column: Any, pa: Any, name: str) -> np.ndarray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        words = [chunk.dictionary.cast(pa.string()).to_pylist() for chunk in column.chunks]
        if any(word is not None and len(word) > MAX_TEXT for chunk in words for word in chunk):
            raise InputError(name, "text", f"has a text of more than {MAX_TEXT} characters", HINT)
        parts = [
            np.array([*words[i], ""], dtype=object)[
                chunk.indices.fill_null(len(words[i])).to_numpy(zero_copy_only=False)
            ]
            for i, chunk in enumerate(column.chunks)
        ]
        whole = np.concatenate(parts) if parts else np.array([], dtype=object)
        return np.array(["" if word is None else word for word in whole], dtype=object)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    return np.array([str(v) if v is not None else "" for v in column.cast(pa.string()).to_pylist()], dtype=object)
