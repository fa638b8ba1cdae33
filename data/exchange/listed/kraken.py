"""Kraken: what is known of its price data. Spot: only the newest 720 candles."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="kraken",
    name="Kraken",
    order=1,
    page=720,
    kept=720,
    all_tickers=True,
    quirk="always the newest 720, whatever `since` says",
)
