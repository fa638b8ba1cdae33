"""Floor 5: how likely a margin call is, for any account under any margin model. docs/forecast.md.

from margin.forecast import forecast, same_safety
forecast(portfolio, market, model="binance:cross").main.probability
same_safety(portfolio, market)                                  the money for 5% odds within 7 days, under every rule

What is named here is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from margin.forecast.capital import Capital, same_safety
    from margin.forecast.engine import forecast
    from margin.forecast.results import Forecast

_HOMES = {
    "Capital": "margin.forecast.capital",
    "Forecast": "margin.forecast.results",
    "forecast": "margin.forecast.engine",
    "same_safety": "margin.forecast.capital",
}
__all__ = ["Capital", "Forecast", "forecast", "same_safety"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'margin.forecast' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
