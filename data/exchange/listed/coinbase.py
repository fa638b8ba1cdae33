"""Coinbase: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="coinbase",
    name="Coinbase",
    order=2,
    page=300,
    quirk="more is an error",
)
