"""Any portfolio file or text: what was read, and the rows that had to be set aside, each with its reason.

Our own JSON and tables are read whole or not at all: a slip in them is named and nothing is guessed. Of other programs'
lists (ccxt positions) a row that can't be read is set aside by name, and the others are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin.core import checks
from margin.core.errors import InputError
from margin.core.portfolio import MAX_POSITIONS, Portfolio
from margin.formats import portfolio_json
from margin.formats.portfolio import portfolio_from_csv, position_from_ccxt


@dataclass(frozen=True)
class SetAside:
    """A row that was not read: where it stands, what it names, and why."""

    row: str
    symbol: str
    reason: str


@dataclass(frozen=True)
class ReadPortfolio:
    """notes: what was changed or assumed in reading (portfolio.notes)."""

    portfolio: Portfolio
    set_aside: tuple[SetAside, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Portfolio JSON version 2 with `notes` and `set_aside` beside the accounts; `Portfolio.from_json` reads it."""
        data = self.portfolio.to_dict()
        data["notes"] = list(self.portfolio.notes)
        data["set_aside"] = [vars(row) for row in self.set_aside]
        return data


def read_portfolio(source: "str | bytes | list | Mapping", table: bool = False) -> ReadPortfolio:
    """Read portfolio JSON (version 1 or 2), ccxt positions, or with `table` a CSV.

    Raises InputError naming the place and the way out; also where every row of a list had to be set aside.
    """
    if table and isinstance(source, str | bytes):
        return ReadPortfolio(portfolio_from_csv(source))
    data = portfolio_json.parse(source) if isinstance(source, str | bytes) else source
    if isinstance(data, list):
        rows = None if data and all(portfolio_json.is_account(row) for row in data) else data
    else:
        rows = data["positions"] if portfolio_json.is_ccxt(data) else None
    if rows is None:
        return ReadPortfolio(portfolio_json.read(data))
    return _from_ccxt(checks.listed(rows, MAX_POSITIONS, "positions"))


def _from_ccxt(rows: list) -> ReadPortfolio:
    kept, aside = [], []
    first: InputError | None = None
    for i, row in enumerate(rows):
        try:
            position = position_from_ccxt(row, f"positions[{i}]")
        except InputError as error:
            first = first or error
            symbol = str(row.get("symbol") or "")[:100] if isinstance(row, Mapping) else ""
            aside.append(SetAside(f"positions[{i}]", symbol, str(error)))
        else:
            kept += [position] if position is not None else []
    if first is not None and not kept:
        raise first
    return ReadPortfolio(Portfolio(kept), tuple(aside))
