"""OKX: what is known of its price data. OKX gives 300 recent candles a call, but 100 of its history."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="okx",
    name="OKX",
    order=3,
    page=300,
    spot_types=("spot",),
    perpetual_types=("swap",),
    funding_page=100,
    funding_backwards=True,
    funding_cursor="after",
    marks_of=("okx",),
    marks="fetch_mark_prices",
    marks_order=2,
    tiers_of="okx",
    tiers_in_contracts=True,
    quirk="300 recent, 100 of the history; the recent endpoint ends at 1,440 candles",
)
