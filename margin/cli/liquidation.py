"""`python -m margin liquidation`: at which prices the account is closed, and what happens along a path."""

import argparse
from typing import Any

import pandas as pd

from margin.cli import stress as stress_cli
from margin.cli import text as cli_text
from margin.core.checks import date_text
from margin.core.errors import InputError
from margin.liquidation.account import simulate
from margin.liquidation.frictions import frictions_of
from margin.liquidation.ledgers import Liquidation
from margin.liquidation.moves import FatalMove, fatal_moves
from margin.models.funding import Funding
from margin.stress.held import StressBook
from margin.stress.paths import PricePath, recorded_path, replay


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "liquidation", help="where the account is closed, and what would have happened along a stretch of the record"
    )
    cli_text.add_portfolio(parser)
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    parser.add_argument("--model", help=stress_cli.MODEL_HELP)
    about = "follow the account from this date, e.g. 2022-05-01 (default: from --as-of, where prices go on after it)"
    parser.add_argument("--start", help=about)
    parser.add_argument("--days", type=int, default=30, help="days followed (default %(default)s)")
    about = "funding along --start: a fraction a day that longs pay, or a CSV of recorded payments (default: none)"
    parser.add_argument("--funding", help=about)
    parser.add_argument("--fund", type=float, default=1_000_000.0, help="insurance fund, USD (default %(default)s)")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    book = stress_cli.book_of(options)
    rows = [*fatal_moves(book), *fatal_moves(book, alone=True)]
    start = options.start or _after(book)
    paid = None if options.funding is None else Funding(cli_text.funding_of(options.funding))
    if paid is not None and start is None:
        raise InputError("--funding", options.funding, "is paid along a path", "Give --start too.")
    data: dict[str, Any] = {
        **stress_cli.about(book),
        "liquidation_prices": [_fatal(m) for m in rows],
        "path": None,
        "closing": None,
    }
    parts = [stress_cli.headline(book), _prices_text(rows)]
    if start is not None and book.positions:
        path = recorded_path(book, start, options.days)
        followed = replay(book, path, paid)
        around = frictions_of(book, options.fund)
        runs = [simulate(book, path, None, mode, around, paid) for mode in ("held", "alone")]
        data["path"] = stress_cli.path_to_dict(followed)
        data["closing"] = {run.mode: _closing(run, path) for run in runs}
        parts += [stress_cli.path_text(followed), *(_run_text(run, path) for run in runs)]
    notes = "\n".join(f"note: {note}" for note in book.notes)
    return data, "\n\n".join(part for part in (*parts, notes) if part)


def _after(book: StressBook) -> str | None:
    """The day after the account's as-of, where the prices go on; None where they end there."""
    if book.as_of >= pd.Timestamp(book.market.dates[-1]):
        return None
    return date_text(book.as_of + pd.Timedelta(days=1))


def _fatal(m: FatalMove) -> dict[str, Any]:
    return {
        "account": m.account,
        "alone": m.alone,
        "asset": m.name,
        "fall": m.fall,
        "rise": m.rise,
        "below": m.price_below,
        "above": m.price_above,
    }


def _prices_text(rows: list[FatalMove]) -> str:
    if not rows:
        return "Nothing of it can be liquidated."
    table = [
        (
            f"{m.account}{' (alone)' if m.alone else ''}",
            m.name,
            _move(m.fall),
            "-" if m.price_below is None else cli_text.money(m.price_below),
            _move(m.rise),
            "-" if m.price_above is None else cli_text.money(m.price_above),
        )
        for m in rows
    ]
    return cli_text.table(("account", "price of", "fall", "below", "rise", "above"), table)


def _move(move: float | None) -> str:
    return "never" if move is None else "now" if move == 0 else f"{move:+.2%}"


def _closing(run: Liquidation, path: PricePath) -> dict[str, Any]:
    return {
        "liquidated": run.liquidated,
        "final": run.final,
        "fund_left": run.fund_left,
        "accounts": [
            {
                "name": x.account, "started": x.started, "earned": x.earned, "funding": x.funding, "impact": x.impact,
                "fees": x.fees,
                "surrendered": x.surrendered, "fund": x.fund, "adl": x.adl, "shared": x.shared, "final": x.final,
            }
            for x in run.ledgers
        ],
        "log": [
            {
                "day": path.labels[line.step],
                "when": line.when,
                "kind": line.kind,
                "account": line.account,
                "amount": line.amount,
                "what": line.words,
            }
            for line in run.log
        ],
    }  # fmt: skip


def _run_text(run: Liquidation, path: PricePath) -> str:
    way = "As held" if run.mode == "held" else "Position by position"
    lines = [f"{way} it ends with {cli_text.money(run.final)}."]
    lines += [f"  {path.labels[x.step]}, {x.when}: {x.account}, {x.kind}: {x.words}" for x in run.log[:20]]
    if len(run.log) > 20:
        lines.append(f"  ... and {len(run.log) - 20} more (--json has all)")
    return "\n".join(lines)
