"""`python -m margin correlation`: one matrix of simple daily returns as of a date."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.core.checks import whole_number
from margin.correlation.matrix import METHODS, correlation_matrix


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("correlation", help="correlation matrix of returns")
    cli_text.add_prices(parser)
    parser.add_argument("--window", type=int, default=60, help="returns used (default %(default)s)")
    parser.add_argument("--horizon", type=int, default=1, help="days a return spans (default %(default)s)")
    parser.add_argument("--method", default="rolling", help=f"one of {', '.join(METHODS)}")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    market = cli_text.market_of(options)
    window = whole_number(options.window, "window", 3, 100_000)
    result = correlation_matrix(market, market.assets, window, options.method, options.as_of, options.horizon)
    rows = [(a, *(_cell(result.matrix[a][b]) for b in result.assets)) for a in result.assets]
    text = [
        f"As of {result.as_of.date()}, {result.method} over {window} {_span(result.horizon)} returns",
        cli_text.table(("", *result.assets), rows),
        "\n".join(f"note: {pair} has no figure: {reason}" for pair, reason in result.reasons.items()),
        "\n".join(f"note: {finding}" for finding in market.findings_of(result.assets, options.as_of)),
        "\n".join(f"note: {asset} has no figure: {reason}" for asset, reason in result.missing.items()),
    ]
    return result.to_dict(), "\n\n".join(part for part in text if part)


def _span(horizon: int) -> str:
    return "daily" if horizon == 1 else f"{horizon}-day"


def _cell(rho: float | None) -> str:
    return "-" if rho is None else f"{rho:.2f}"
