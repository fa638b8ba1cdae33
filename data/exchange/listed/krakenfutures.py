"""Kraken Futures: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="krakenfutures",
    name="Kraken Futures",
    order=None,
    page=5000,
    perpetual_quote="USD",
)
