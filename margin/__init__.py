"""Margin Lab's engine: how much margin a portfolio needs under each method, and why they differ.

from margin import Portfolio, compare
compare(Portfolio.from_json(text), prices, level=0.975, horizon=1, lookback=500)
"""

from margin.errors import InputError, MarginLabError
from margin.ladder import Comparison, compare, compare_methods
from margin.market import Market
from margin.portfolio import Collateral, Portfolio, Position
from margin.settings import Safeguards, Settings

__all__ = [
    "Collateral",
    "Comparison",
    "InputError",
    "MarginLabError",
    "Market",
    "Portfolio",
    "Position",
    "Safeguards",
    "Settings",
    "compare",
    "compare_methods",
]
