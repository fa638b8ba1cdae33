"""Bybit: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="bybit",
    name="Bybit",
    order=5,
    page=1000,
    end_wanted=True,
    spot_types=("spot",),
    perpetual_types=("linear",),
    funding_page=200,
    funding_order=2,
    funding_backwards=True,
    marks_of=("bybit", "bybit_inverse"),
    marks="fetch_tickers",
    marks_order=3,
    tiers_of="bybit",
    quirk="403 from US hosts; the end of a span is included",
)
