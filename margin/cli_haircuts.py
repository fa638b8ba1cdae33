"""`python -m margin haircuts`: what each asset counts for as collateral."""

import argparse
from typing import Any

from margin import cli_text
from margin.collateral import HAIRCUT_HORIZON, HAIRCUT_LEVEL, default_haircut
from margin.errors import InputError
from margin.price_file import read_market
from margin.settings import Settings


def add_parser(commands: Any) -> argparse.ArgumentParser:
    parser = commands.add_parser("haircuts", help="collateral haircut of every asset")
    cli_text.add_prices(parser)
    cli_text.add_volumes(parser)
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    market = read_market(options.prices, options.volumes)
    settings = Settings(as_of=options.as_of)
    found: dict[str, dict[str, Any]] = {}
    for asset in market.assets:
        try:
            price = market.price(asset, settings.as_of)
            haircut, source = default_haircut(asset, market, settings)
            found[asset] = {"haircut": haircut, "source": source, "price": price}
        except InputError as error:
            found[asset] = {"haircut": None, "source": f"not computed: {error.problem}", "price": None}
    rows = [(a, "-" if f["haircut"] is None else f"{f['haircut']:.2%}", f["source"]) for a, f in found.items()]
    result = {"level": HAIRCUT_LEVEL, "horizon": HAIRCUT_HORIZON, "haircuts": found}
    return result, cli_text.table(("asset", "haircut", "from"), rows)
