"""What the commands share: plain tables, and which portfolio and which prices are meant."""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from margin.core.errors import InputError
from margin.core.market import Market
from margin.core.portfolio import MAX_TEXT, Portfolio
from margin.core.settings import MEASURES, Settings
from margin.formats import read as formats
from margin.formats.prices import read_market
from margin.sample.ready import sample_market, sample_portfolio


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
    """USD with cents, or the words "not computed"."""
    return "not computed" if amount is None else f"{amount:,.2f}"


def read_bytes(name: str, most: int = MAX_TEXT) -> bytes:
    """A file's bytes, at most `most`. Raises InputError that names the file."""
    try:
        with Path(name).open("rb") as file:  # not its stated size: a device states none and never ends
            content = file.read(most + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(name, why, "cannot be read", "Check the path.") from None
    if len(content) > most:
        raise InputError(name, f"over {most} bytes", "is too large", f"At most {most}.")
    return content


def read_portfolio(name: str) -> Portfolio:
    """A portfolio from any file `python -m margin portfolio` reads. Raises InputError that names the file first.

    A row that can't be read refuses the file: figures of a part of it would be wrong.
    """
    content = read_bytes(name)
    try:
        found = formats.read_portfolio(content)
        if found.set_aside:
            row = found.set_aside[0]
            hint = "`python -m margin portfolio` shows what can be read."
            raise InputError(row.row, row.symbol, f"can't be read: {row.reason}", hint)
    except InputError as error:
        raise InputError(f"{name}: {error.field}", error.value, error.problem, error.hint) from None
    return found.portfolio


def add_portfolio(parser: argparse.ArgumentParser) -> None:
    """--portfolio; `portfolio_of` reads it."""
    about = "JSON (version 1 or 2, or ccxt positions) or CSV; with --sample a ready one where none is given"
    parser.add_argument("--portfolio", help=about)


def portfolio_of(options: argparse.Namespace) -> Portfolio:
    """The portfolio that is meant; with --sample the ready one where none is given. Raises InputError."""
    if options.portfolio:
        return read_portfolio(options.portfolio)
    if options.sample:
        return sample_portfolio()
    raise InputError("--portfolio", None, "is missing", "Give --portfolio FILE, or --sample to try a ready one.")


def add_prices(parser: argparse.ArgumentParser) -> None:
    """--prices, --sample and --as-of; `market_of` reads them."""
    parser.add_argument("--prices", help="CSV or Parquet of USD closes, first column 'date'")
    parser.add_argument(
        "--sample", action="store_true", help="use the bundled sample (partly simulated), no file needed"
    )
    parser.add_argument("--asset", help="the asset of a prices file that holds one and does not say which, e.g. BTC")
    parser.add_argument("--as-of", help="valuation date, e.g. 2025-10-10 (default: the last common date)")


def market_of(options: argparse.Namespace) -> Market:
    """The prices that are meant, and the volumes where the command takes them. Raises InputError."""
    volumes = getattr(options, "volumes", None)
    if options.sample:
        for name, given in (("--prices", options.prices), ("--volumes", volumes)):
            if given:
                raise InputError(name, given, "cannot stand beside --sample", "Give one of the two.")
        return sample_market()
    if not options.prices:
        raise InputError("--prices", None, "is missing", "Give --prices FILE, or --sample for the bundled prices.")
    return read_market(options.prices, volumes, options.asset)


def settings(given: Sequence[str]) -> dict[str, float]:
    """{name: number} of --set NAME=VALUE. Raises InputError."""
    out = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            out[name.strip()] = float(value)
        except ValueError:
            raise InputError("--set", text, "is not NAME=VALUE with a number", "E.g. --set open_interest=0.5") from None
    return out


def add_measure(parser: argparse.ArgumentParser) -> None:
    """How the tail is measured: --level, --horizon, --lookback, --measure."""
    defaults = Settings()
    parser.add_argument("--level", type=float, default=defaults.level, help="tail level (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=defaults.horizon, help="days held (default %(default)s)")
    parser.add_argument("--lookback", type=int, default=defaults.lookback, help="scenarios used (default %(default)s)")
    parser.add_argument("--measure", default=defaults.measure, help=f"one of {', '.join(MEASURES)}")


def add_volumes(parser: argparse.ArgumentParser) -> None:
    """The option that gives traded dollars."""
    parser.add_argument("--volumes", help="file of the same form with USD traded per day")


def funding_of(text: str) -> "float | dict[str, pd.Series]":
    """A rate a day, or the records of a file: first column `date` (UTC time of payment), then an asset a column."""
    try:
        return float(text)
    except ValueError:
        pass
    content = read_bytes(text)
    try:
        table = pd.read_csv(io.BytesIO(content), index_col=0)
        times = pd.to_datetime(table.index, utc=True).tz_localize(None)
        return {str(name): pd.Series(table[name].to_numpy(dtype=float), times).dropna() for name in table.columns}
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        hint = "First column date (UTC), then one column per asset, fractions per payment."
        raise InputError(text, str(error)[:80], "is no table of funding payments", hint) from None
