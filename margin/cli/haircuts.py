"""`python -m margin haircuts`: what each asset counts for as collateral, and what its haircut is made of."""

import argparse
from typing import Any

from margin.cli import text as cli_text
from margin.core.errors import InputError
from margin.haircut.model import COMPONENTS, describe, haircut
from margin.haircut.settings import TAILS, HaircutSettings, described


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """The command and its options."""
    parser: argparse.ArgumentParser = commands.add_parser("haircuts", help="collateral haircut of every asset")
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    parser.add_argument(
        "--size", type=float, default=0.0, help="USD held of each asset; larger holdings count for less"
    )
    parser.add_argument("--tail", default="historical", help=f"tail loss: {', '.join(TAILS)} (default: historical)")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Runs the command: (values for JSON, text)."""
    market = cli_text.market_of(options)
    settings = HaircutSettings(tail=options.tail)
    found: dict[str, dict[str, Any]] = {}
    for asset in market.assets:
        try:
            h = haircut(market, asset, options.size, options.as_of, settings)
        except InputError as error:
            if error.field in ("as_of", "size_usd"):
                raise
            found[asset] = {"haircut": None, "source": f"not computed: {error.problem}", "price": None}
            continue
        found[asset] = {"haircut": h.total, "source": describe(h), "price": h.price, "parts": h.parts}
        found[asset] |= {
            "floor": h.floor,
            "days_to_sell": h.horizon_days,
            "notes": [*h.notes, *market.findings_of([asset], options.as_of)],
        }
    header = ("asset", "haircut", *(name.replace("floor_top_up", "to floor") for name in COMPONENTS))
    rows = [(asset, *_cells(line)) for asset, line in found.items()]
    result = {"size_usd": options.size, "parameters": described(settings), "haircuts": found}
    left_out = [f"{asset}: {line['source']}" for asset, line in found.items() if line["haircut"] is None]
    noticed = [f"note: {text}" for text in market.findings_of(market.assets, options.as_of)]
    return result, "\n".join([cli_text.table(header, rows), *left_out, *noticed])


def _cells(line: dict[str, Any]) -> list[str]:
    if line["haircut"] is None:
        return ["-"] * (1 + len(COMPONENTS))
    return [f"{line['haircut']:.2%}", *(f"{value:.2%}" for value in line["parts"].values())]
