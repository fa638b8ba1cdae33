"""Books of the stress tests, and an independent valuation of linear ones."""

import numpy as np

from margin import Collateral, Market, Portfolio, Position
from tests.ladder.books import market_frame

FRAME = market_frame()
MARKET = Market(FRAME)
PAIR = Portfolio(
    (Position("BTC/USDT:USDT", 1.0), Position("ETH/USDT:USDT", -15.0)),
    (Collateral("USD", 4000.0), Collateral("BTC", 0.1)),
)
CALL = Portfolio(
    (Position("BTC/USDC:USDC", 1.0), Position("BTC/USD:BTC-251226-70000-C", -1.0)), (Collateral("USD", 20_000.0),)
)
VENUE_MODELS = ("hyperliquid:cross", "binance:cross", "okx:cross", "dydx:cross", "deribit:portfolio", "kraken:cross")


def es(losses: np.ndarray, level: float = 0.975) -> float:
    """Mean of the worst (1 - level) mass of equally likely losses, the atom split: written from its definition."""
    ordered = np.sort(losses)[::-1]
    mass = (1.0 - level) * len(ordered)
    whole = int(mass)
    return float((ordered[:whole].sum() + (mass - whole) * ordered[whole]) / mass)


def tail(assets: list[str], dollars: list[float]) -> float:
    """USD margin of dollars held in assets, historical scenarios of the last 500 days."""
    returns = FRAME[assets].pct_change().dropna().to_numpy()[-500:]
    return es(-(returns @ np.array(dollars)))
