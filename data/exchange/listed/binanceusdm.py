"""Binance USD-M futures: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="binanceusdm",
    name="Binance USD-M futures",
    order=7,
    page=1000,
    end_wanted=True,
    perpetual_quote="USDT",
    perpetual_types=("linear",),
    funding_page=1000,
    funding_order=1,
    marks_of=("binance", "binance_coinm"),
    marks="fetch_mark_prices",
    marks_order=4,
    quirk="451 from US hosts; perpetuals",
)
