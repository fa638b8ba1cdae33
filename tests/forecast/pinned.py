"""The bundled sample up to a day, so that tests with dated options and thin accounts do not move when it grows."""

from functools import cache

from margin import Market
from margin.sample.load import load_sample

LAST = "2026-03-31"


@cache
def pinned_market() -> Market:
    """Closes and volumes of the sample up to 31 March 2026."""
    prices = load_sample()
    return Market(prices.closes.loc[:LAST], prices.volumes.loc[:LAST])
