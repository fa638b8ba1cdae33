"""KuCoin: what is known of its price data."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="kucoin",
    name="KuCoin",
    order=6,
    page=1500,
    end_wanted=True,
    spot_types=("spot",),
    perpetual_types=("contract",),
    market_options={"fetchTickersFees": False},
    funding_page=100,
    funding_backwards=True,
    book_depths=(20, 100),
    quirk="the end of a span is excluded",
)
