"""Hyperliquid: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="hyperliquid",
    name="Hyperliquid",
    order=8,
    page=5000,
    kept=5000,
    end_wanted=True,
    perpetual_quote="USDC",
    perpetual_types=("swap",),
    funding_page=500,
    funding_order=3,
    marks_of=("hyperliquid",),
    marks="fetch_tickers",
    marks_order=1,
    book_ticker=True,
    quirk="the newest 5,000 only; perpetuals",
)
