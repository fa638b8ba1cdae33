"""Deribit: asked for mark prices only. Its perpetuals in USDC are those that are priced in dollars a coin."""

from data.exchange.facts import Exchange

EXCHANGE = Exchange(
    id="deribit",
    name="Deribit",
    order=None,
    page=0,
    perpetual_quote="USDC",
    market_params={"kind": "future"},
    marks_of=("deribit",),
    marks="fetch_ticker",
    marks_order=6,
    quirk="asked for mark prices only; its options make a list of their own, which is not loaded",
)
