"""Kraken Futures: asked for margin tiers only."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="krakenfutures",
    name="Kraken Futures",
    order=None,
    page=0,
    perpetual_quote="USD",
    tiers_of="kraken",
    tiers_at_once=True,
    quirk="asked for margin tiers only",
)
