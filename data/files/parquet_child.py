"""Reads one Parquet file from standard input, in a process of its own that data/files/parquet.py starts.

A damaged Parquet file can abort the whole process inside pyarrow (an uncaught C++ exception), and one of a few
kilobytes can claim, or unpack to, gigabytes. So this process may die without harm, has limits on memory and time, and
looks first: at the shape (rows, columns, plain types), then at the size every page says it unpacks to, read from the
page headers themselves. Text columns are read as dictionaries, so that a long text repeated 200,000 times is one text.

Answer on standard output: the length of a JSON header (8 bytes), the header, then the arrays it describes. No pickle.
"""

import io
import json
import sys
from contextlib import suppress
from typing import Any

import numpy as np

MAX_COLUMNS, MAX_ROWS, MAX_CELLS = 500, 200_000, 5_000_000
MAX_UNPACKED = 96 * 1024 * 1024
MAX_PAGES = 50_000
MAX_TEXT = 200
MEMORY_BYTES, CPU_SECONDS = 3 * 1024**3, 20
PLAIN_TYPES = {"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY"}
# Plain, dictionary, run length, bit packed, delta of integers, byte stream split. Not the delta encodings of text:
# those can repeat a long prefix for every row at almost no cost in the file.
ENCODINGS = {0, 2, 3, 4, 5, 8, 9}
HINT = "Write it with pandas: frame.to_parquet('prices.parquet')."


class Refused(Exception):
    """(value, problem, hint) for the InputError of the parent."""


def check(metadata: Any, content: bytes) -> list[str]:
    """Refuse what is too large or not flat; the names of the text columns."""
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > MAX_COLUMNS:
        raise Refused(f"{columns:,} columns", f"has more than {MAX_COLUMNS} columns", "Keep the assets you need.")
    if columns < 2:
        raise Refused(f"{columns} columns", "has only one column", HINT)
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise Refused(f"{rows:,} x {columns:,}", "is too long", f"At most {MAX_ROWS:,} rows can be read.")
    if rows < 1:
        raise Refused("0 rows", "has no rows", HINT)
    texts = []
    for number in range(columns):
        column = metadata.schema.column(number)
        nested = column.max_repetition_level or column.path != column.name
        if nested or column.physical_type not in PLAIN_TYPES:
            raise Refused(str(column.path)[:60], "has a column that is not plain numbers, dates or text", HINT)
        if column.physical_type == "BYTE_ARRAY":
            texts.append(column.path)
    unpacked = pages_seen = 0
    for group in range(metadata.num_row_groups):
        for number in range(columns):
            chunk = metadata.row_group(group).column(number)
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            for size, encoding in pages(content, start, chunk.total_compressed_size):
                unpacked, pages_seen = unpacked + size, pages_seen + 1
                if unpacked > MAX_UNPACKED or pages_seen > MAX_PAGES:
                    raise Refused(f"{len(content):,} bytes", "unpacks to far too much", "Give daily closes.")
                if encoding not in ENCODINGS:
                    raise Refused(f"encoding {encoding}", "uses an encoding that cannot be read safely", HINT)
    return texts


def pages(content: bytes, start: int, length: int) -> Any:
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


def cells(column: Any, pa: Any) -> tuple[str, list[str], np.ndarray]:
    """(kind, words, array): "f" float64, "M" int64 microseconds (the smallest is missing), "O" codes into the words."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moments = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
        return "M", [], moments.astype(np.int64)
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return "f", [], column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    if not pa.types.is_dictionary(kind):
        column = column.cast(pa.string()).dictionary_encode()
    words, codes = [""], []
    for chunk in column.chunks:
        found = ["" if w is None else w for w in chunk.dictionary.cast(pa.string()).to_pylist()]
        if any(len(word) > MAX_TEXT for word in found):
            raise Refused("text", f"has a text of more than {MAX_TEXT} characters", HINT)
        index = chunk.indices.cast(pa.int64()).fill_null(-len(words)).to_numpy(zero_copy_only=False)
        codes.append(index + len(words))
        words += found
    return "O", words, np.concatenate(codes) if codes else np.zeros(0, np.int64)


def read(content: bytes) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The header of the answer and the arrays that follow it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        limits = {"thrift_string_size_limit": 4_000_000, "thrift_container_size_limit": 400_000}
        texts = check(pq.ParquetFile(io.BytesIO(content), **limits).metadata, content)
        table = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts, **limits).read(use_threads=False)
        columns = [cells(table.column(number), pa) for number in range(table.num_columns)]
    except Refused as refusal:
        return {"refused": list(refusal.args)}, []
    except Exception as error:  # pyarrow raises nearly everything on damaged files
        return {"damaged": type(error).__name__}, []
    about = [{"name": str(n), "kind": k, "words": w} for n, (k, w, _) in zip(table.column_names, columns, strict=True)]
    return {"rows": table.num_rows, "columns": about}, [array for _, _, array in columns]


def main() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    header, arrays = read(sys.stdin.buffer.read())
    text = json.dumps(header).encode()
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays))


if __name__ == "__main__":
    main()
