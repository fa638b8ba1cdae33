"""Reads one Parquet file from standard input, in a process of its own that data/files/parquet.py starts.

A damaged Parquet file can abort the whole process inside pyarrow (an uncaught C++ exception), and one of a few
kilobytes can unpack to gigabytes. So this process may die without harm, and has 1 GB of memory and 20 s of time; what
the footer claims (rows, columns, plain types, bytes) is looked at first. Text columns are read as dictionaries, so that
a long text repeated 200,000 times is one text.

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
BOUNDS = f"At most {MAX_ROWS:,} rows, {MAX_COLUMNS} columns and {MAX_CELLS:,} cells are read."
MAX_TEXT = 200
MEMORY_BYTES, CPU_SECONDS = 1024**3, 20
MAX_WORDS = 40_000_000  # characters of all texts together
PLAIN_TYPES = {"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY"}
HINT = "Write it with pandas: frame.to_parquet('prices.parquet')."


class Refused(Exception):
    """(value, problem, hint) for the InputError of the parent."""


def check(metadata: Any) -> list[str]:
    """Refuse what is too large or not flat; the names of the text columns."""
    rows, columns = metadata.num_rows, metadata.num_columns
    if columns > MAX_COLUMNS:
        raise Refused(f"{columns:,} columns", f"has more than {MAX_COLUMNS} columns", BOUNDS)
    if columns < 2:
        raise Refused(f"{columns} columns", "has only one column", HINT)
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        raise Refused(f"{rows:,} x {columns:,}", "is too long", BOUNDS)
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
    claimed = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if claimed > MAX_UNPACKED:
        raise Refused(f"{claimed / 1e6:,.0f} MB", "unpacks to far too much", "Give daily closes.")
    return texts


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
        if sum(map(len, words)) + sum(map(len, found)) > MAX_WORDS:
            raise Refused("text", "has far too much text", HINT)
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
        texts = check(pq.ParquetFile(io.BytesIO(content), **limits).metadata)
        table = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts, **limits).read(use_threads=False)
        columns = [cells(table.column(number), pa) for number in range(table.num_columns)]
    except Refused as refusal:
        return {"refused": list(refusal.args)}, []
    except MemoryError:
        return {"refused": [f"{MEMORY_BYTES // 1024**3} GB", "needs more memory than a price file may", HINT]}, []
    except Exception as error:  # pyarrow raises nearly everything on damaged files
        return {"damaged": type(error).__name__}, []
    zones = [str(getattr(kind, "tz", None) or "") for kind in table.schema.types]
    about = [
        {"name": str(n), "kind": k, "words": w, "zone": zone}
        for n, (k, w, _), zone in zip(table.column_names, columns, zones, strict=True)
    ]
    return {"rows": table.num_rows, "columns": about}, [array for _, _, array in columns]


def main() -> None:
    """Read standard input within the limits and answer on standard output."""
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
