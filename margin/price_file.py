"""Price files for the command line: CSV or Parquet, first column `date`, one column of USD figures per asset."""

from pathlib import Path

import pandas as pd

from margin.errors import InputError
from margin.market import Market

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
    if not path.is_file():
        raise InputError(name, "no such file", "cannot be read", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(name, f"{path.stat().st_size} bytes", "is too large", f"At most {MAX_BYTES}.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
            frame = frame if str(frame.index.name).lower() != "date" else frame.reset_index()
        else:
            frame = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, OSError, pd.errors.ParserError) as error:  # also arrow's own errors, which are ValueErrors
        raise InputError(name, str(error).split("\n")[0][:80], "is not a readable CSV or Parquet file", hint) from None
    columns = [str(c).strip() for c in frame.columns]
    if not columns or columns[0].lower() != "date":
        raise InputError(name, ", ".join(columns[:4]), "does not start with a 'date' column", hint)
    if len(columns) < 2:
        raise InputError(name, columns[0], "holds no asset", hint)
    return frame.set_axis(["date", *columns[1:]], axis=1)
