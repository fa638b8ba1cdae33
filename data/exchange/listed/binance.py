"""Binance: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="binance",
    name="Binance",
    order=4,
    page=1000,
    end_wanted=True,
    spot_types=("spot",),
    quirk="451 from US hosts",
)
