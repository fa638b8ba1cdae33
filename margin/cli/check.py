"""`python -m margin check ACCOUNT.json`: our figures of a recorded account beside the ones its venue printed."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.venues.check import check_all
from margin.venues.checked import Checked, Figure


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check", help="a recorded account: our figures beside its venue's"
    )
    parser.add_argument("account", help="version 2 JSON: one account, a list of them, or a portfolio, with venue_says")
    parser.add_argument("--model", help="judge it by another venue's rules or mode, e.g. bybit:isolated")
    parser.add_argument("--as-of", help="valuation time instead of the account's own")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a venue's own setting, e.g. taker_fee=0.0006"
    )
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    portfolio = cli_text.read_portfolio(options.account)
    found = check_all(portfolio, options.as_of, options.model, cli_text.settings(options.set))
    notes = list(portfolio.notes)
    if len(portfolio.accounts) == 1:
        data = found[0].to_dict()
        data["notes"] = notes + data["notes"]
    else:
        accounts = [{"name": c.account.name, "venue": c.account.venue, "model": c.model, **c.to_dict()} for c in found]
        matched, compared = (sum(getattr(c, name) for c in found) for name in ("matched", "compared"))
        data = {"accounts": accounts, "matched": matched, "compared": compared, "notes": notes}
    return data, "\n\n".join([_text(c) for c in found] + [f"note: {note}" for note in notes])


def _text(found: Checked) -> str:
    rows = [_row(key, f) for key, f in found.figures.items()]
    rows += [_row(f"{key} {symbol}", f) for key, of in found.per_symbol.items() for symbol, f in of.items()]
    header = ("figure", "ours", "venue", "difference", "matched")
    name = f"{found.account.name}: " if found.account.name else ""
    parts = [f"{name}{found.model}, {found.matched} of {found.compared} figures match"]
    if rows:
        parts.append(cli_text.table(header, rows))
    parts.append("\n".join(f"note: {note}" for note in found.notes))
    return "\n\n".join(part for part in parts if part)


def _row(key: str, figure: Figure) -> tuple[str, ...]:
    numbers = ("none" if value is None else f"{value:,.10g}" for value in (figure.ours, figure.venue))
    gap = "-" if figure.difference is None else f"{figure.difference:+.3g}"
    return key, *numbers, gap, "yes" if figure.matched else "no"
