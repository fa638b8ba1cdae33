"""`python -m margin portfolio FILE`: what was read from any portfolio file."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.core.account import Account
from margin.core.errors import InputError
from margin.formats.read import ReadPortfolio, read_portfolio


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("portfolio", help="what was read from a portfolio file")
    parser.add_argument(
        "file", help="portfolio JSON, CSV, ccxt positions or balances, a venue's own answers, or a table"
    )
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    content = cli_text.read_bytes(options.file)
    try:
        found = read_portfolio(content)
    except InputError as error:
        raise InputError(f"{options.file}: {error.field}", error.value, error.problem, error.hint) from None
    return found.to_dict(), describe(found)


def describe(found: ReadPortfolio) -> str:
    """What was read as plain text."""
    parts = [found.portfolio.name]
    for number, account in enumerate(found.portfolio.accounts, start=1):
        parts += [_heading(account, number), _positions(account), _collateral(account)]
    if found.set_aside:
        rows = [(row.row, row.symbol or "-", row.reason) for row in found.set_aside]
        parts.append("\n".join(f"set aside: {' '.join(row)}" for row in rows))
    parts.append("\n".join(f"note: {note}" for note in found.portfolio.notes))
    return "\n\n".join(part for part in parts if part)


def _heading(account: Account, number: int) -> str:
    said = [account.name or f"account {number}", account.venue, account.mode or "", account.as_of or ""]
    return ", ".join(part for part in said if part)


def _positions(account: Account) -> str:
    header = ("position", "quantity", "entry USD", "leverage", "margined", "posted")
    rows = []
    for p in account.positions:
        how = "owned" if p.owned else "isolated" if account.is_isolated(p) else "cross"
        posted = f"{p.margin:g}" if p.margin is not None else f"{p.margin_coin:g} coins" if p.margin_coin else "-"
        entry, leverage = (f"{v:g}" if v is not None else "-" for v in (p.entry_price, p.leverage))
        rows.append((p.symbol, f"{p.quantity:g}", entry, leverage, how, posted))
    return cli_text.table(header, rows) if rows else "no positions"


def _collateral(account: Account) -> str:
    rows = [(c.asset, f"{c.quantity:g}") for c in account.collateral]
    return cli_text.table(("collateral", "quantity"), rows) if rows else ""
