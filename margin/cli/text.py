"""What the commands share: plain tables and reading a portfolio file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from margin.core.errors import InputError
from margin.core.portfolio import MAX_TEXT, Portfolio
from margin.core.settings import MEASURES, Settings


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Plain columns: the first one to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  ".join(_pad(c, w, i) for i, (c, w) in enumerate(zip(row, widths, strict=True))) for row in cells]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(line.rstrip() for line in lines)


def _pad(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column else text.ljust(width)


def money(amount: float | None) -> str:
    return "not computed" if amount is None else f"{amount:,.2f}"


def read_bytes(name: str) -> bytes:
    """A portfolio file's bytes. Raises InputError that names the file."""
    path = Path(name)
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_TEXT else b""
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(name, why, "cannot be read", "Check the path.") from None
    if size > MAX_TEXT:
        raise InputError(name, f"{size} bytes", "is too large", f"At most {MAX_TEXT}.")
    return content


def read_portfolio(name: str) -> Portfolio:
    """A portfolio from a .json or .csv file. Raises InputError that names the file first."""
    content = read_bytes(name)
    try:
        return Portfolio.from_csv(content) if Path(name).suffix.lower() == ".csv" else Portfolio.from_json(content)
    except InputError as error:
        raise InputError(f"{name}: {error.field}", error.value, error.problem, error.hint) from None


def add_prices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prices", required=True, help="CSV or Parquet of USD closes, first column 'date'")
    parser.add_argument("--as-of", help="valuation date, e.g. 2025-10-10 (default: the last common date)")


def add_measure(parser: argparse.ArgumentParser) -> None:
    """How the tail is measured: --level, --horizon, --lookback, --measure."""
    defaults = Settings()
    parser.add_argument("--level", type=float, default=defaults.level, help="tail level (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=defaults.horizon, help="days held (default %(default)s)")
    parser.add_argument("--lookback", type=int, default=defaults.lookback, help="scenarios used (default %(default)s)")
    parser.add_argument("--measure", default=defaults.measure, help=f"one of {', '.join(MEASURES)}")


def add_volumes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--volumes", help="file of the same form with USD traded per day")
