"""`python -m margin venue NAME|all`: what a venue would ask for the book, in each of its modes."""

import argparse
from typing import Any

from margin import venues
from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.core.words import by_reason
from margin.models.marks import Marks
from margin.venues.survey import Asked, Refused, recent_gain, survey


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    names = ", ".join(venues.names())
    parser: argparse.ArgumentParser = commands.add_parser("venue", help="margin under a real venue's rules")
    parser.add_argument("name", help=f"{names}, or all")
    cli_text.add_portfolio(parser)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a venue's own setting, e.g. open_interest=0.5"
    )
    cli_text.add_prices(parser)
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    portfolio = cli_text.portfolio_of(options)
    if not portfolio.positions:
        raise InputError("positions", "none", "the portfolio is empty", "Add a position, e.g. 1 of BTC/USDT:USDT.")
    market = cli_text.market_of(options)
    marks = Marks.of_market(market, portfolio, options.as_of)
    names = venues.names() if options.name == "all" else (venues.rulebook(options.name).name,)
    rulebooks = [venues.rulebook(name) for name in names]
    settings = cli_text.settings(options.set)
    if settings and options.name == "all":
        raise InputError("--set", options.set[0], "needs one venue's name instead of all")
    chosen = {rulebook.name: rulebook.settings(settings) for rulebook in rulebooks}
    found = survey(portfolio, marks, chosen, rulebooks, recent_gain(portfolio, market, marks))
    rows = [*map(_row, found.asked), *map(_refusal, found.refused)]
    return {"as_of": marks.as_of.strftime("%Y-%m-%d"), "venues": rows}, _text(rows)


def _about(found: Asked | Refused) -> dict[str, Any]:
    rulebook = found.rulebook
    of = rulebook.dated(found.margin) if isinstance(found, Asked) else rulebook.as_of
    about = {"venue": rulebook.name, "title": rulebook.title, "purpose": rulebook.purpose}
    return {**about, "parameters_of": of, "status": rulebook.status, "missing": list(rulebook.missing)}


def _refusal(found: Refused) -> dict[str, Any]:
    return {**_about(found), "mode": found.mode, "why_not": "; ".join(found.reasons)}


def _row(found: Asked) -> dict[str, Any]:
    m = found.margin
    nearest = None if found.nearest is None else {"what": found.nearest[0], "move": found.nearest[1]}
    return {
        **_about(found),
        "mode": m.mode,
        "why_not": None,
        "left_out": [{"symbol": u.symbol, "why": u.reason} for u in found.left_out],
        "initial": m.initial,
        "maintenance": m.maintenance,
        "equity": m.equity,
        "collateral_value": m.collateral_value,
        "free": m.free,
        "health": m.health,
        "return_on_margin": found.return_on_margin,
        "liquidation_prices": {name: {"down": e.down, "up": e.up} for name, e in found.edges.items()},
        "nearest_liquidation": nearest,
        "lines": [{"label": x.label, "formula": x.formula, "amount": x.amount, "source": x.source} for x in m.lines],
        "notes": list(m.notes),
    }


def _text(rows: list[dict[str, Any]]) -> str:
    money = cli_text.money
    table = [
        (
            r["title"],
            r["mode"],
            money(r["initial"]),
            money(r["maintenance"]),
            money(r["collateral_value"]),
            money(r["free"]),
            "-" if r["health"] is None else f"{r['health']:.2f}",
            "never" if r["nearest_liquidation"] is None else _move(r["nearest_liquidation"]),
            "-" if r["return_on_margin"] is None else f"{r['return_on_margin']:+.1%}",
            r["parameters_of"],
        )
        for r in rows
        if r["why_not"] is None
    ]
    header = (
        "venue", "mode", "initial", "maintenance", "collateral", "free", "health", "liquidated at", "30-day return",
        "rules of",
    )  # fmt: skip
    parts = [cli_text.table(header, table)] if table else []
    for r in rows:
        out = by_reason((u["symbol"], u["why"]) for u in r.get("left_out", ()))
        parts += [f"{r['title']} ({r['mode']}) without {said}" for said in out]
    refused = [r for r in rows if r["why_not"] is not None]
    for r in refused:
        mode = f" ({r['mode']})" if r["mode"] else ""
        parts.append(f"{r['title']}{mode} cannot hold it: {r['why_not']}")
    return "\n".join(parts)


def _move(nearest: dict[str, Any]) -> str:
    return "now" if nearest["move"] == 0 else f"{nearest['what']} {nearest['move']:+.1%}"
