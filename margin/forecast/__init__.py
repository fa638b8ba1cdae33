"""Floor 5: how likely a margin call is, for any account under any margin model. docs/forecast.md.

from margin.forecast.forecast import forecast
forecast(portfolio, market, model="binance:cross").main.probability
"""

__all__ = [
    "accounts",
    "alarms",
    "calibration",
    "capital",
    "drivers",
    "first_passage",
    "forecast",
    "gap",
    "interpolated",
    "nodes",
    "own_check",
    "past",
    "paths",
    "results",
    "scores",
    "volatility",
    "walk",
    "walking",
]
