"""A market and a portfolio that are there with no file and no network: what `--sample` stands for."""

from functools import cache
from pathlib import Path

from margin.core.market import Market
from margin.core.portfolio import Portfolio
from margin.sample.load import NOTE, SOURCE, load_sample

PORTFOLIO_FILE = Path(__file__).resolve().parent / "portfolio.json"
LABEL = f"{SOURCE}, {NOTE.removeprefix('sample, ')}"


@cache
def sample_market() -> Market:
    """The bundled sample's closes and volumes as a Market."""
    prices = load_sample()
    return prices.market()


def sample_portfolio() -> Portfolio:
    """A BTC/ETH pair with SOL beside it and 25,000 USDC behind it."""
    return Portfolio.from_json(PORTFOLIO_FILE.read_text(encoding="utf-8"))
