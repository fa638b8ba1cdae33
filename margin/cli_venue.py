"""`python -m margin venue NAME|all`: what a venue would ask for the book, in each of its modes."""

import argparse
from typing import Any

from margin import cli_text, venues
from margin.errors import InputError
from margin.portfolio import Portfolio
from margin.price_file import read_market
from margin.venues.marks import Marks
from margin.venues.perpetuals import PerpetualVenue


def add_parser(commands: Any) -> argparse.ArgumentParser:
    names = ", ".join(venues.names())
    parser = commands.add_parser("venue", help="margin under a real venue's rules")
    parser.add_argument("name", help=f"{names}, or all")
    parser.add_argument("--portfolio", required=True, help="JSON (version 1 or ccxt positions) or CSV")
    cli_text.add_prices(parser)
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    portfolio = cli_text.read_portfolio(options.portfolio)
    if not portfolio.positions:
        raise InputError("positions", "none", "the portfolio is empty", "Add a position, e.g. 1 of BTC/USDT:USDT.")
    marks = Marks.of_market(read_market(options.prices), portfolio, options.as_of)
    names = venues.names() if options.name == "all" else (venues.rulebook(options.name).name,)
    found = [row for name in names for row in _rows(name, portfolio, marks)]
    held = sorted((r for r in found if r["why_not"] is None), key=lambda r: r["initial"])
    refused = [r for r in found if r["why_not"] is not None]
    result = {"as_of": marks.as_of.strftime("%Y-%m-%d"), "venues": [*held, *refused]}
    return result, _text(held, refused)


def _rows(name: str, portfolio: Portfolio, marks: Marks) -> list[dict[str, Any]]:
    """One row per mode, or one that says why the venue cannot hold the book."""
    rulebook = venues.rulebook(name)
    about = {"venue": name, "title": rulebook.title, "parameters_of": rulebook.as_of, "missing": list(rulebook.missing)}
    unsupported = rulebook.supports(portfolio)
    if unsupported:
        why = "; ".join(f"{u.symbol}: {u.reason}" for u in unsupported)
        return [{**about, "mode": None, "why_not": why}]
    rows = []
    for mode in rulebook.modes:
        m = rulebook.requirement(portfolio, marks, mode)
        prices = rulebook.liquidation_prices(portfolio, marks, mode) if isinstance(rulebook, PerpetualVenue) else {}
        rows.append(
            {
                **about,
                "mode": mode,
                "why_not": None,
                "initial": m.initial,
                "maintenance": m.maintenance,
                "equity": m.equity,
                "collateral_value": m.collateral_value,
                "free": m.free,
                "health": m.health,
                "liquidation_prices": prices,
                "lines": [
                    {"label": x.label, "formula": x.formula, "amount": x.amount, "source": x.source} for x in m.lines
                ],
                "notes": list(m.notes),
            }
        )
    return rows


def _text(held: list[dict[str, Any]], refused: list[dict[str, Any]]) -> str:
    money = cli_text.money
    rows = [
        (
            r["title"],
            r["mode"],
            money(r["initial"]),
            money(r["maintenance"]),
            money(r["collateral_value"]),
            money(r["free"]),
            "-" if r["health"] is None else f"{r['health']:.2f}",
            r["parameters_of"],
        )
        for r in held
    ]
    header = ("venue", "mode", "initial", "maintenance", "collateral", "free", "health", "rules of")
    parts = [cli_text.table(header, rows)] if rows else []
    parts += [f"{r['title']} cannot hold it: {r['why_not']}" for r in refused]
    return "\n".join(parts)
