"""Parquet uploads, read in a process of their own: a damaged file can abort pyarrow and the process it runs in."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from data.files.table import Column, Table
from margin.core.errors import InputError

CHILD = Path(__file__).with_name("parquet_child.py")
SECONDS = 60
HINT = "Write it with pandas: frame.to_parquet('prices.parquet'), or give a CSV file."


def read_parquet_table(content: bytes, name: str) -> Table:
    """The columns of a flat Parquet file, InputError for everything that is not one of modest size. About 0.4 s."""
    if find_spec("pyarrow") is None:
        raise InputError(name, "Parquet", "cannot be read: pyarrow is not installed", "Give a CSV file.")
    # -P: the folder of the child's file stays off its path; one thread, and memory that is given back at once.
    command = [sys.executable, "-P", str(CHILD)]
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(name, f"{SECONDS} seconds", "takes too long to read", HINT) from error
    except OSError as error:
        raise InputError(name, "Parquet", f"cannot be read on this computer ({error})", "Give a CSV file.") from error
    answer = done.stdout
    size = int.from_bytes(answer[:8], "little")
    if done.returncode != 0 or len(answer) < 8 + size:
        raise InputError(name, content[:8], "is a damaged Parquet file", HINT)
    header = json.loads(answer[8 : 8 + size])
    if "refused" in header:
        raise InputError(name, *header["refused"])
    if "damaged" in header:
        raise InputError(name, header["damaged"], "is a damaged Parquet file", HINT)
    return Table(_columns(header, answer[8 + size :]))


def _columns(header: dict[str, Any], arrays: bytes) -> list[Column]:
    """Every array has eight bytes a row; text is codes into its words."""
    columns, rows = [], header["rows"]
    for number, about in enumerate(header["columns"]):
        kind, offset = about["kind"], 8 * rows * number
        if kind == "f":
            cells = np.frombuffer(arrays, np.float64, rows, offset)
        elif kind == "M":
            cells = np.frombuffer(arrays, np.int64, rows, offset).astype("datetime64[us]")
        else:
            cells = np.array(about["words"], dtype=object)[np.frombuffer(arrays, np.int64, rows, offset)]
        columns.append(Column(about["name"], cells, about.get("zone", "")))
    return columns
