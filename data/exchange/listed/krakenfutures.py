"""Kraken Futures: asked for margin tiers and mark prices only."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="krakenfutures",
    name="Kraken Futures",
    order=None,
    page=0,
    perpetual_quote="USD",
    marks_of=("kraken",),
    marks="fetch_tickers",
    marks_order=5,
    tiers_of="kraken",
    tiers_at_once=True,
    quirk="asked for margin tiers and mark prices only",
)
