"""Price files for the command line: CSV or Parquet, first column `date`, one column of USD figures per asset."""

from pathlib import Path

import pandas as pd

from margin.core.errors import InputError
from margin.core.market import Market

MAX_BYTES = 200_000_000


def read_market(prices: str, volumes: str | None = None) -> Market:
    """A Market from a file of closes and, when given, one of USD traded per day. Raises InputError naming the file."""
    closes = read_table(prices)
    traded = read_table(volumes) if volumes else None
    return Market(closes, traded)


def read_table(name: str) -> pd.DataFrame:
    """The file as a frame whose first column is `date`. The engine checks its cells. Raises InputError."""
    path = Path(name)
    hint = "The first column is 'date', then one column of USD closes per asset."
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null byte
        found = False
    if not found:
        raise InputError(name, "no such file", "cannot be read", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(name, f"{path.stat().st_size} bytes", "is too large", f"At most {MAX_BYTES}.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
            frame = frame if str(frame.index.name).lower() != "date" else frame.reset_index()
        else:
            frame = pd.read_csv(path, encoding="utf-8-sig")
            header = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str).iloc[0]
            if header.notna().all() and len(header) == len(frame.columns):
                frame.columns = list(header)  # pandas would call a second BTC column BTC.1
    except (ValueError, OSError, NotImplementedError, MemoryError, OverflowError) as error:  # pandas' and arrow's own
        raise InputError(name, str(error).split("\n")[0][:80], "is not a readable CSV or Parquet file", hint) from None
    columns = [str(c).strip() for c in frame.columns]
    if not columns or columns[0].lower() != "date":
        raise InputError(name, ", ".join(columns[:4]), "does not start with a 'date' column", hint)
    if len(columns) < 2:
        raise InputError(name, columns[0], "holds no asset", hint)
    return frame.set_axis(["date", *columns[1:]], axis=1)
